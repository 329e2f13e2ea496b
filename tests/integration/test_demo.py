# SPDX-License-Identifier: Apache-2.0
"""tools/demo and tools/setup as a person or a script runs them."""
import os
import pty
import re
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, wait_until
from far_end import frame_count

DEMO = ROOT / "tools/demo"
pytestmark = pytest.mark.slow


@pytest.fixture
def demo(start, tmp_path, free_port):
    """Starts the demo on a port and in a folder of its own; `url()` waits until it is on air."""

    def starter(*words, **environment):
        child = start(DEMO, "--port", free_port, "--dir", tmp_path / "demo", *words, **environment)
        child.folder = tmp_path / "demo"
        child.address = f"http://127.0.0.1:{free_port}/"
        return child

    return starter


def children_of(folder):
    """{name: pid} of the demo's programs, by the logs they hold open."""
    found = {}
    for link in Path("/proc").glob("[0-9]*/fd/1"):
        try:
            target = Path(os.readlink(link))
        except OSError:
            continue
        if target.parent == folder:
            found[target.stem] = int(link.parts[2])
    return found


def assert_nothing_left(child):
    assert children_of(child.folder) == {}
    assert not [entry.name for entry in Path("/dev/shm").iterdir() if f".demo-{child.pid}." in entry.name]


def test_demo_shows_where_to_watch_runs_its_time_and_sums_up(demo):
    child = demo("--seconds", "7")
    child.says(child.address)
    page = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(child.address, timeout=20).read()
    assert b"<video" in page
    child.ends_well(limit=120)
    said = child.output()
    assert re.search(r"^00:0\d\.\d +\d+ fps +\d+ segments +recording \S+ (MB|begun) +0 lost$", said, re.MULTILINE), said
    assert "ended well: 00:07.0 of media, 175 frames, 0 lost" in said
    assert frame_count(child.folder / "recording.mp4") == 175
    assert_nothing_left(child)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_stops_clean_on_a_signal(demo, number):
    child = demo("--text", "Stop me when you like.")
    wait_until(lambda: (child.folder / "hls/index.m3u8").exists() or not child.running(), "the playlist", 120)
    child.signal(number)
    child.ends_well()
    frames = int(re.search(r"of media, (\d+) frames, 0 lost", child.output()).group(1))
    assert frame_count(child.folder / "recording.mp4") == frames
    assert "#EXT-X-ENDLIST" in (child.folder / "hls/index.m3u8").read_text()
    assert_nothing_left(child)


@pytest.mark.parametrize("victim", ["avatar", "page", "recorder"])
def test_demo_names_the_process_that_died_and_stops_the_rest(demo, victim):
    child = demo()
    wait_until(lambda: (child.folder / "hls/index.m3u8").exists() or not child.running(), "the playlist", 120)
    os.kill(children_of(child.folder)[victim], signal.SIGKILL)
    assert child.wait() == 1
    assert f"{victim} ended by signal SIGKILL" in child.output()
    assert f"{child.folder}/{victim}.log" in child.output()
    assert children_of(child.folder) == {}


def test_demo_ended_by_kill_9_takes_its_programs_with_it(demo):
    child = demo()
    wait_until(lambda: (child.folder / "hls/index.m3u8").exists() or not child.running(), "the playlist", 120)
    child.kill()
    wait_until(lambda: not children_of(child.folder), "the programs to end")
    assert frame_count(child.folder / "recording.mp4") > 0
    assert_nothing_left(child)


def test_demo_under_ssh_prints_the_tunnel(demo):
    child = demo("--seconds", "1", SSH_CONNECTION="198.51.100.7 50000 203.0.113.9 2222", USER="ada")
    child.ends_well(limit=120)
    port = child.address.split(":")[2].strip("/")
    assert f"ssh -L {port}:127.0.0.1:{port} -p 2222 ada@203.0.113.9" in child.output()


def test_demo_says_which_port_is_taken(demo, free_port):
    import socket
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        child = demo()
        assert child.wait(120) == 1
    assert f"cannot listen on 127.0.0.1 port {free_port}" in child.output()


def test_demo_redraws_one_line_on_a_terminal(tmp_path, free_port):
    main, terminal = pty.openpty()
    process = subprocess.Popen([DEMO, "--seconds", "4", "--port", str(free_port), "--dir", tmp_path / "demo"],
                               stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
    os.close(terminal)
    said = b""
    try:
        while chunk := os.read(main, 65536):
            said += chunk
    except OSError:  # what Linux says when the last writer of a terminal is gone
        pass
    assert process.wait(60) == 0, said.decode()
    lines = [line for line in said.decode().split("\n") if " lost" in line and "segments" in line]
    assert len(lines) == 1, said.decode()
    assert lines[0].count("\r") >= 3


@pytest.mark.parametrize("words", [["--seconds", "0"], ["--port", "70000"], ["--wav", "missing.wav"], ["--colour"]])
def test_demo_refuses_wrong_words_before_it_does_anything(words):
    done = subprocess.run([DEMO, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert words[0] in done.stderr
    assert done.stdout == ""


def test_setup_does_nothing_twice_and_minds_no_foreign_python(tmp_path):
    """A conda-like environment: its own python3 first on PATH, variables that break any other."""
    foreign = tmp_path / "conda/bin"
    foreign.mkdir(parents=True)
    for name in ("python3", "python", "pip", "cmake", "pkg-config"):
        (foreign / name).write_text("#!/bin/sh\necho foreign $0 was run >&2\nexit 97\n")
        (foreign / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{foreign}:{os.environ['PATH']}", "CONDA_PREFIX": str(tmp_path / "conda"),
                   "PYTHONHOME": "/nonexistent", "PYTHONPATH": "/nonexistent", "CXX": "/nonexistent/c++"}
    done = subprocess.run([ROOT / "tools/setup", "--tests"], env=environment, capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout + done.stderr == "", "nothing was missing, so there is nothing to say"
