# SPDX-License-Identifier: Apache-2.0
"""What a recording holds: every frame once and in order, all of the sound, both in step, in every container."""
import json
import subprocess
from fractions import Fraction

import pytest
from far_end import assert_steady
from marks import read_marks

EXTENSIONS = ("mp4", "mkv", "ts", "flv")
AAC_FRAME = 1024
SECONDS = 3


def assert_recording(path, frames, fps, rate):
    marks = read_marks(path)
    assert_steady(path, marks, frames, fps)
    assert len(marks.sync) == SECONDS, f"{path}: marks {marks.sync}"
    assert marks.sound.rate == rate
    # The encoder's lead-in comes before the first picture, where the container cannot hide it; the last AAC frame is
    # filled up with silence.
    end = marks.sound.end - marks.frames[0].pts
    assert abs(end - frames / fps) <= AAC_FRAME / rate + 0.0015, f"{path}: {end} s of sound for {frames / fps} s"


def record(bus, folder, rates, *source_words, size="320x240", fps="25"):
    """One file of each container at once, from a lossless source; `rates` by extension."""
    sinks = [bus.sink("file", "--name", extension, "--once", folder / f"out.{extension}", f"audio.rate={rate}",
                      "video.preset=ultrafast") for extension, rate in rates.items()]
    bus.testsrc("--seconds", SECONDS, "--mode", "lossless", "--wait-readers", len(sinks), *source_words, size=size,
                fps=fps).ends_well()
    for sink in sinks:
        sink.ends_well()


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize("fps", ["25", "30000/1001", "60"])
def test_every_container_holds_every_frame_and_all_sound_in_step(bus, tmp_path, fps, rate):
    # Both ways a rate can go: through the resampler to the default, and as it is.
    rates = {"mp4": 48000, "ts": 48000, "mkv": rate, "flv": max(rate, 44100)}
    record(bus, tmp_path, rates, "--rate", rate, fps=fps)
    frames = round(SECONDS * Fraction(fps))
    for extension, output_rate in rates.items():
        assert_recording(tmp_path / f"out.{extension}", frames, float(Fraction(fps)), output_rate)


@pytest.mark.parametrize("size", ["720x1280", "641x361"])
def test_portrait_and_odd_sizes_are_recorded_whole(bus, tmp_path, size):
    rates = dict.fromkeys(EXTENSIONS, 48000)
    record(bus, tmp_path, rates, size=size)
    for extension, rate in rates.items():
        assert_recording(tmp_path / f"out.{extension}", SECONDS * 25, 25, rate)


@pytest.mark.asan
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_recording_under_sanitizers_is_whole_in_every_container(bus, tmp_path, extension):
    sink = bus.sink("file", "--once", tmp_path / f"out.{extension}")
    bus.testsrc("--seconds", SECONDS, "--mode", "lossless", "--wait-readers", "1", size="320x240").ends_well(limit=240)
    sink.ends_well(limit=240)
    assert_recording(tmp_path / f"out.{extension}", SECONDS * 25, 25, 48000)


def test_a_finished_mp4_begins_with_its_index(bus, tmp_path):
    record(bus, tmp_path, {"mp4": 48000})
    head = (tmp_path / "out.mp4").read_bytes()
    assert b"moof" not in head
    assert 0 < head.index(b"moov") < head.index(b"mdat")
    assert [path.name for path in tmp_path.glob(".*")] == [], "no temporary file and no mark stays"


def packets(path):
    """The number of packets of each track and the end of the last one."""
    done = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets,duration",
                           "-of", "json", path], capture_output=True, text=True, check=True, timeout=120)
    return [(int(stream["nb_read_packets"]), float(stream["duration"])) for stream in json.loads(done.stdout)["streams"]]


def test_a_large_mp4_written_anew_keeps_its_last_packets(bus, tmp_path):
    # So large that libavformat has not seen its end when it begins to read it.
    words = ["video.preset=ultrafast", "video.crf=0", "video.gop=1frames"]
    sinks = [bus.sink("file", "--name", value, "--once", tmp_path / f"{value}.mp4", f"fast_start={value}", *words)
             for value in ("yes", "no")]
    bus.testsrc("--seconds", "4", "--mode", "lossless", "--wait-readers", "2", size="1280x720").ends_well()
    for sink in sinks:
        sink.ends_well()
    assert (tmp_path / "no.mp4").stat().st_size > 20_000_000
    (pictures, length), (sounds, sound_length) = packets(tmp_path / "yes.mp4")
    assert [pictures, sounds] == [count for count, _ in packets(tmp_path / "no.mp4")]
    assert (length, sound_length) == (4.0, 4.0)
