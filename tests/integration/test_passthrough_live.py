# SPDX-License-Identifier: Apache-2.0
"""Packets flows on the clock, and encoded sound beside raw pictures: what decodes at the far end is in step."""
import subprocess
import time

import pytest
import ringcast
from conftest import wait_until
from far_end import MAX_SKEW_MS, assert_whole
from marks import read_marks
from passed import FPS, RATE, declare, ffmpeg, passing, source, write  # noqa: F401, the fixture

pytestmark = pytest.mark.in_time

SLACK = 0.5
SECOND = 10**9


def play(producer, packets, begun, shift=0):
    """Writes each packet when it is due: at its dts after `begun`, `shift` later."""
    for packet in packets:
        time.sleep(max(0, begun + (packet.dts + shift) / SECOND - time.monotonic()))
        write(producer, [packet], shift)


def between(packets, first, last):
    return [packet for packet in packets if first * SECOND <= packet.dts < last * SECOND]


def on_the_clock(bus, path, *words):
    return bus.sink("file", "--name", "live", "--once", "on_stall=fill", *words, path)


def test_a_stop_of_passed_tracks_shifts_both_by_one_amount(bus, tmp_path, source):
    _, configs, packets = source()
    sink = on_the_clock(bus, tmp_path / "out.mkv")
    with passing(bus, configs) as producer:
        begun = time.monotonic()
        play(producer, between(packets, 0, 2), begun)
        time.sleep(1.5)
        play(producer, between(packets, 2, 4), time.monotonic() - 2)
        ran = time.monotonic() - begun
    sink.ends_well()
    marks = read_marks(tmp_path / "out.mkv")
    assert [frame.index for frame in marks.frames] == [*range(4 * FPS)]
    assert marks.frames[-1].pts - marks.frames[0].pts == pytest.approx(ran, abs=SLACK), "as long as the clock"
    pauses = [late.pts - soon.pts for soon, late in zip(marks.frames, marks.frames[1:]) if late.pts - soon.pts > 0.5]
    assert len(pauses) == 1 and pauses[0] == pytest.approx(1.5, abs=SLACK), "the viewer keeps the picture"
    assert len(marks.sync) >= 3 and marks.worst_sync_ms <= MAX_SKEW_MS, marks.sync


def test_a_sink_that_comes_late_begins_with_the_newest_keyframe(bus, tmp_path, source):
    _, configs, packets = source()
    with ringcast.Producer(bus.name, packets=True) as producer:
        declare(producer, configs)
        begun = time.monotonic()
        play(producer, between(packets, 0, 2.4), begun)
        sink = on_the_clock(bus, tmp_path / "out.mkv")
        assert producer.wait_readers(1, 60)
        play(producer, between(packets, 2.4, 4), time.monotonic() - 2.4)
    sink.ends_well()
    marks = read_marks(tmp_path / "out.mkv")
    assert [frame.index for frame in marks.frames] == [*range(2 * FPS, 4 * FPS)]
    assert marks.frames[0].pts < 0.1 and marks.decoder_messages == []
    assert marks.sync and marks.worst_sync_ms <= MAX_SKEW_MS, marks.sync


def test_an_interruption_goes_on_at_a_keyframe_with_both_tracks_in_step(bus, tmp_path, source):
    _, configs, packets = source()
    sink = on_the_clock(bus, tmp_path / "out.mkv")
    with passing(bus, configs) as producer:
        write(producer, between(packets, 0, 3))  # three seconds ahead of time
        wait_until(lambda: bus.encoded("live") >= 20, "some of it")
        producer.flush()
        play(producer, between(packets, 3, 4), time.monotonic() - 3)
    sink.ends_well()
    marks = read_marks(tmp_path / "out.mkv")
    numbers = [frame.index for frame in marks.frames]
    assert numbers[-FPS:] == [*range(3 * FPS, 4 * FPS)], "from the next keyframe on"
    assert numbers[:-FPS] == [*range(len(numbers) - FPS)] and 20 <= len(numbers) - FPS < 3 * FPS, "and what was sent"
    assert marks.decoder_messages == [] and marks.worst_sync_ms <= MAX_SKEW_MS, marks.sync


def test_sound_of_another_coding_begins_another_file(bus, tmp_path, source):
    _, configs, packets = source(seconds=2)
    _, other, more = source("audio.channels=2", seconds=2, name="other")
    assert configs["audio"] != other["audio"]
    sink = bus.sink("file", "--once", tmp_path / "out.mkv")
    with passing(bus, configs, mode="lossless") as producer:
        write(producer, packets)
        producer.set_packet_stream("h264", other["video"], id=0, size=(640, 360), fps=FPS)
        producer.set_packet_stream("aac", other["audio"], id=1, rate=RATE, channels=2)
        write(producer, more, shift=2 * SECOND + SECOND // FPS)
    sink.ends_well()
    for name in ("out.mkv", "out-2.mkv"):
        assert_whole(tmp_path / name, frames=2 * FPS, fps=FPS)


def sounds_of(path):
    text = ffmpeg("-i", path, "-map", "0:a:0", "-c", "copy", "-f", "framemd5", "-")
    return [line.rsplit(",", 1)[1].strip() for line in text.split("\n") if line and not line.startswith("#")]


def test_encoded_sound_is_passed_on_beside_pictures_that_are_encoded_here(bus, tmp_path, source):
    flv, configs, packets = source()
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", flv, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt",
                          "bgr24", "-"], capture_output=True, check=True, timeout=60).stdout
    size = 640 * 360 * 3
    paths = [tmp_path / "out.mp4", tmp_path / "out.flv"]
    sinks = [bus.sink("file", "--name", path.suffix[1:], "--once", path) for path in paths]
    pictures = [packet for packet in packets if packet.media == "video"]
    with ringcast.Producer(bus.name, size=(640, 360), fps=FPS, packets=True, mode="lossless") as producer:
        producer.set_packet_stream("aac", configs["audio"], id=1, rate=RATE, channels=1)
        assert producer.wait_readers(2, 60)
        for packet in packets:
            if packet.pts < pictures[0].pts:  # only what the encoder put in front
                continue
            if packet.media == "audio":
                write(producer, [packet])
                continue
            number = pictures.index(packet)
            frame = memoryview(raw)[number * size:(number + 1) * size].cast("B", (360, 640, 3))
            producer.write_video(frame, pts=packet.pts)
    for path, sink in zip(paths, sinks):
        sink.ends_well()
        assert "aac packets, sent as they are" in sink.output()
        assert_whole(path, frames=4 * FPS, fps=FPS)
        assert set(sounds_of(path)) <= set(sounds_of(flv)), "sound was encoded again"
        assert len(sounds_of(path)) >= len(sounds_of(flv)) - 2
