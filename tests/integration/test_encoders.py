# SPDX-License-Identifier: Apache-2.0
"""Encoder options, read back from the bitstream: what was asked for is what the file holds."""
import json
import subprocess

import pytest
from far_end import assert_whole, frame_count
from conftest import RINGCAST, wait_until

SCENARIO_A = ["video.encoder=libx264", "video.preset=ultrafast", "video.profile=baseline", "video.tune=zerolatency",
              "video.pix_fmt=yuv420p", "video.size=960x540", "video.gop=2frames", "video.bitrate=1000k",
              "audio.encoder=aac", "audio.channels=1", "audio.rate=44100"]


def probe(path, *words):
    done = subprocess.run(["ffprobe", "-v", "error", "-of", "json", *words, str(path)], capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return json.loads(done.stdout)


def streams(path):
    video, audio = probe(path, "-show_streams")["streams"]
    return video, audio


def frame_types(path):
    """One letter per picture, in the order of showing; upper case K where decoding can start."""
    frames = probe(path, "-select_streams", "v:0", "-show_frames", "-show_entries", "frame=pict_type,key_frame")
    return "".join("K" if frame["key_frame"] else frame["pict_type"] for frame in frames["frames"])


def video_bits_per_second(path, seconds):
    packets = probe(path, "-select_streams", "v:0", "-show_entries", "packet=size")["packets"]
    return sum(int(packet["size"]) for packet in packets) * 8 / seconds


def record(bus, path, *words, seconds="2", size="640x360", fps="25"):
    sink = bus.sink("file", "--once", path, *words)
    timing = ["--seconds", seconds, "--mode", "lossless", "--wait-readers", "1"]
    bus.testsrc(*timing, size=size, fps=fps).ends_well()
    sink.ends_well()
    return path


def test_the_settings_of_a_live_push_are_all_in_the_file(bus, tmp_path):
    path = record(bus, tmp_path / "a.mp4", *SCENARIO_A, seconds="4", size="1280x720")
    video, audio = streams(path)
    assert (video["codec_name"], video["profile"], video["pix_fmt"]) == ("h264", "Constrained Baseline", "yuv420p")
    assert (video["width"], video["height"], video["r_frame_rate"]) == (960, 540, "25/1")
    assert (video["color_space"], video["color_range"]) == ("bt709", "tv")
    assert (audio["codec_name"], audio["profile"], audio["channels"], audio["sample_rate"]) == ("aac", "LC", 1, "44100")
    assert frame_types(path) == "KP" * 50
    # A ceiling of 1000 kb/s, averaged over a buffer of one second that is full at the start.
    assert video_bits_per_second(path, 4) <= 1.02 * 1000e3 * (4 + 1) / 4
    assert_whole(path, frames=100, fps=25)


@pytest.mark.parametrize(("words", "fps", "distance"), [
    (["video.gop=2s"], "25", 50),
    (["video.gop=1s"], "30000/1001", 30),
    (["video.gop=7frames", "video.preset=medium"], "25", 7),
    (["video.gop=10frames", "video.codec=h265"], "25", 10),
])
def test_keyframes_stand_at_their_distance_and_nowhere_else(bus, tmp_path, words, fps, distance):
    types = frame_types(record(bus, tmp_path / "out.mp4", *words, seconds="3", fps=fps))
    assert [i for i, letter in enumerate(types) if letter == "K"] == list(range(0, len(types), distance))
    assert "B" not in types and "I" not in types


def test_h265_and_opus_arrive_whole_in_mp4_and_mkv(bus, tmp_path):
    paths = [tmp_path / "out.mp4", tmp_path / "out.mkv"]
    sinks = [bus.sink("file", "--name", path.suffix[1:], "--once", path, "video.codec=h265", "audio.codec=opus")
             for path in paths]
    bus.testsrc("--seconds", "3", "--mode", "lossless", "--wait-readers", "2").ends_well()
    for sink, path in zip(sinks, paths):
        sink.ends_well()
        video, audio = streams(path)
        assert (video["codec_name"], audio["codec_name"], audio["sample_rate"]) == ("hevc", "opus", "48000")
        assert frame_count(path) == 75
        assert 2.9 <= float(audio.get("duration", 3)) <= 3.1
    assert streams(paths[0])[0]["codec_tag_string"] == "hvc1"


@pytest.mark.parametrize(("size", "stored", "words"), [
    ("641x359", (642, 360), []),
    ("720x1280", (720, 1280), []),
    ("720x1280", (960, 540), ["video.size=960x540"]),
    ("641x359", (360, 640), ["video.size=360x640", "video.scale=fill"]),
    ("640x360", (480, 480), ["video.size=480x480", "video.scale=stretch"]),
])
def test_odd_and_portrait_pictures_are_whole(bus, tmp_path, size, stored, words):
    path = record(bus, tmp_path / "out.mkv", *words, size=size)
    video, _ = streams(path)
    assert (video["width"], video["height"]) == stored
    if words:  # bars or cuts displace the marks
        assert frame_count(path) == 50
    else:
        assert_whole(path, frames=50, fps=25)


@pytest.mark.parametrize(("pixels", "stored"), [
    ("yuv444p", "yuv444p"), ("nv12", "yuv420p"), ("yuv420p10le", "yuv420p10le"),
])
def test_pixel_formats_reach_the_file(bus, tmp_path, pixels, stored):
    path = record(bus, tmp_path / "out.mp4", f"video.pix_fmt={pixels}")
    assert streams(path)[0]["pix_fmt"] == stored
    assert_whole(path, frames=50, fps=25)


def test_a_constant_bitrate_is_held_and_options_pass_through(bus, tmp_path):
    path = record(bus, tmp_path / "out.mkv", "video.rate_control=cbr", "video.bitrate=1500k", "video.bufsize=750k",
                  "video.profile=main", "video.level=4.0", "video.options=bf=2:refs=2", seconds="4")
    video, _ = streams(path)
    assert (video["profile"], video["level"]) == ("Main", 40)
    assert "B" in frame_types(path)
    assert 1.4e6 <= video_bits_per_second(path, 4) <= 1.6e6
    assert_whole(path, frames=100, fps=25)


@pytest.mark.parametrize(("word", "status", "told"), [
    ("video.encoder=libx246", 2, "video.encoder=libx246: libavcodec here has no such encoder: did you mean libx264?"),
    ("video.encoder=mpeg4", 2, "video.encoder=mpeg4 makes mpeg4, which no sink carries as video: use "
                               "video.encoder=libx264"),
    ("video.options=reffs=3", 2, "video.options: video.encoder=libx264 has no option reffs: did you mean refs?"),
    ("video.tune=zerolatncy", 2, "(did you mean zerolatency?)"),
    ("video.level=9.9", 2, "video.level=9.9: h264 has 1, 1b, 1.1, "),
    ("video.profile=high10", 2, "video.profile=high10: libx264 has baseline, main, high for yuv420p"),
    ("video.fallback=libx246", 2, "video.fallback=libx246: libavcodec here has no such encoder: did you mean libx264?"),
    ("audio.encoder=aacc", 2, "audio.encoder=aacc: libavcodec here has no such encoder: did you mean aac?"),
    ("audio.rate=47000", 2, "audio.rate=47000: aac encodes "),
    ("video.codec=h266", 2, "video.codec=h266: expected h264 or h265, such as video.codec=h264"),
])
def test_what_cannot_encode_is_told_at_the_start_in_one_line(bus, tmp_path, word, status, told):
    sink = bus.sink("file", tmp_path / "out.mp4", word)  # no bus is there yet
    assert sink.wait() == status
    lines = sink.output().strip().split("\n")
    assert len(lines) == 1 and told in lines[0], lines
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(("word", "told"), [
    ("video.codec=h265", "cannot carry hevc: record to .mp4 or .mkv, or use video.codec=h264"),
    ("audio.codec=opus", "cannot carry opus: record to .mp4 or .mkv, or use audio.codec=aac"),
])
def test_a_container_that_cannot_carry_a_codec_says_which_can(bus, tmp_path, word, told):
    sink = bus.sink("file", "--once", tmp_path / "out.flv", word)
    source = bus.testsrc("--seconds", "20")
    assert sink.wait() == 1
    errors = [line for line in sink.output().split("\n") if " error " in line]
    assert len(errors) == 1 and told in errors[0], sink.output()
    source.kill()


def opens_here(encoder):
    """Asked of ffmpeg, not of the code under test."""
    device = ["-vaapi_device", "/dev/dri/renderD128"] if encoder.endswith("_vaapi") else []
    upload = ["-vf", "format=nv12,hwupload"] if device else []
    done = subprocess.run(["ffmpeg", "-v", "error", *device, "-f", "lavfi", "-i", "color=s=320x240:d=0.1", *upload,
                           "-c:v", encoder, "-f", "null", "-"], capture_output=True, check=False, timeout=60)
    return done.returncode == 0


@pytest.mark.parametrize(("encoder", "words"), [
    ("h264_nvenc", ["video.options=gpu=0"]), ("hevc_nvenc", []), ("h264_vaapi", []), ("hevc_vaapi", []),
    ("h264_qsv", []), ("hevc_qsv", []),
])
def test_a_hardware_encoder_that_is_there_records_every_picture_by_the_defaults(bus, tmp_path, encoder, words):
    if not opens_here(encoder):
        pytest.skip(f"this machine cannot open {encoder}")
    path = record(bus, tmp_path / "out.mp4", f"video.encoder={encoder}", "video.gop=1s", *words, seconds="4",
                  size="1280x720")
    video, _ = streams(path)
    assert video["codec_name"] == ("hevc" if encoder.startswith("hevc") else "h264")
    assert (video["width"], video["height"], video["color_space"]) == (1280, 720, "bt709")
    types = frame_types(path)
    assert [i for i, letter in enumerate(types) if letter == "K"] == [0, 25, 50, 75]
    assert "B" not in types and "I" not in types
    # 3 Mb/s for this size, over a buffer of one second.
    assert video_bits_per_second(path, 4) <= 1.1 * 3e6 * (4 + 1) / 4
    assert_whole(path, frames=100, fps=25)


def test_nvenc_without_a_gpu_is_told_with_the_fix_and_others_go_on(bus, tmp_path):
    if opens_here("h264_nvenc"):
        pytest.skip("this machine has NVENC")
    good = bus.sink("file", "--name", "good", "--once", tmp_path / "good.mp4")
    bad = bus.sink("file", "--name", "bad", tmp_path / "bad.mp4", "video.encoder=h264_nvenc")
    assert bad.wait() == 1
    lines = bad.output().strip().split("\n")
    assert len(lines) == 1 and "has no NVENC" in lines[0], lines
    assert lines[0].endswith("use video.encoder=libx264 or add video.fallback=libx264")
    bus.testsrc("--seconds", "2", "--mode", "lossless", "--wait-readers", "1").ends_well()
    good.ends_well()
    assert_whole(tmp_path / "good.mp4", frames=50, fps=25)


@pytest.mark.parametrize(("plugin", "words"), [("rtmp", ["rtmp://127.0.0.1:1/live", "key=env:KEY"]),
                                               ("srt", ["srt://127.0.0.1:1"])])
def test_a_live_sink_asks_a_hardware_encoder_for_nothing_that_only_libx264_has(bus, start, plugin, words):
    if opens_here("h264_nvenc"):
        pytest.skip("this machine has NVENC")
    words = [RINGCAST, "sink", plugin, "--bus", bus.name, *words, "video.encoder=h264_nvenc"]
    alone = start(*words, KEY="studio-key-1")
    assert alone.wait() == 1 and "has no NVENC" in alone.output(), alone.output()
    start(*words, "video.fallback=libx264", KEY="studio-key-1").says("waiting for bus")
    own = start(*words, "video.tune=zerolatency", KEY="studio-key-1")
    assert own.wait() == 2 and "h264_nvenc has hq, ll, ull, lossless" in own.output(), own.output()


def test_a_fallback_that_was_asked_for_encodes_and_is_shown(bus, tmp_path):
    if opens_here("h264_nvenc"):
        pytest.skip("this machine has NVENC")
    sink = bus.sink("file", "--once", tmp_path / "out.mp4", "video.encoder=h264_nvenc", "video.preset=p4",
                    "video.options=gpu=0", "video.fallback=libx264")
    source = bus.testsrc("--seconds", "4", "--wait-readers", "1")
    reader = wait_until(lambda: (r := bus.reader("file")) and r["state"] == "live" and r, "the sink to be live")
    assert reader["reason"].startswith("libx264 instead of h264_nvenc: this ")
    shown = subprocess.run([RINGCAST, "info", bus.name], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "libx264 instead of h264_nvenc" in shown
    source.ends_well()
    sink.ends_well()
    assert "libx264 instead of h264_nvenc" in sink.output()
    assert_whole(tmp_path / "out.mp4", frames=100, fps=25)
