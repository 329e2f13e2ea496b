# SPDX-License-Identifier: Apache-2.0
"""A recording cut into files: each plays by itself, and joined they are the recording that was not cut."""
import re
import subprocess

import pytest
from far_end import assert_whole, frame_count
from marks import read_marks

EXTENSIONS = ("mp4", "mkv", "ts", "flv")


def joined(parts, path):
    """What ffmpeg makes of the parts, one after the other, without any word on their lengths."""
    listing = path.with_suffix(".txt")
    listing.write_text("".join(f"file '{part}'\n" for part in parts))
    done = subprocess.run(["ffmpeg", "-v", "warning", "-y", "-f", "concat", "-safe", "0", "-i", listing, "-c", "copy", path],
                          capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return path


@pytest.mark.parametrize(("fps", "words"), [("25", []), ("30000/1001", ["video.options=bf=2"])], ids=["25", "29.97-b-frames"])
def test_parts_hold_every_frame_once_and_join_without_a_seam(bus, tmp_path, fps, words):
    sinks = [bus.sink("file", "--name", extension, "--once", f"{tmp_path}/out.{extension}", "split=2s",
                      "video.preset=ultrafast", *words) for extension in EXTENSIONS]
    source = bus.testsrc("--seconds", "7", "--mode", "lossless", "--wait-readers", "4", size="320x240", fps=fps)
    source.ends_well()
    for sink in sinks:
        sink.ends_well()
    number, _, divisor = fps.partition("/")
    rate = int(number) / int(divisor or 1)
    for extension in EXTENSIONS:
        parts = sorted(tmp_path.glob(f"out-*.{extension}"))
        assert [part.stem for part in parts] == ["out-001", "out-002", "out-003", "out-004"]
        frames = [frame.index for part in parts for frame in read_marks(part).frames]
        assert frames == [*range(round(7 * rate))], extension
        # FLV tells its length from 0 on, and with B-frames it begins later: only there a joiner leaves that much between.
        if extension == "flv" and words:
            continue
        assert_whole(joined(parts, tmp_path / f"joined-{extension}.mkv"), frames=round(7 * rate), fps=rate)
    end_to_end = tmp_path / "end-to-end.ts"
    end_to_end.write_bytes(b"".join(part.read_bytes() for part in sorted(tmp_path.glob("out-*.ts"))))
    assert_whole(end_to_end, frames=round(7 * rate), fps=rate)


def test_files_are_cut_before_they_grow_beyond_a_size(bus, tmp_path):
    sink = bus.sink("file", "--once", f"{tmp_path}/out.mp4", "split=400kB", "video.gop=10frames")
    bus.testsrc("--seconds", "8", "--mode", "lossless", "--wait-readers", "1").ends_well()
    sink.ends_well()
    parts = sorted(tmp_path.glob("out-*.mp4"))
    assert len(parts) >= 2
    assert max(part.stat().st_size for part in parts) <= 400_000
    assert sum(frame_count(part) for part in parts) == 200


def test_names_take_the_time_at_which_each_file_begins(bus, tmp_path):
    sink = bus.sink("file", "--once", f"{tmp_path}/%Y/rec-%Y%m%d-%H%M%S.mp4", "split=1s", "video.gop=1s")
    bus.testsrc("--seconds", "3", "--mode", "lossless", "--wait-readers", "1", size="320x240").ends_well()
    sink.ends_well()
    # Faster than time: files that begin in the same second get a number besides.
    files = {read_marks(path).frames[0].index: path for path in tmp_path.glob("2*/*.mp4")}
    assert sorted(files) == [0, 25, 50]
    for path in files.values():
        assert re.fullmatch(r"rec-2\d{7}-\d{6}(-\d)?", path.stem) and path.stem[4:8] == path.parent.name, path
        assert len(read_marks(path).frames) == 25
