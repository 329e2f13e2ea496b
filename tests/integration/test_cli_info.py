# SPDX-License-Identifier: Apache-2.0
"""ringcast ls and info on real buses."""
import json
import os
import re

import pytest
from conftest import SHM, wait_until


def test_ls_shows_a_live_bus_as_a_table_and_as_json(ringcast, live):
    table = ringcast("ls").stdout
    row = next(line for line in table.splitlines() if line.startswith(live.name))
    assert "live" in row and "640x360 bgr24 25" in row and "44100 s16 x1" in row and "cli test" in row
    assert "\x1b" not in table

    buses = json.loads(ringcast("ls", "--json").stdout)["buses"]
    mine = next(each for each in buses if each["name"] == live.name)
    assert mine["state"] == "live" and mine["pid"] == live.producer.pid and mine["uid"] == os.getuid()
    assert mine["video"] == {"format": "bgr24", "width_px": 640, "height_px": 360, "fps": "25", "fps_num": 25,
                             "fps_den": 1}
    assert mine["audio"] == {"format": "s16", "sample_rate_hz": 44100, "channels": 1}
    assert mine["uptime_ns"] > 0 and mine["reader_count"] == 0 and mine["problems"] == []
    # At least a second of pictures is reserved.
    assert mine["memory_bytes"] > 25 * 640 * 360 * 3
    assert live.name in ringcast("ls", "--names").stdout.splitlines()


def test_info_agrees_with_the_files_in_shared_memory(live):
    info = live.info()
    for flow in info["flows"]:
        assert flow["object_bytes"] == (SHM / f"ringcast.{live.name}.{flow['flow']}").stat().st_size
        assert flow["writer_alive"] and not flow["ended"]
        assert flow["committed_records"] <= flow["head_index"] - flow["first_index"]
        assert flow["depth_ns"] == flow["depth_wanted_ns"] > 0
        assert flow["newest_pts_ns"] >= flow["oldest_pts_ns"] >= 0
    assert [flow["flow"] for flow in info["flows"]] == ["video", "audio"]
    assert re.fullmatch("[0-9a-f]{16}", info["session"])
    # testsrc writes both in step: further apart than a few frames would be a wrong sign or a wrong unit.
    assert abs(info["av_skew_ns"]) < 500_000_000
    later = wait_until(lambda: (now := live.info())["flows"][0]["head_index"] > info["flows"][0]["head_index"] and now,
                       "more frames")
    assert later["uptime_ns"] > info["uptime_ns"]
    assert later["measured_video_fps"] > 0 and later["measured_audio_hz"] > 0


def test_info_in_text_labels_every_figure(ringcast, live):
    text = ringcast("info", live.name).stdout
    for label in ("state", "producer", "mode", "session", "uptime", "layout", "memory", "A/V skew", "caps", "writer",
                  "depth", "slots", "arena", "head, next index", "records in ring", "oldest pts", "newest age"):
        assert re.search(rf"^{re.escape(label)}\s+\S", text, re.MULTILINE), label
    assert "no reader is attached" in text


def test_info_names_the_nearest_bus(ringcast, live):
    wrong = live.name[:-1]
    done = ringcast("info", wrong)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f'ringcast info: no bus "{wrong}" is there; did you mean "{live.name}"?\n'


@pytest.mark.parametrize("words", [["info"], ["info", "--json"], ["tail"], ["tail", "--json"]])
def test_a_bus_that_is_not_there_is_exit_code_1(ringcast, words):
    done = ringcast(words[0], "no-such-bus-anywhere", *words[1:])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1 and 'no bus "no-such-bus-anywhere"' in done.stderr


def test_info_and_top_show_what_the_plugin_says(ringcast, live, tmp_path):
    live.sink("hls", "--name", "page", f"dir={tmp_path}", "listen=0", "segment=1s")
    shown = wait_until(lambda: (seen := live.reader("page")) and seen["stats"].get("segments", 0) >= 2 and seen,
                       "segments")
    assert shown["texts"]["path"] == str(tmp_path / "index.m3u8")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/.*", shown["texts"]["url"])
    assert shown["stats"]["published_ms"] >= 2000
    look = json.loads(ringcast("top", live.name, "--count", "1", "--json").stdout)
    reader = next(each for each in look["buses"][0]["readers"] if each["name"] == "page")
    assert reader["texts"] == shown["texts"] and reader["stats"]["segments"] >= 2
    assert "NET" not in ringcast("top", live.name, "--count", "1").stdout


def test_info_shows_a_sink_that_reads(ringcast, live, tmp_path):
    live.sink("file", "--name", "archive", tmp_path / "talk.mp4")
    # "live" means that bytes moved, so it comes with the first whole fragment of the file.
    reader = wait_until(lambda: (seen := live.reader("archive")) and seen["state"] == "live" and seen,
                        "the sink to be live")
    assert reader["plugin"] == "file" and reader["pid"] > 0
    assert reader["encoded_frames"] > 0 and reader["sent_bytes"] > 0
    assert reader["flows"]["video"]["delivered_records"] >= reader["encoded_frames"] - reader["repeated_frames"]
    path = str(tmp_path / "talk.mp4")
    shown = wait_until(lambda: (seen := live.reader("archive"))["stats"].get("recorded_ms", 0) > 0 and seen,
                       "figures of the plugin")
    assert shown["stats"]["part"] == 1 and shown["texts"] == {"path": path}
    assert shown["clients"] == [] and shown["left_out"] == 0
    text = ringcast("info", live.name).stdout
    assert re.search(rf"said by the plugin\n    path +{re.escape(path)}\n    part +1\n    recorded +\d", text), text
    assert "archive (file, pid" in text and "lost, overrun" in text and "no reader" not in text
