# SPDX-License-Identifier: Apache-2.0
"""The pip package with readers, threads, forks and whole scripts."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import ringcast
from conftest import ROOT, SHM
from layout_reader import READY, Cell, Flow, picture


@pytest.fixture
def bus(bus_name):
    return bus_name


def test_wait_readers_returns_when_a_reader_is_ready(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        assert out.wait_readers(0, timeout=0)
        assert not out.wait_readers(1, timeout=0.05)
        cell = Cell(bus)
        assert not out.wait_readers(1, timeout=0.05)
        timer = threading.Timer(0.2, cell.show, (READY,))
        timer.start()
        assert out.wait_readers(1, timeout=60)
        timer.join()
        cell.close()  # the lock goes: the cell counts no more
        assert not out.wait_readers(1, timeout=0)


def test_two_threads_write_sound_and_pictures(bus):
    with ringcast.Producer(bus, size=(32, 24), fps=50, rate=16000, video_depth=10, audio_depth=20) as out:
        video, audio = Flow(bus, "video"), Flow(bus, "audio")
        speaker = threading.Thread(target=lambda: [out.write_audio(np.full(320, n, np.int16)) for n in range(400)])
        speaker.start()
        for number in range(400):
            out.write_video(picture(number))
        speaker.join()
        assert [r["payload"] for r in video.read_all()] == [picture(n).tobytes() for n in range(400)]
        assert [r["payload"][:2] for r in audio.read_all()] == [struct.pack("<h", n) for n in range(400)]


def test_a_forked_child_gets_an_error_and_leaves_the_parents_bus_alone(bus):
    script = """
import os, sys, numpy, ringcast
out = ringcast.Producer(sys.argv[1], size=(32, 24), rate=None)
frame = numpy.zeros((24, 32, 3), numpy.uint8)
child = os.fork()
if child == 0:
    try:
        out.write_video(frame)
    except ringcast.ForkedError:
        sys.exit(7)
    sys.exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
out.write_video(frame)
out.end()
"""
    subprocess.run([sys.executable, "-c", script, bus], check=True, timeout=60)


def test_an_interpreter_that_just_exits_frees_the_bus(bus):
    script = "import sys, ringcast; out = ringcast.Producer(sys.argv[1], size=(32, 24))"
    subprocess.run([sys.executable, "-c", script, bus], check=True, timeout=60)
    with ringcast.Producer(bus, size=(32, 24)):
        pass


def decode_marks(frame: np.ndarray) -> tuple[int, bool]:
    """Frame index and flash of a marked frame, by DESIGN section 9."""
    height, width = frame.shape[:2]
    strip = frame[: height // 18].mean(axis=(0, 2))
    cells = [bool(strip[width * k // 32 : width * (k + 1) // 32].mean() > 127) for k in range(32)]
    value = int("".join("01"[bit] for bit in cells[:24]), 2)
    index, check = value >> 8, value & 255
    assert check == (index * 37 + 11) % 256
    assert len(set(cells[26:])) == 1
    return index, cells[26]


def test_the_example_script_delivers_100_marked_frames_and_sound(bus):
    script = subprocess.Popen(
        [sys.executable, ROOT / "producers/python/examples/marks.py", bus], stdout=subprocess.PIPE, text=True
    )
    try:
        while not (SHM / f"ringcast.{bus}.bus").exists():
            assert script.poll() is None
            time.sleep(0.01)
        video, audio, cell = Flow(bus, "video"), Flow(bus, "audio"), Cell(bus)
        cell.show(READY)
        pictures, sound = [], []
        while not (video.ended and video.cursor == video.head):
            assert script.poll() in (None, 0)
            pictures += [np.frombuffer(r["payload"], np.uint8).reshape(360, 640, 3) for r in video.read_all()]
            sound += [np.frombuffer(r["payload"], np.int16) for r in audio.read_all()]
            time.sleep(0.002)
        sound += [np.frombuffer(r["payload"], np.int16) for r in audio.read_all()]
        assert "wrote 100 frames" in script.communicate(timeout=60)[0]
    finally:
        script.kill()
        script.wait()
    assert [decode_marks(frame)[0] for frame in pictures] == list(range(100))
    assert [i for i, frame in enumerate(pictures) if decode_marks(frame)[1]] == [0, 1, 25, 26, 50, 51, 75, 76]
    samples = np.concatenate(sound)
    assert len(samples) == 4 * 44100
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 6000)
    starts = loud[np.flatnonzero(np.diff(loud, prepend=-10**6) > 10000)]
    assert np.allclose(starts, [0, 44100, 88200, 132300], atol=4)
