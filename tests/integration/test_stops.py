# SPDX-License-Identifier: Apache-2.0
"""A sink that is told to stop ends where its pictures do."""
import signal

import pytest
from conftest import wait_until
from marks import read_marks
from python_model import HEAD, PYTHON

pytestmark = pytest.mark.in_time


@pytest.mark.parametrize(("words", "played"), [
    (["file", "out.mp4"], "out.mp4"),
    (["file", "out.mkv", "on_stall=fill"], "out.mkv"),
    (["hls", "out", "mode=live", "segment=1s", "video.gop=1s"], "out/index.m3u8"),
], ids=["recorder", "on-the-clock", "hls"])
def test_sound_that_was_given_ahead_is_left_out_of_what_is_stopped(bus, start, tmp_path, words, played):
    """A sentence of twenty seconds is pushed at once; the sink is stopped three seconds into it."""
    kind, path, *options = words
    sink = bus.sink(kind, "--name", "stopped", tmp_path / path, "lag_limit=20s", *options)
    model = start(PYTHON, "-c", HEAD + f"""
with ringcast.Producer({bus.name!r}, size=(320, 180), fps=25, rate=marked.RATE) as out:
    out.wait_readers(1, timeout=60)
    begun = time.monotonic()
    out.write_audio(marked.sound(20))
    for i in range(500):
        at(begun, i / 25)
        out.write_video(marked.frame(i))
""")
    wait_until(lambda: bus.encoded("stopped") >= 75, "three seconds of pictures")
    sink.signal(signal.SIGTERM)
    sink.ends_well()
    model.kill()
    marks = read_marks(tmp_path / played)
    pictures = marks.video_seconds
    assert 2.9 <= pictures <= 15
    assert len(marks.duplicates) <= 25 and marks.missing == [], "no picture stands still for seventeen seconds of sound"
    sound = marks.sound.end - marks.frames[0].pts
    assert abs(sound - pictures) <= 0.05, f"{sound} s of sound for {pictures} s of pictures"
    assert marks.worst_sync_ms <= 20
