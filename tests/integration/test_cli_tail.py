# SPDX-License-Identifier: Apache-2.0
"""ringcast tail on real buses."""
import json
import signal
import subprocess

import pytest
from conftest import RINGCAST


def tail_json(ringcast, bus, *words):
    done = ringcast("tail", bus.name, "--json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_tail_prints_every_record_once_and_ends_with_the_stream(ringcast, bus):
    bus.testsrc("--seconds", "2")
    lines = tail_json(ringcast, bus, "--wait")
    records = [line for line in lines if line["type"] == "record"]
    video = [record for record in records if record["flow"] == "video"]
    audio = [record for record in records if record["flow"] == "audio"]
    lost = {flow: sum(line["overrun_records"] + line["aborted_records"] for line in lines
                      if line["type"] == "lost" and line["flow"] == flow) for flow in ("video", "audio")}
    assert len(video) + lost["video"] == 50
    indices = [record["index"] for record in video]
    assert indices == sorted(set(indices)) and indices[-1] == 49
    assert all(record["pts_ns"] == record["media_index"] * 40_000_000 for record in video)
    assert all(record["size_bytes"] == 640 * 360 * 3 and record["age_ns"] > 0 for record in video)
    if lost["audio"] == 0:
        assert sum(record["samples"] for record in audio) == 2 * 44100
    assert lines[-1] == {"type": "end", "bus": bus.name, "delivered_records": len(records),
                         "lost_records": sum(lost.values())}
    assert [line["flow"] for line in lines if line["type"] == "caps"].count("video") == 1


def test_tail_keeps_to_one_flow_and_a_count(ringcast, live):
    lines = tail_json(ringcast, live, "--flow", "audio", "-n", "4")
    assert [line["type"] for line in lines] == ["caps"] + ["record"] * 4
    assert {line["flow"] for line in lines} == {"audio"}


def test_tail_begins_with_the_oldest_record_when_asked(ringcast, live):
    oldest = live.info()["flows"][1]
    assert oldest["flow"] == "audio"
    first = tail_json(ringcast, live, "--oldest", "--flow", "audio", "-n", "1")[-1]
    assert first["index"] == oldest["first_index"]


def test_tail_in_text_has_a_title_and_aligned_numbers(ringcast, live):
    lines = ringcast("tail", live.name, "--flow", "video", "-n", "3").stdout.splitlines()
    assert lines[0].split() == ["FLOW", "INDEX", "PTS", "s", "MEDIA", "INDEX", "SAMPLES", "BYTES", "AGE", "FLAGS"]
    records = [line for line in lines[1:] if "caps" not in line]
    assert len(records) == 3 and len({line.index(" 691200 ") for line in records}) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_tail_ends_calmly_on_a_signal(start, live, number):
    tail = start(RINGCAST, "tail", live.name)
    tail.says("video")
    tail.signal(number)
    tail.ends_well()


def test_tail_leaves_quietly_when_its_reader_leaves(live):
    script = f'set -o pipefail; "{RINGCAST}" tail {live.name} --oldest | head -n 2'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == "" and len(done.stdout.splitlines()) == 2


def test_tail_is_seen_by_nobody(start, live):
    tail = start(RINGCAST, "tail", live.name)
    tail.says("video")
    assert live.info()["readers"] == []


def test_tail_says_when_the_producer_dies(start, live):
    tail = start(RINGCAST, "tail", live.name)
    tail.says("video")
    live.producer.kill()
    assert tail.wait() == 1
    assert "is gone without ending the stream" in tail.output().splitlines()[-1]


def test_tail_follows_into_the_next_session_with_wait(start, live):
    tail = start(RINGCAST, "tail", live.name, "--wait", "--json")
    tail.says('"record"')
    live.producer.kill()
    tail.says("waiting for the next one")
    live.testsrc("--seconds", "1").ends_well()
    tail.ends_well()
    lines = [json.loads(line) for line in tail.output().splitlines() if line.startswith("{")]
    assert lines[-1]["type"] == "end"
    sessions = [line for line in lines if line["type"] == "session" and line["flow"] == "video"]
    assert len(sessions) == 1
