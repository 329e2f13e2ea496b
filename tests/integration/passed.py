# SPDX-License-Identifier: Apache-2.0
"""What the tests of packets flows share: encoded sources with sync marks, and a producer's part."""
import contextlib
import functools
import json
import re
import subprocess

import pytest
import ringcast
from conftest import RINGCAST
from flv import Packet, read_flv

SIZE, FPS, RATE = (640, 360), 25, 44100


def ffmpeg_tool(tool, *words):
    return subprocess.run([tool, "-v", "error", *map(str, words)], capture_output=True, text=True, check=True,
                          timeout=120).stdout


def ffmpeg(*words):
    return ffmpeg_tool("ffmpeg", "-y", *words)


def make_source(bus_name, start, tmp_path, *words, seconds=4, name="source", container="flv"):
    """A file with sync marks, encoded with the given words, and its configurations and packets."""
    bus = f"{bus_name}-{name}"
    raw, path = tmp_path / f"{name}.mkv", tmp_path / f"{name}.{container}"
    sink = start(RINGCAST, "sink", "file", "--bus", bus, "--once", raw, "video.gop=1s", f"audio.rate={RATE}",
                 "audio.channels=1", *words)
    start(RINGCAST, "testsrc", "--bus", bus, "--size", "640x360", "--seconds", seconds, "--mode", "lossless",
          "--wait-readers", 1, "--rate", RATE).ends_well()
    sink.ends_well()
    ffmpeg("-i", raw, "-c", "copy", path)
    return (path, *(read_flv(path) if container == "flv" else read_mp4(path)))


@pytest.fixture
def source(bus_name, start, tmp_path):
    return functools.partial(make_source, bus_name, start, tmp_path)


def write(producer, packets, shift=0):
    for packet in packets:
        duration = 10**9 // FPS if packet.media == "video" else 1024 * 10**9 // RATE
        producer.write_packet(packet.data, packet.pts + shift, packet.dts + shift, duration, packet.key,
                              id=0 if packet.media == "video" else 1)


def declare(producer, configs, audio=True, codec="h264"):
    producer.set_packet_stream(codec, configs["video"], id=0, size=SIZE, fps=FPS)
    if audio:
        producer.set_packet_stream("aac", configs["audio"], id=1, rate=RATE, channels=1)


@contextlib.contextmanager
def passing(bus, configs, readers=1, audio=True, codec="h264", **words):
    """A producer of packets whose sinks are there."""
    with ringcast.Producer(bus.name, packets=True, **words) as producer:
        declare(producer, configs, audio, codec)
        assert producer.wait_readers(readers, 60)
        yield producer


def read_mp4(path):
    """As read_flv(), for codecs that FLV does not carry: mp4 has length prefixes, too."""
    shown = json.loads(ffmpeg_tool("ffprobe", "-of", "json", "-show_streams", "-show_data", "-show_packets",
                                   "-show_entries", "stream=codec_type,extradata:packet=codec_type,pts_time,dts_time,"
                                   "flags,pos,size", path))
    data = path.read_bytes()
    configs = {}
    for stream in shown["streams"]:
        rows = re.findall(r"^[0-9a-f]{8}: ((?:[0-9a-f]{2,4} )+)", stream["extradata"], re.M)
        configs[stream["codec_type"]] = bytes.fromhex("".join(rows))
    packets = []
    for packet in shown["packets"]:
        at, size = int(packet["pos"]), int(packet["size"])
        pts, dts = (round(float(packet[key]) * 10**9) for key in ("pts_time", "dts_time"))
        packets.append(Packet(packet["codec_type"], dts, pts, "K" in packet["flags"], data[at:at + size]))
    return configs, sorted(packets, key=lambda packet: packet.dts)
