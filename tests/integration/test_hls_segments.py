# SPDX-License-Identifier: Apache-2.0
"""HLS segments: exact lengths, whole sound over the seams, every frame once at every rate, in MPEG-TS and in fMP4."""
import re

import pytest
from far_end import assert_whole
from hls_far_end import (AAC_FRAME, assert_segments_are_exact, decoded_seconds_of_sound, ffprobe, master_of,
                         playlist_of, whole_segment)

TYPES = ("ts", "fmp4")


def render(bus, tmp_path, *words, seconds, fps="25", rate="48000", size="320x180"):
    """One lossless rendering into an MPEG-TS and an fMP4 folder at once."""
    sinks = [bus.sink("hls", "--name", kind, "--once", tmp_path / kind, f"segment_type={kind}", *words)
             for kind in TYPES]
    source = bus.testsrc("--seconds", seconds, "--mode", "lossless", "--rate", rate, "--wait-readers", len(sinks),
                         fps=fps, size=size)
    source.ends_well()
    for sink in sinks:
        sink.ends_well()


@pytest.mark.parametrize("rate", ["16000", "44100", "48000"])
@pytest.mark.parametrize("fps", ["25", "30000/1001", "60"])
def test_every_rate_arrives_whole_in_both_containers(bus, tmp_path, fps, rate):
    render(bus, tmp_path, seconds=3, fps=fps, rate=rate)
    number, _, divisor = fps.partition("/")
    value = int(number) / int(divisor or 1)
    for kind in TYPES:
        assert_whole(tmp_path / kind / "index.m3u8", frames=round(3 * value), fps=value)


@pytest.mark.parametrize(("size", "padded"), [("720x1280", (720, 1280)), ("641x361", (642, 362))])
def test_portrait_and_odd_sizes_arrive_whole(bus, tmp_path, size, padded):
    render(bus, tmp_path, seconds=3, size=size)
    for kind in TYPES:
        folder = tmp_path / kind
        assert_whole(folder / "index.m3u8", frames=75, fps=25)
        assert master_of(folder).playlists[0].stream_info.resolution == padded
        first = whole_segment(folder, playlist_of(folder).segments[0], tmp_path / f"first.{kind}")
        stream = ffprobe(first, "-select_streams", "v", "-show_entries", "stream=width,height")["streams"][0]
        assert (stream["width"], stream["height"]) == padded


@pytest.mark.parametrize(("fps", "value"), [("25", 25), ("30000/1001", 30000 / 1001), ("60", 60)])
def test_each_segment_is_as_long_as_it_says_and_joins_the_next_without_a_hole(bus, tmp_path, fps, value):
    render(bus, tmp_path, seconds=8, fps=fps)
    for kind in TYPES:
        assert_segments_are_exact(tmp_path / kind, value, tmp_path)
        playlist = playlist_of(tmp_path / kind)
        assert playlist.is_endlist and playlist.playlist_type == "event" and playlist.start.time_offset == 0
        assert playlist.target_duration == 2 and playlist.version == (3 if kind == "ts" else 7)
        frames = [segment.duration * value for segment in playlist.segments]
        assert all(abs(count - round(count)) < 0.001 for count in frames), f"whole frames, not {frames}"
        assert round(sum(frames)) == round(8 * value)
        sound = decoded_seconds_of_sound(tmp_path / kind / "index.m3u8")
        assert -1e-6 <= sound - round(8 * value) / value <= AAC_FRAME + 1e-6, f"{kind}: {sound} s of sound"
        assert_dates_count_on(playlist)


def assert_dates_count_on(playlist):
    begin, before = playlist.segments[0].program_date_time, 0
    for segment in playlist.segments:
        passed = (segment.program_date_time - begin).total_seconds()
        assert abs(passed - before) <= 0.001, f"{segment.uri}: {passed} s, lengths say {before}"
        before += segment.duration


def test_master_playlist_says_what_is_in_the_segments(bus, tmp_path):
    render(bus, tmp_path, "video.profile=main", seconds=7, fps="30000/1001", size="640x360")
    for kind in TYPES:
        folder = tmp_path / kind
        master = master_of(folder)
        assert [playlist.uri for playlist in master.playlists] == ["index.m3u8"]
        said = master.playlists[0].stream_info
        assert said.resolution == (640, 360) and abs(said.frame_rate - 29.97) < 0.001
        segments = playlist_of(folder).segments
        sizes = [(folder / segment.uri).stat().st_size for segment in segments]
        total = sum(segment.duration for segment in segments)
        assert abs(said.average_bandwidth - 8 * sum(sizes) / total) <= 1
        whole = [8 * size / segment.duration for size, segment in zip(sizes, segments) if segment.duration >= 1]
        assert max(whole) <= said.bandwidth <= 1.3 * max(whole)
        stream = ffprobe(whole_segment(folder, segments[0], tmp_path / f"first.{kind}"), "-select_streams", "v",
                         "-show_entries", "stream=profile,level")["streams"][0]
        assert stream["profile"] == "Main"
        assert re.fullmatch(rf"avc1\.4d..{stream['level']:02x},mp4a\.40\.2", said.codecs), said.codecs


def test_names_follow_the_pattern_and_parent_folders_are_made(bus, tmp_path):
    folder = tmp_path / "deep/er/hls"
    sink = bus.sink("hls", "--once", folder, "segment_name=talk-%03d", "segment=1s", "video.gop=1s")
    bus.testsrc("--seconds", "3", "--mode", "lossless", "--wait-readers", "1", size="320x180").ends_well()
    sink.ends_well()
    assert sorted(path.name for path in folder.iterdir()) == ["index.m3u8", "master.m3u8", "talk-000.ts", "talk-001.ts",
                                                              "talk-002.ts"]


@pytest.mark.parametrize("word", ["segment_name=../../%d", "segment_name=talk", "window=1", "mode=vod",
                                  "segment_type=mp4", "segment=2", "dir="])
def test_wrong_words_are_one_line_and_exit_2(bus, tmp_path, word):
    words = [word] if word == "dir=" else [tmp_path / "hls", word]
    sink = bus.sink("hls", *words)
    assert sink.wait() == 2
    lines = sink.output().strip().splitlines()
    assert len(lines) == 1 and word.split("=")[0] in lines[0], sink.output()
    assert not (tmp_path / "hls").exists()
