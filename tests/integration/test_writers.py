# SPDX-License-Identifier: Apache-2.0
"""Programs that do not write picture and sound in step: two processes on one bus, or a whole speech before the frames."""
import pytest
from conftest import ROOT, wait_until
from far_end import assert_whole

PYTHON = ROOT / "build/venv/bin/python"
HEAD = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "tests/support")!r})
import marked, ringcast
"""


def test_pictures_and_sound_of_two_processes_meet_on_one_timeline(bus, start, tmp_path):
    sinks = [bus.sink("file", "--once", tmp_path / "out.mkv"), bus.sink("hls", "--once", tmp_path / "hls")]
    pictures = start(PYTHON, "-c", HEAD + f"""
with ringcast.Producer({bus.name!r}, size=(320, 180), fps=25, rate=None, mode="paced") as out:
    out.wait_readers(2, timeout=60)
    for i in range(150):
        out.write_video(marked.frame(i), pts=i * 40_000_000)
""")
    wait_until(bus.info, "the bus of the pictures")
    sound = start(PYTHON, "-c", HEAD + f"""
samples = marked.sound(6)
with ringcast.Producer({bus.name!r}, size=None, rate=marked.RATE, mode="paced") as out:
    out.wait_readers(2, timeout=60)
    for at in range(0, len(samples), 1000):  # not a multiple of anything the pictures do
        out.write_audio(samples[at : at + 1000], pts=at * 10**9 // marked.RATE)
""")
    pictures.ends_well()
    sound.ends_well()
    for sink in sinks:
        sink.ends_well()
    assert_whole(tmp_path / "out.mkv", frames=150, fps=25)
    assert_whole(tmp_path / "hls/index.m3u8", frames=150, fps=25)


@pytest.mark.parametrize("mode, seconds", [("lossless", 60), ("live", 6), ("paced", 6)])
def test_one_thread_writes_the_whole_speech_and_then_the_frames(bus, start, tmp_path, mode, seconds):
    """Live and paced take the speech's time; their ring is made shallow so that a short speech is far too long for it."""
    sink = bus.sink("file", "--once", "on_stall=wait", tmp_path / "out.mkv")
    script = start(PYTHON, "-c", HEAD + f"""
with ringcast.Producer({bus.name!r}, size=(320, 180), fps=25, rate=marked.RATE, mode={mode!r}, audio_depth=2) as out:
    out.wait_readers(1, timeout=60)
    begun = time.monotonic()
    out.write_audio(marked.sound({seconds}))
    assert out.audio_waiting > {seconds} - 3, out.audio_waiting
    for i in range({seconds} * 25):
        out.write_video(marked.frame(i))
        if {mode!r} == "live":
            time.sleep(max(0, begun + (i + 1) / 25 - time.monotonic()))
""")
    script.ends_well()
    sink.ends_well()
    assert_whole(tmp_path / "out.mkv", frames=seconds * 25, fps=25)
