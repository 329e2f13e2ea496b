# SPDX-License-Identifier: Apache-2.0
"""Packets flows: what the producer encoded comes out at the far end as it was, with its own sound or with PCM."""
import json
import subprocess

import numpy as np
import pytest
import ringcast
from conftest import wait_until
from far_end import assert_whole, frame_count
from passed import FPS, RATE, declare, ffmpeg, ffmpeg_tool, passing, source, write  # noqa: F401, the fixture


def pictures_of(path, codec="h264"):
    """Checksums of the coded pictures, in the order of the file, without their containers' framing."""
    text = ffmpeg("-i", path, "-map", "0:v:0", "-c", "copy", "-bsf:v", f"{codec}_mp4toannexb", "-f", "framemd5", "-")
    return [line.rsplit(",", 1)[1].strip() for line in text.split("\n") if line and not line.startswith("#")]


@pytest.mark.parametrize("coding", [[], ["video.options=bf=2", "video.profile=main"]], ids=["plain", "b-frames"])
def test_packets_come_out_as_they_went_in(bus, tmp_path, source, coding):
    flv, configs, packets = source(*coding)
    outputs = [tmp_path / "out.mp4", tmp_path / "out.mkv", tmp_path / "out.flv", tmp_path / "hls"]
    sinks = [bus.sink("hls" if path.suffix == "" else "file", "--name", path.name.replace(".", "-"), "--once", path)
             for path in outputs]
    with passing(bus, configs, len(sinks), mode="lossless") as producer:
        write(producer, packets)
    for sink in sinks:
        sink.ends_well()
        assert "h264 packets 640x360, sent as they are, aac alike" in sink.output()
    wanted = pictures_of(flv)
    assert len(wanted) == 4 * FPS
    for path in outputs:
        played = path / "index.m3u8" if path.suffix == "" else path
        if path.suffix:  # MPEG-TS adds delimiters and parameter sets
            assert pictures_of(played) == wanted, f"{path}: pictures were encoded again"
        assert_whole(played, frames=4 * FPS, fps=FPS)


def test_pcm_is_mixed_in_with_pictures_that_are_passed_on(bus, tmp_path, source):
    flv, configs, packets = source()
    wav = subprocess.run(["ffmpeg", "-v", "error", "-i", flv, "-f", "s16le", "-"], capture_output=True, check=True,
                         timeout=60).stdout
    samples = np.frombuffer(wav, np.int16)
    sink = bus.sink("file", "--once", tmp_path / "out.mp4", "audio.rate=48000", "audio.channels=2")
    with passing(bus, configs, audio=False, rate=RATE, channels=1, mode="lossless") as producer:
        done = 0
        for packet in packets:
            if packet.media == "video":
                write(producer, [packet])
            else:
                producer.write_audio(samples[done:done + 1024], pts=done * 10**9 // RATE)
                done += 1024
    sink.ends_well()
    assert pictures_of(tmp_path / "out.mp4") == pictures_of(flv)
    stream = streams_of(tmp_path / "out.mp4")[1]
    assert (stream["codec_name"], stream["sample_rate"], stream["channels"]) == ("aac", "48000", 2)
    assert_whole(tmp_path / "out.mp4", frames=4 * FPS, fps=FPS)


def streams_of(path):
    return json.loads(ffmpeg_tool("ffprobe", "-of", "json", "-show_streams", path))["streams"]


def test_h265_goes_where_it_is_carried_and_who_cannot_carry_it_says_who_can(bus, tmp_path, source):
    made, configs, packets = source("video.codec=h265", "video.preset=ultrafast", seconds=3, container="mp4")
    outputs = [tmp_path / "out.mp4", tmp_path / "hls"]
    sinks = [bus.sink("file", "--name", "mp4", "--once", outputs[0]),
             bus.sink("hls", "--name", "hls", "--once", "segment_type=fmp4", "segment=1s", outputs[1])]
    refused = bus.sink("file", "--name", "flv", "--once", tmp_path / "out.flv")
    with passing(bus, configs, 3, codec="h265", mode="lossless") as producer:
        write(producer, packets)
    for sink in sinks:
        sink.ends_well()
    assert refused.wait() == 1
    assert "cannot carry hevc: record to .mp4 or .mkv" in refused.output()
    for played in (outputs[0], outputs[1] / "index.m3u8"):
        assert streams_of(played)[0]["codec_name"] == "hevc"
        assert pictures_of(played, "hevc") == pictures_of(made, "hevc"), f"{played}: pictures were encoded again"
        assert_whole(played, frames=3 * FPS, fps=FPS)
    assert "hvc1" in (outputs[1] / "master.m3u8").read_text()


def test_pictures_without_sound_get_silence(bus, tmp_path, source):
    flv, configs, packets = source()
    sink = bus.sink("file", "--once", tmp_path / "out.mkv")
    with passing(bus, configs, audio=False, mode="lossless") as producer:
        write(producer, [packet for packet in packets if packet.media == "video"])
    sink.ends_well()
    assert pictures_of(tmp_path / "out.mkv") == pictures_of(flv)
    streams = streams_of(tmp_path / "out.mkv")
    assert [stream["codec_type"] for stream in streams] == ["video", "audio"]


def test_what_stands_before_the_first_keyframe_is_left_out(bus, tmp_path, source):
    flv, configs, packets = source()
    sink = bus.sink("file", "--once", tmp_path / "out.mkv")
    with passing(bus, configs, mode="lossless") as producer:
        write(producer, packets[5:])  # the first keyframe is gone, the next is a second later
    sink.ends_well()
    assert pictures_of(tmp_path / "out.mkv") == pictures_of(flv)[FPS:]
    assert frame_count(tmp_path / "out.mkv") == 3 * FPS


def test_another_coding_begins_another_file(bus, tmp_path, source):
    first, configs, packets = source(seconds=2)
    second, other, more = source("video.profile=baseline", seconds=2, name="other")
    assert configs["video"] != other["video"]
    sink = bus.sink("file", "--once", tmp_path / "out.mkv")
    with passing(bus, configs, mode="lossless") as producer:
        write(producer, packets)
        declare(producer, other)
        write(producer, more, shift=2 * 10**9 + 40 * 10**6)
    sink.ends_well()
    assert "coded in another way" in sink.output()
    assert pictures_of(tmp_path / "out.mkv") == pictures_of(first)
    assert pictures_of(tmp_path / "out-2.mkv") == pictures_of(second)


def test_a_producer_that_dies_is_followed_by_the_next_in_the_same_file(bus, tmp_path, source, start):
    flv, configs, packets = source(seconds=2)
    sink = bus.sink("file", "--once", tmp_path / "out.mkv")
    dying = ringcast.Producer(bus.name, packets=True)
    declare(dying, configs)
    assert dying.wait_readers(1, 60)
    write(dying, packets)
    wait_until(lambda: bus.encoded("file") == 2 * FPS, "all packets")
    dying.close()
    with passing(bus, configs) as producer:
        write(producer, packets)
    sink.ends_well()
    assert pictures_of(tmp_path / "out.mkv") == 2 * pictures_of(flv)
    assert frame_count(tmp_path / "out.mkv") == 4 * FPS


@pytest.mark.parametrize(("data", "config", "told"), [
    (b"\0\0\0\1\x65" + bytes(40), None, "start codes (Annex B)"),
    (None, b"\0\0\0\1\x67\x42\0\x1e", "no avcC record"),
])
def test_packets_that_cannot_be_sent_on_are_told_in_one_line(bus, tmp_path, source, data, config, told):
    _, configs, packets = source(seconds=1)
    sink = bus.sink("file", tmp_path / "out.mkv")
    with ringcast.Producer(bus.name, packets=True) as producer:
        declare(producer, {"video": config or configs["video"]}, audio=False)
        producer.write_packet(data or packets[0].data, 0, 0, 40_000_000, True)
        assert sink.wait() == 1
    errors = [line for line in sink.output().split("\n") if " error " in line]
    assert len(errors) == 1 and told in errors[0], sink.output()


def test_sound_that_stops_does_not_hold_the_pictures_back(bus, tmp_path, source):
    _, configs, packets = source()
    sink = bus.sink("file", "--name", "rest", "--once", tmp_path / "rest.mkv")
    with passing(bus, configs, mode="paced") as producer:
        write(producer, [each for each in packets if each.media == "video" or each.dts < 500_000_000])
        write(producer, [each for each in packets if each.media == "video"], shift=4 * 10**9)
        wait_until(lambda: bus.reader("rest")["output_pts_ns"] > 5 * 10**9, "most of it, while the producer is there")
    sink.ends_well()
    assert frame_count(tmp_path / "rest.mkv") == 8 * FPS
