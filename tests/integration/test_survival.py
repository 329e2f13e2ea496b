# SPDX-License-Identifier: Apache-2.0
"""What happens to the others, and to the files, when a process is ended the hard way or asked to stop."""
import signal
from pathlib import Path

import pytest
from conftest import wait_until
from far_end import MAX_SKEW_MS, assert_prefix, assert_whole
from marks import read_marks

SECONDS, FPS = 8, 25


@pytest.fixture
def on_air(bus, tmp_path):
    """Two sinks at work on a live source, 60 frames in."""
    mp4 = bus.sink("file", "--name", "mp4", "--once", tmp_path / "out.mp4")
    hls = bus.sink("hls", "--name", "hls", "--once", tmp_path / "hls")
    source = bus.testsrc("--seconds", SECONDS, "--mode", "live", "--wait-readers", "2")
    wait_until(lambda: bus.encoded("mp4") >= 60 and bus.encoded("hls") >= 60, "60 encoded frames")
    return source, mp4, hls


def test_kill_9_of_the_hls_sink_leaves_the_recording_whole(on_air, tmp_path):
    source, mp4, hls = on_air
    hls.kill()
    source.ends_well()
    mp4.ends_well()
    assert_whole(tmp_path / "out.mp4", frames=SECONDS * FPS, fps=FPS)


def test_kill_9_of_the_file_sink_leaves_hls_whole_and_the_file_playable(bus, on_air, tmp_path):
    source, mp4, hls = on_air
    encoded = bus.encoded("mp4")
    mp4.kill()
    source.ends_well()
    hls.ends_well()
    assert_whole(tmp_path / "hls/index.m3u8", frames=SECONDS * FPS, fps=FPS)
    # A fragment is a second of media; the encoder and the interleaver hold back less than another.
    assert_prefix(tmp_path / "out.mp4", at_least=encoded - 2 * FPS, fps=FPS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_file_and_playlist_and_exits_0(bus, on_air, tmp_path, number):
    source, mp4, hls = on_air
    encoded = min(bus.encoded("mp4"), bus.encoded("hls"))
    for sink in (mp4, hls):
        sink.signal(number)
    mp4.ends_well()
    hls.ends_well()
    assert source.running(), "the producer notices nothing"
    assert "#EXT-X-ENDLIST" in (tmp_path / "hls/index.m3u8").read_text()
    assert_prefix(tmp_path / "out.mp4", at_least=encoded, fps=FPS)
    assert_prefix(tmp_path / "hls/index.m3u8", at_least=encoded, fps=FPS)
    source.ends_well()


def test_recording_goes_on_after_kill_9_and_restart_of_the_producer(bus, tmp_path):
    sink = bus.sink("file", "--name", "mp4", "--once", tmp_path / "out.mp4")
    first = bus.testsrc("--seconds", "60", "--wait-readers", "1")
    wait_until(lambda: bus.encoded("mp4") >= 60, "60 encoded frames")
    first.kill()
    assert sink.running(), "a producer that died has not ended the stream"
    bus.testsrc("--seconds", "4").ends_well()
    sink.ends_well()
    marks = read_marks(tmp_path / "out.mp4")
    numbers = [frame.index for frame in marks.frames]
    before, after = numbers[:-4 * FPS], numbers[-4 * FPS:]
    # A kill between the sound and the picture of one moment shows the last picture for that moment, too.
    if before[-1] == before[-2]:
        before.pop()
    assert len(before) >= 60 and before == list(range(len(before)))
    assert after == list(range(4 * FPS))
    assert marks.sound.jumps == []
    assert marks.worst_sync_ms <= MAX_SKEW_MS


def test_the_next_producer_gets_a_file_of_its_own(bus, tmp_path):
    sink = bus.sink("file", "--name", "mp4", tmp_path / "out.mp4")
    for part in ("out.mp4", "out-2.mp4"):
        bus.testsrc("--seconds", "2", "--mode", "lossless", "--wait-readers", "1").ends_well()
        sink.says(f"recorded {tmp_path / part}")
    sink.signal(signal.SIGTERM)
    sink.ends_well()
    for part in ("out.mp4", "out-2.mp4"):
        assert_whole(tmp_path / part, frames=50, fps=FPS)


def test_a_stopped_sink_costs_the_producer_and_the_other_sink_nothing(on_air, bus, tmp_path):
    source, mp4, hls = on_air
    hls.signal(signal.SIGSTOP)
    source.ends_well()
    mp4.ends_well()
    assert_whole(tmp_path / "out.mp4", frames=SECONDS * FPS, fps=FPS)
    hls.signal(signal.SIGCONT)
    hls.ends_well()


def test_nothing_stays_in_shared_memory_after_a_clean_end(bus, tmp_path, ringcast):
    sink = bus.sink("file", "--once", tmp_path / "out.mp4")
    bus.testsrc("--seconds", "1", "--wait-readers", "1").ends_well()
    sink.ends_well()
    assert bus.name not in ringcast("ls", "--json").stdout
    assert not [entry.name for entry in Path("/dev/shm").iterdir() if f".{bus.name}." in entry.name]


def test_clean_removes_what_a_killed_producer_left(bus, ringcast):
    source = bus.testsrc("--seconds", "60")
    wait_until(bus.info, "the bus")
    source.kill()
    assert bus.info(), "kill -9 leaves the names"
    done = ringcast("clean")
    assert done.returncode == 0, done.stderr
    assert bus.info() is None
