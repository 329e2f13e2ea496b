# SPDX-License-Identifier: Apache-2.0
"""Looks at an HLS folder the way its viewers do: the playlist through a parser from PyPI, segments through ffprobe."""
import json
import subprocess
from pathlib import Path

import m3u8

AAC_FRAME = 1024 / 48000


def ffprobe(path, *words):
    done = subprocess.run(["ffprobe", "-v", "error", *words, "-of", "json", str(path)], capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == 0 and not done.stderr, f"{path} does not play: {done.stderr}"
    return json.loads(done.stdout)


def parsed_strictly(text):
    """A line that the parser does not know is an error, but for our own comment. What it does not look at is checked
    here: no segment is longer than TARGETDURATION allows (RFC 8216, 4.3.3.1)."""
    assert text.startswith("#EXTM3U\n") and text.endswith("\n"), text[-200:]
    known = [line for line in text.splitlines() if not line.startswith("#ringcast-stream:")]
    playlist = m3u8.M3U8("\n".join(known), strict=True)
    for segment in playlist.segments:
        assert int(segment.duration + 0.5) <= playlist.target_duration, f"{segment.uri} lasts {segment.duration}"
    return playlist


def playlist_of(folder):
    return parsed_strictly((Path(folder) / "index.m3u8").read_text())


def master_of(folder):
    return parsed_strictly((Path(folder) / "master.m3u8").read_text())


def whole_segment(folder, segment, copy):
    """A file that plays alone: fMP4 needs its initialisation in front."""
    init = (Path(folder) / segment.init_section.uri).read_bytes() if segment.init_section else b""
    copy.write_bytes(init + (Path(folder) / segment.uri).read_bytes())
    return copy


def first_nal_types(path):
    """NAL unit types of the first picture."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v:0", "-frames:v", "1", "-c", "copy",
                           "-f", "h264", "-"], capture_output=True, check=True, timeout=60)
    return [unit[0] & 31 for unit in done.stdout.split(b"\0\0\1")[1:]]


def assert_segments_are_exact(folder, fps, scratch):
    """EXTINF is what ffprobe finds, to a frame; every segment begins with an IDR; no sound is missing at a seam."""
    playlist = playlist_of(folder)
    sound_end = None
    for number, segment in enumerate(playlist.segments):
        copy = whole_segment(folder, segment, scratch / f"copy{number}{Path(segment.uri).suffix}")
        found = ffprobe(copy, "-show_entries", "packet=codec_type,pts_time:format=duration")
        tracks = {kind: [packet for packet in found["packets"] if packet["codec_type"] == kind]
                  for kind in ("video", "audio")}
        begin, end = (float(tracks["video"][0]["pts_time"]),
                      max(float(packet["pts_time"]) for packet in tracks["video"]) + 1 / fps)
        assert abs(end - begin - segment.duration) < 1e-3, f"{segment.uri} says {segment.duration}, has {end - begin}"
        whole = float(found["format"]["duration"])
        # Of a fragment ffprobe tells where its sound ends, not how long it is.
        if segment.init_section:
            whole -= max(0, float(tracks["audio"][0]["pts_time"]))
        assert abs(whole - segment.duration) <= 1 / fps + 1e-3, f"{segment.uri}: {segment.duration}, ffprobe {whole}"
        types = first_nal_types(copy)
        assert 5 in types and 1 not in types, f"{segment.uri} begins with NAL units {types}"
        for packet in tracks["audio"]:
            start = float(packet["pts_time"])
            assert sound_end is None or abs(start - sound_end) < 1e-4, f"{segment.uri}: sound {start}, not {sound_end}"
            sound_end = start + AAC_FRAME


def decoded_seconds_of_sound(source):
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", str(source), "-map", "0:a:0", "-f", "s16le", "-ac", "1",
                           "-ar", "48000", "-"], capture_output=True, check=True, timeout=120)
    assert not done.stderr, done.stderr
    return len(done.stdout) / 2 / 48000
