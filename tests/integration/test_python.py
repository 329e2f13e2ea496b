# SPDX-License-Identifier: Apache-2.0
"""The Python package as pip installed it, in the environment tools/setup made."""
from conftest import ROOT
from far_end import assert_whole

PYTHON = ROOT / "build/venv/bin/python"


def test_the_twenty_line_script_delivers_100_marked_frames_and_sound(bus, start, tmp_path):
    sinks = [bus.sink("file", "--once", tmp_path / "out.mp4"), bus.sink("hls", "--once", tmp_path / "hls")]
    script = start(PYTHON, ROOT / "producers/python/examples/marks.py", bus.name)
    script.ends_well()
    for sink in sinks:
        sink.ends_well()
    assert_whole(tmp_path / "out.mp4", frames=100, fps=25)
    assert_whole(tmp_path / "hls/index.m3u8", frames=100, fps=25)


def test_a_script_that_raises_does_not_end_the_stream(bus, start, tmp_path):
    sink = bus.sink("file", "--name", "mp4", "--once", tmp_path / "out.mp4")
    broken = start(PYTHON, "-c", f"""
import numpy, ringcast
with ringcast.Producer({bus.name!r}, size=(64, 36), fps=25, rate=16000) as out:
    out.wait_readers(1, timeout=60)
    for _ in range(10):
        out.write_video(numpy.zeros((36, 64, 3), numpy.uint8))
        out.write_audio(numpy.zeros(640, numpy.int16))
    raise RuntimeError("the model broke")
""")
    assert broken.wait() == 1
    assert "the model broke" in broken.output()
    assert sink.running(), "the sink waits for the next producer"
    bus.testsrc("--seconds", "2", size="64x36").ends_well()
    sink.ends_well()
