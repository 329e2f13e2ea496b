# SPDX-License-Identifier: Apache-2.0
"""`ringcast top`, `ringcast doctor` and what `ringcast info` shows of the rest of a bus."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
import time

import pytest
from conftest import RINGCAST, wait_until


# ---- top ------------------------------------------------------------------------------------------------------------

def top_json(ringcast, *words):
    done = ringcast("top", "--json", *words)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_top_shows_rates_age_depth_and_skew(ringcast, live):
    looks = top_json(ringcast, live.name, "--count", "3", "--interval", "200ms")
    assert len(looks) == 3 and looks[0]["monotonic_ns"] < looks[1]["monotonic_ns"]
    bus = looks[-1]["buses"][0]
    assert (bus["name"], bus["state"], bus["producer"]) == (live.name, "live", "cli test")
    video, audio = bus["flows"]
    assert video["fps"] > 0 and audio["samples_per_second"] > 0
    assert video["bits_per_second"] == pytest.approx(video["fps"] * 640 * 360 * 3 * 8, rel=0.001)
    assert audio["bits_per_second"] == pytest.approx(audio["samples_per_second"] * 16, rel=0.001)
    assert video["depth_ns"] == 1_000_000_000 and video["newest_age_ns"] >= 0 and bus["av_skew_ns"] is not None
    assert looks[-1]["buses"][0]["flows"][0]["head_index"] >= looks[0]["buses"][0]["flows"][0]["head_index"]


def test_top_shows_every_reader_with_its_speed(ringcast, live, tmp_path):
    live.sink("file", "--name", "archive", tmp_path / "talk.mp4")
    wait_until(lambda: (seen := live.reader("archive")) and seen["sent_bytes"] > 0, "the sink to send")
    reader = top_json(ringcast, live.name, "--count", "1")[0]["buses"][0]["readers"][0]
    assert reader["name"] == "archive" and reader["sent_bytes_per_second"] > 0 and reader["lost_records"] == 0
    text = ringcast("top", live.name, "--count", "1").stdout
    assert re.search(r"^READER +STATE +FPS +ENCODE +AGE +LAG +LOST +DROPPED +QUEUE +SENT +AGAIN +REASON$", text, re.MULTILINE), text
    assert re.search(r"^archive +live ", text, re.MULTILINE) and "\x1b" not in text


def test_top_shows_a_flow_that_stands_still_as_zero(ringcast, live):
    live.producer.signal(signal.SIGSTOP)
    wait_until(lambda: live.info()["flows"][0]["newest_age_ns"] > 2_100_000_000, "the newest frame to be old")
    assert [flow.get("fps", flow.get("samples_per_second"))
            for flow in top_json(ringcast, live.name, "--count", "1")[0]["buses"][0]["flows"]] == [0, 0]


def test_top_follows_a_bus_that_comes_and_goes(start, bus):
    top = start(RINGCAST, "top", bus.name, "--interval", "50ms")
    top.says("is not there; waiting for it")
    producer = bus.testsrc()
    top.says("live")
    producer.kill()
    top.says("stale")
    top.signal(signal.SIGINT)
    top.ends_well()


def test_top_prints_one_block_per_look_and_all_buses(ringcast, live):
    done = ringcast("top", "--count", "2", "--interval", "50ms")
    assert done.returncode == 0 and done.stdout.count(f"{live.name}  live") == 2
    assert any(each["name"] == live.name for each in top_json(ringcast, "--count", "1")[0]["buses"])


class OnTerminal:
    """top on a terminal of its own."""

    def __init__(self, words, columns):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(RINGCAST, ["ringcast", *words], {**os.environ, "TERM": "xterm"})
        termios.tcsetwinsize(self.terminal, (20, columns))
        self.seen = b""

    def until(self, text):
        deadline = time.monotonic() + 60
        while text not in self.seen and time.monotonic() < deadline:
            ready, _, _ = select.select([self.terminal], [], [], 1)
            if not ready:
                continue
            try:
                self.seen += os.read(self.terminal, 65536)
            except OSError:
                break
        assert text in self.seen, self.seen[-2000:]

    def end(self):
        self.until(b"\x1b[?1049l")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("how", ["q", "ctrl-c", "term", "bus"])
def test_top_redraws_in_place_ends_on_q_and_puts_the_terminal_back(live, how):
    top = OnTerminal(["top", live.name, "--interval", "100ms"], columns=60)
    top.until(live.name.encode())
    top.seen = b""
    top.until(b"\x1b[H")
    top.until(b"AGE")
    if how in ("term", "bus"):  # SIGBUS: a producer has cut the ring short under it
        os.kill(top.pid, signal.SIGTERM if how == "term" else signal.SIGBUS)
    else:
        os.write(top.terminal, {"q": b"q", "ctrl-c": b"\x03"}[how])
    if how == "bus":
        top.until(b"(SIGBUS); the bus is damaged")
        assert top.seen.index(b"\x1b[?1049l") < top.seen.index(b"the bus is damaged")
        assert termios.tcgetattr(top.terminal)[3] & termios.ICANON, "keys come by the line again"
    assert top.end() == (1 if how == "bus" else 0)
    assert b"\x1b[?25h" in top.seen and b"\x1b[?7h" in top.seen


def test_top_cuts_lines_on_a_narrow_terminal(live):
    top = OnTerminal(["top", live.name, "--interval", "100ms"], columns=24)
    top.until(live.name[:10].encode())
    top.seen = b""  # the first drawing may have been before the terminal got narrow
    top.until(b"\x1b[H")
    top.seen = top.seen[top.seen.rindex(b"\x1b[H"):]
    top.until(b"\x1b[J")
    drawn = top.seen[:top.seen.index(b"\x1b[J")].decode()
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).strip("\r") for line in drawn.split("\n")]
    assert any("…" in line for line in lines) and max(map(len, lines)) <= 24, lines
    os.write(top.terminal, b"q")
    assert top.end() == 0


@pytest.mark.parametrize("words, hint", [(["--interval", "fast"], "is not a time"), (["--interval", "0"], "at least 10ms"),
                                         (["--count", "0"], "whole number"), (["a b"], "is not a bus name")])
def test_top_explains_wrong_words(ringcast, words, hint):
    done = ringcast("top", *words)
    assert (done.returncode, done.stdout) == (2, "") and hint in done.stderr and done.stderr.count("\n") == 1


# ---- doctor ---------------------------------------------------------------------------------------------------------

def findings(ringcast, *words, code=0):
    done = ringcast("doctor", "--json", *words)
    assert done.returncode == code, (done.stdout, done.stderr)
    return json.loads(done.stdout)["findings"]


def test_doctor_shows_what_is_fine_and_exits_0(ringcast, live):
    found = findings(ringcast, live.name)
    assert {each["level"] for each in found} <= {"ok", "warning"}
    assert all((each["fix"] is None) == (each["level"] == "ok") for each in found)
    said = "\n".join(each["what"] for each in found)
    for thing in ("/dev/shm has", f'bus "{live.name}" is live', "files may be open", "inotify", "hls", "libx264", "aac",
                  "espeak-ng"):
        assert thing in said, said
    text = ringcast("doctor", live.name).stdout
    assert re.search(rf'^ok       bus "{live.name}" is live', text, re.MULTILINE)


def test_the_fix_for_a_stale_bus_works(ringcast, live):
    live.producer.kill()
    stale = [each for each in findings(ringcast, live.name) if "is stale" in each["what"]]
    assert [each["level"] for each in stale] == ["warning"] and stale[0]["fix"] == f"ringcast clean {live.name}"
    assert ringcast(*stale[0]["fix"].split()[1:]).returncode == 0
    assert ringcast("doctor", live.name).returncode == 1  # gone, so there is nothing of that name to look at


def test_doctor_finds_damage_and_foreign_versions(ringcast, live):
    path = f"/dev/shm/ringcast.{live.name}.bus"
    with open(path, "r+b") as bus_object:
        bus_object.seek(8)
        bus_object.write((99).to_bytes(4, "little"))
    bad = [each for each in findings(ringcast, live.name, code=1) if each["level"] == "error"]
    assert len(bad) == 1 and "layout version 99" in bad[0]["what"] and "same release" in bad[0]["fix"]
    with open(path, "r+b") as bus_object:
        bus_object.write(b"garbage!")
    bad = [each for each in findings(ringcast, live.name, code=1) if each["level"] == "error"]
    assert len(bad) == 1 and "not a ringcast object" in bad[0]["what"] and "restart the producer" in bad[0]["fix"]
    live.producer.kill()
    bad = [each for each in findings(ringcast, live.name, code=1) if each["level"] == "error"]
    assert bad[0]["fix"] == f"ringcast clean {live.name}"


def test_doctor_finds_objects_that_anyone_may_write(ringcast, live):
    path = f"/dev/shm/ringcast.{live.name}.video"
    os.chmod(path, 0o666)
    open_ones = [each for each in findings(ringcast, live.name) if "by everybody" in each["what"]]
    assert [each["fix"] for each in open_ones] == [f"chmod o-w {path}"]
    subprocess.run(open_ones[0]["fix"].split(), check=True)
    assert not [each for each in findings(ringcast, live.name) if "by everybody" in each["what"]]


def test_doctor_tells_of_damage_also_where_rights_are_wrong(ringcast, live):
    os.chmod(f"/dev/shm/ringcast.{live.name}.audio", 0o666)
    with open(f"/dev/shm/ringcast.{live.name}.video", "r+b") as video:
        video.write(b"garbage!")
    said = [each["what"] for each in findings(ringcast, live.name, code=1) if each["level"] != "ok"]
    assert any("by everybody" in what for what in said) and any("not a ringcast object" in what for what in said), said


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root to become somebody else")
def test_doctor_tells_another_user_which_objects_are_closed_to_him(live):
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", RINGCAST, "doctor", live.name,
                           "--json"], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode == 126 or "Permission denied" in done.stderr and not done.stdout:
        pytest.skip("the build folder is closed to other users")
    closed = [each for each in json.loads(done.stdout)["findings"] if "cannot be read by" in each["what"]]
    assert done.returncode == 1 and {each["level"] for each in closed} == {"error"}
    assert all("chgrp" in each["fix"] and "chmod g+r" in each["fix"] for each in closed)


def test_doctor_counts_missing_speech_and_few_descriptors_as_warnings(live):
    script = f'ulimit -n 64; PATH=/nowhere exec "{RINGCAST}" doctor {live.name} --json'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    warnings = [each["what"] for each in json.loads(done.stdout)["findings"] if each["level"] == "warning"]
    assert any("espeak-ng is missing" in each for each in warnings)
    assert any("only 64 files" in each for each in warnings)


def test_doctor_reports_a_broken_plugin(ringcast, live, tmp_path, monkeypatch):
    (tmp_path / "broken.so").write_bytes(b"not a shared object")
    monkeypatch.setenv("RINGCAST_PLUGIN_PATH", str(tmp_path))
    bad = [each for each in findings(ringcast, live.name, code=1) if each["level"] == "error"]
    assert len(bad) == 1 and "broken.so cannot be used" in bad[0]["what"] and bad[0]["fix"]


def test_doctor_names_the_nearest_bus(ringcast, live):
    done = ringcast("doctor", live.name + "x")
    assert (done.returncode, done.stdout) == (1, "") and f'did you mean "{live.name}"' in done.stderr


# ---- info -----------------------------------------------------------------------------------------------------------

def test_info_shows_epoch_generations_flush_and_how_fresh_a_reader_is(ringcast, live, tmp_path):
    live.sink("file", "--name", "archive", tmp_path / "talk.mp4")
    reader = wait_until(lambda: (seen := live.reader("archive")) and seen["updated_monotonic_ns"] > 0 and seen, "figures")
    assert reader["updated_age_ns"] >= 0
    info = live.info()
    assert abs(info["epoch_realtime_ns"] - time.time_ns()) < 3600 * 10**9
    assert 0 < info["epoch_monotonic_ns"] < time.monotonic_ns()
    assert (info["flush_generation"], info["flush_index"]) == (0, None)
    assert [flow["caps_generation"] for flow in info["flows"]] == [1, 1]
    assert info["flows"][0]["payload_bytes"] == info["flows"][0]["committed_records"] * 640 * 360 * 3
    text = ringcast("info", live.name).stdout
    assert re.search(r"^pts 0 at +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC$", text, re.MULTILINE), text
    assert re.search(r"^flush +never$", text, re.MULTILINE) and re.search(r"^caps generation +1 +1$", text, re.MULTILINE)
    assert re.search(r"^  updated +\S.* ago$", text, re.MULTILINE)
