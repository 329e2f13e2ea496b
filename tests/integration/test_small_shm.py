# SPDX-License-Identifier: Apache-2.0
"""A producer where /dev/shm is small (docker gives 64 MB): a mount namespace with a small one of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest


PRELUDE = """
import os, signal, sys, time, warnings
import numpy as np, ringcast
warnings.simplefilter("always")
FRAME = np.zeros((360, 640, 3), np.uint8)
def depth(kind):
    import struct
    with open(f"/dev/shm/ringcast.small.{kind}", "rb") as file:
        file.seek(176)
        return struct.unpack("<Q", file.read(8))[0] / 1e9
"""


def in_small_shm(script: str, size: str = "8m") -> subprocess.CompletedProcess:
    # As a user of its own (-r) where root is not given: docker, CI and people's desktops allow one or the other.
    command = [sys.executable, "-c", PRELUDE + script]
    for flags in ("-m", "-rm"):
        mount = f"mount -t tmpfs -o size={size} tmpfs /dev/shm && exec"
        inside = ["unshare", flags, "sh", "-c", f'{mount} "$@"', "sh"]
        if subprocess.run([*inside, "true"], capture_output=True).returncode == 0:
            return subprocess.run([*inside, *command], capture_output=True, text=True, timeout=120)
    pytest.skip("unshare cannot make a mount namespace here")


pytestmark = pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare (util-linux)")


def test_the_default_depth_shrinks_to_what_fits_and_says_so():
    done = in_small_shm("""
with ringcast.Producer("small", size=(640, 360), fps=25, rate=44100) as out:
    assert 4 / 25 <= depth("video") < 1, depth("video")
    for n in range(100):
        out.write_video(FRAME)
        out.write_audio(np.zeros(1764, np.int16))
""")
    assert done.returncode == 0, done.stderr
    assert "RuntimeWarning" in done.stderr and "--shm-size=" in done.stderr


def test_a_stated_depth_that_does_not_fit_is_an_error_with_the_fix():
    done = in_small_shm("""
try:
    ringcast.Producer("small", size=(640, 360), fps=25, rate=44100, video_depth=2)
except ringcast.NoSpaceError as error:
    print(error)
assert os.listdir("/dev/shm") == [], os.listdir("/dev/shm")
""")
    assert done.returncode == 0, done.stderr
    assert "--shm-size=" in done.stdout and "small" in done.stdout


def test_fewer_than_four_frames_are_an_error_not_a_bus_error():
    done = in_small_shm("""
try:
    ringcast.Producer("small", size=(1920, 1080), fps=25, rate=44100)
except ringcast.NoSpaceError as error:
    print(error)
""")
    assert done.returncode == 0, done.stderr
    assert "--shm-size=" in done.stdout


FULL_HD = """
def write(n):
    with ringcast.Producer("small", size=(1920, 1080), fps=25, rate=44100) as out:
        print(round(depth("video") * 25), "frames deep")
        for _ in range(n):
            out.write_video(np.zeros((1080, 1920, 3), np.uint8))
            out.write_audio(np.zeros(1764, np.int16))
"""


def test_full_hd_fits_dockers_64_mb_with_a_shorter_ring_and_says_what_to_give_it():
    done = in_small_shm(FULL_HD + "write(60)", size="64m")
    assert done.returncode == 0, done.stderr
    assert 4 <= int(done.stdout.split()[0]) < 25
    assert "RuntimeWarning" in done.stderr and "--shm-size=" in done.stderr


@pytest.mark.parametrize("size, before", [("16m", ""), ("64m", "open('/dev/shm/filler', 'wb').write(bytes(64 << 20))")])
def test_full_hd_in_16_mb_or_in_a_full_one_is_an_error_that_names_the_fix(size, before):
    """Not a bus error in the middle of a frame, which is what an unreserved object would give."""
    filled = f"try:\n    {before or 'pass'}\nexcept OSError:\n    pass\n"
    done = in_small_shm(FULL_HD + filled + """
try:
    write(60)
except ringcast.NoSpaceError as error:
    print(error)
assert [name for name in os.listdir("/dev/shm") if name.startswith("ringcast")] == []
""", size=size)
    assert done.returncode == 0, done.stderr
    assert "--shm-size=" in done.stdout and "free" in done.stdout


def test_a_killed_producer_comes_back_with_the_depth_it_had():
    done = in_small_shm("""
def run():
    out = ringcast.Producer("small", size=(640, 360), fps=25, rate=44100)
    out.write_video(FRAME)
    print(depth("video"), depth("audio"), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
for life in range(3):
    child = os.fork()
    if child == 0:
        run()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
""")
    assert done.returncode == 0, done.stderr
    lives = done.stdout.splitlines()
    assert len(lives) == 3
    assert set(lives) == {lives[0]}, lives


def test_another_format_goes_into_the_shrunk_ring_when_there_is_no_room_for_a_second_one():
    done = in_small_shm("""
with ringcast.Producer("small", size=(1920, 1080), fps=25, rate=44100) as out:
    out.write_video(np.zeros((1080, 1920, 3), np.uint8))
    for size, fps in (((1920, 1080), 30), ((1280, 720), 25), ((640, 360), 60)):
        out.set_video_format(size, fps, "bgr24")
        out.write_video(np.zeros((size[1], size[0], 3), np.uint8))
        assert depth("video") >= 4 / fps - 1e-6, (size, depth("video"))
""", size="64m")
    assert done.returncode == 0, done.stderr


def test_a_new_producer_fits_beside_the_memory_that_a_reader_of_the_dead_one_still_maps():
    done = in_small_shm("""
import subprocess
def model(size):
    return ("import numpy as np, ringcast, sys, time\\n"
            f"out = ringcast.Producer('small', size={size}, fps=25, rate=44100)\\n"
            f"out.write_video(np.zeros(({size[1]}, {size[0]}, 3), np.uint8)); print('up', flush=True); time.sleep(60)")
first = subprocess.Popen([sys.executable, "-c", model((1280, 720))], stdout=subprocess.PIPE)
assert first.stdout.readline()
held = open("/dev/shm/ringcast.small.video", "rb")
first.kill(); first.wait()
second = subprocess.Popen([sys.executable, "-c", model((960, 540))], stdout=subprocess.PIPE)
assert second.stdout.readline() == b"up\\n"
second.kill(); second.wait()
""", size="64m")
    assert done.returncode == 0, done.stderr
