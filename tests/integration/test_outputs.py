# SPDX-License-Identifier: Apache-2.0
"""testsrc into file and HLS sinks: every frame once and in order at the far end, sound whole and in step."""
import pytest
from far_end import assert_whole, frame_count


@pytest.mark.parametrize("mode", ["live", "lossless"])
def test_three_sinks_at_once_deliver_every_frame_once_and_in_order(bus, tmp_path, mode):
    outputs = {"mp4": tmp_path / "out.mp4", "mkv": tmp_path / "out.mkv", "hls": tmp_path / "hls"}
    sinks = [bus.sink("file", "--name", "mp4", "--once", outputs["mp4"]),
             bus.sink("file", "--name", "mkv", "--once", outputs["mkv"]),
             bus.sink("hls", "--name", "hls", "--once", outputs["hls"])]
    source = bus.testsrc("--seconds", "10", "--mode", mode, "--wait-readers", "3")
    source.ends_well()
    for sink in sinks:
        sink.ends_well()
    for path in (outputs["mp4"], outputs["mkv"], outputs["hls"] / "index.m3u8"):
        assert_whole(path, frames=250, fps=25)


@pytest.mark.parametrize(("fps", "rate", "channels", "pixels"), [
    ("30000/1001", "44100", "1", "bgr24"),
    ("25", "16000", "1", "rgb24"),
    ("30", "48000", "2", "i420"),
    ("24000/1001", "44100", "2", "nv12"),
])
def test_rates_and_formats_arrive_whole(bus, tmp_path, fps, rate, channels, pixels):
    sinks = [bus.sink("file", "--once", tmp_path / "out.mp4"), bus.sink("hls", "--once", tmp_path / "hls")]
    source = bus.testsrc("--seconds", "5", "--mode", "lossless", "--rate", rate, "--channels", channels, "--format",
                         pixels, "--wait-readers", "2", fps=fps)
    source.ends_well()
    for sink in sinks:
        sink.ends_well()
    number, _, divisor = fps.partition("/")
    value = int(number) / int(divisor or 1)
    for path in (tmp_path / "out.mp4", tmp_path / "hls/index.m3u8"):
        assert_whole(path, frames=round(5 * value), fps=value)


@pytest.mark.asan
@pytest.mark.parametrize(("plugin", "output", "played"), [
    ("file", "out.mp4", "out.mp4"),
    ("hls", "hls", "hls/index.m3u8"),
])
def test_one_sink_under_sanitizers_delivers_every_frame(bus, tmp_path, plugin, output, played):
    sink = bus.sink(plugin, "--once", tmp_path / output)
    source = bus.testsrc("--seconds", "4", "--mode", "lossless", "--wait-readers", "1")
    source.ends_well(limit=240)
    sink.ends_well(limit=240)
    assert_whole(tmp_path / played, frames=100, fps=25)


def test_hls_playlist_names_every_segment_with_its_exact_length(bus, tmp_path):
    sink = bus.sink("hls", "--once", tmp_path / "hls", "segment=2s")
    bus.testsrc("--seconds", "5", "--mode", "lossless", "--wait-readers", "1").ends_well()
    sink.ends_well()
    lines = (tmp_path / "hls/index.m3u8").read_text().split("\n")
    assert lines[0] == "#EXTM3U"
    assert "#EXT-X-ENDLIST" in lines
    segments = [line for line in lines if line and not line.startswith("#")]
    assert segments == sorted(path.name for path in (tmp_path / "hls").glob("segment-*.ts"))
    lengths = [float(line.split(":")[1].rstrip(",")) for line in lines if line.startswith("#EXTINF")]
    assert lengths[:2] == [2.0, 2.0]
    for name, length in zip(segments, lengths):
        frames = frame_count(tmp_path / "hls" / name)
        assert abs(frames / 25 - length) < 0.001, f"{name} has {frames} frames and says {length} s"
