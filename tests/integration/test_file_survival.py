# SPDX-License-Identifier: Apache-2.0
"""Recorders among others: what the end of one does to the rest, and what a killed one leaves and gets repaired."""
import signal

import pytest
from conftest import wait_until
from far_end import assert_prefix, assert_steady, assert_whole
from marks import read_marks

FPS = 25
EXTENSIONS = ("mp4", "mkv", "ts", "flv")
# Frames that the encoder (lookahead and threads of x264's veryfast) and the merge with the sound hold back.
ENCODER_DELAY = 16
TORN = b"\x00\x10\x00\x00moof and no more"


def eight_sinks(bus, folder, **more_words):
    """The path of each sink's file by its name; two of each container."""
    paths = {f"s{number}": folder / f"{number}.{EXTENSIONS[number % 4]}" for number in range(8)}
    sinks = {name: bus.sink("file", "--name", name, "--once", path, "video.preset=ultrafast", *more_words.get(name, ()))
             for name, path in paths.items()}
    return sinks, paths


def assert_others_whole(sinks, paths, victims, frames):
    for name, sink in sinks.items():
        if name not in victims:
            sink.ends_well()
            assert_whole(paths[name], frames=frames, fps=FPS)


def test_eight_recorders_of_which_some_are_killed_or_stopped_leave_the_others_whole(bus, tmp_path):
    # The one that is stopped does not ask the producer to wait: else it would, for 30 s (the soak form below).
    sinks, paths = eight_sinks(bus, tmp_path, s6=["reader=live"])
    source = bus.testsrc("--seconds", "24", "--mode", "lossless", "--wait-readers", "8", size="320x240")
    wait_until(lambda: bus.encoded("s0") >= 40 and bus.encoded("s3") >= 40, "40 frames")
    # One look for all three: the source does not wait for this test.
    for victim, number in (("s0", signal.SIGKILL), ("s6", signal.SIGSTOP), ("s3", signal.SIGKILL)):
        sinks[victim].signal(number)
    assert source.running(), "the victims went while all were at work"
    source.ends_well()
    assert_others_whole(sinks, paths, {"s0", "s3", "s6"}, frames=24 * FPS)
    sinks["s6"].signal(signal.SIGCONT)
    sinks["s6"].ends_well()
    for victim in ("s0", "s3"):
        sinks[victim].wait()
        assert_prefix(paths[victim], at_least=40 - FPS, fps=FPS)


@pytest.mark.soak
@pytest.mark.slow
def test_a_stopped_recorder_holds_a_lossless_producer_until_it_is_given_up(bus, tmp_path):
    sinks, paths = eight_sinks(bus, tmp_path)
    source = bus.testsrc("--seconds", "16", "--mode", "lossless", "--wait-readers", "8", size="320x240")
    wait_until(lambda: bus.encoded("s1") >= 40, "40 frames")
    sinks["s1"].signal(signal.SIGSTOP)
    source.ends_well()
    assert_others_whole(sinks, paths, {"s1"}, frames=16 * FPS)


def test_a_killed_mp4_holds_all_but_a_fragment_and_the_encoders_delay(bus, tmp_path):
    delays = {"default": ENCODER_DELAY, "prompt": 4}
    sinks = {"default": bus.sink("file", "--name", "default", tmp_path / "default.mp4"),
             "prompt": bus.sink("file", "--name", "prompt", tmp_path / "prompt.mp4", "video.tune=zerolatency")}
    bus.testsrc("--seconds", "60", "--wait-readers", "2", size="320x240")
    for name, sink in sinks.items():
        head = wait_until(lambda name=name: head_when_keeping_up(bus, name), "the sink to keep up")
        sink.kill()
        assert_prefix(tmp_path / f"{name}.mp4", at_least=head - FPS - delays[name], fps=FPS)


def head_when_keeping_up(bus, name):
    """The head of the video flow; None while the sink has frames to catch up on, or has hardly begun."""
    info = bus.info()
    reader = next((reader for reader in info["readers"] if reader["name"] == name), None) if info else None
    if not reader:
        return None
    head = next(flow["head_index"] for flow in info["flows"] if flow["flow"] == "video")
    return head if head > 90 and head - reader["flows"]["video"]["cursor_index"] <= 1 else None


def test_a_recorder_started_again_repairs_what_it_left_and_goes_on(bus, tmp_path):
    paths = {extension: (tmp_path / f"{extension}.{extension}", tmp_path / f"{extension}-2.{extension}")
             for extension in EXTENSIONS}
    sinks = {extension: bus.sink("file", "--name", extension, paths[extension][0]) for extension in EXTENSIONS}
    source = bus.testsrc("--seconds", "6", "--wait-readers", "4", size="320x240")
    wait_until(lambda: all(bus.encoded(extension) >= 60 for extension in EXTENSIONS), "60 encoded frames")
    for extension, sink in sinks.items():
        sink.kill()
        with open(paths[extension][0], "ab") as torn:
            torn.write(TORN)
    again = {extension: bus.sink("file", "--name", extension, "--once", paths[extension][0]) for extension in EXTENSIONS}
    source.ends_well()
    for sink in again.values():
        sink.ends_well()
    said = "".join(sink.output() for sink in again.values())
    for first, second in paths.values():
        assert f"repaired {first}" in said
        assert_prefix(first, at_least=60 - FPS - ENCODER_DELAY, fps=FPS)
        marks = read_marks(second)
        numbers = [frame.index for frame in marks.frames]
        assert numbers == [*range(numbers[0], 6 * FPS)], numbers
        assert marks.sound.jumps == [] and marks.gaps == []
    left = sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".log")
    assert left == sorted(path.name for pair in paths.values() for path in pair)


def test_a_stop_while_recording_leaves_a_finished_file(bus, tmp_path):
    sink = bus.sink("file", "--name", "mp4", tmp_path / "out.mp4")
    bus.testsrc("--seconds", "60", "--wait-readers", "1", size="320x240")
    wait_until(lambda: bus.encoded("mp4") >= 60, "60 encoded frames")
    encoded = bus.encoded("mp4")
    sink.signal(signal.SIGTERM)
    sink.ends_well()
    assert_prefix(tmp_path / "out.mp4", at_least=encoded, fps=FPS)
    assert b"moof" not in (tmp_path / "out.mp4").read_bytes(), "its index is first"
