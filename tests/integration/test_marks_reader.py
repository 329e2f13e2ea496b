# SPDX-License-Identifier: Apache-2.0
"""The reader of the sync marks is itself tested: against media with faults of known place and size."""
import subprocess

import pytest
from conftest import BUILD
from marks import MarksError, read_marks

DUMP = BUILD / "tests/ringcast-testsrc-dump"
WIDTH, HEIGHT, RATE, FRAMES = 640, 360, 44100, 150
ENCODE = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k"]


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words)], check=True, timeout=120)


class Raw:
    """What testsrc writes to a bus, in two files."""

    def __init__(self, folder, fps="25", rate=RATE):
        self.fps, self.rate = fps, rate
        self.pictures, self.sound = folder / "pictures", folder / "sound"
        subprocess.run([DUMP, "bgr24", str(WIDTH), str(HEIGHT), fps, str(rate), str(FRAMES), self.pictures, self.sound],
                       check=True, timeout=120)

    def video(self, pictures=None):
        return ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH}x{HEIGHT}", "-framerate", self.fps,
                "-i", pictures or self.pictures]

    def audio(self, sound=None):
        return ["-f", "s16le", "-ar", self.rate, "-ac", "1", "-i", sound or self.sound]


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    return Raw(tmp_path_factory.mktemp("raw"))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_reads_whole_media_without_a_fault(raw, tmp_path, suffix):
    out = tmp_path / f"whole.{suffix}"
    ffmpeg(*raw.video(), *raw.audio(), *ENCODE, out)
    marks = read_marks(out)
    assert marks.indices == list(range(FRAMES))
    assert (marks.unreadable, marks.missing, marks.duplicates, marks.out_of_order) == (0, [], [], [])
    assert [mark.index for mark in marks.sync] == [0, 25, 50, 75, 100, 125]
    assert marks.worst_sync_ms < 1.2  # a Matroska file rounds to milliseconds
    assert not marks.gaps and not marks.sound.jumps
    assert marks.video_seconds == pytest.approx(6.0, abs=0.002)
    assert marks.audio_seconds == pytest.approx(6.0, abs=0.05)


def test_leaves_out_a_mark_whose_beep_the_end_cuts(raw, tmp_path):
    out = tmp_path / "cut.mkv"
    ffmpeg(*raw.video(), *raw.audio(), "-t", 5.06, *ENCODE[:-4], "-c:a", "pcm_s16le", out)
    marks = read_marks(out)
    assert marks.indices[-1] >= 125 and len(marks.beeps) == 6, "its flash and most of its beep are there"
    assert [mark.index for mark in marks.sync] == [0, 25, 50, 75, 100]
    assert marks.worst_sync_ms < 1.2


def test_reads_ntsc_rates(tmp_path):
    raw = Raw(tmp_path, "30000/1001", 48000)
    ffmpeg(*raw.video(), *raw.audio(), *ENCODE, tmp_path / "ntsc.mp4")
    marks = read_marks(tmp_path / "ntsc.mp4")
    assert marks.indices == list(range(FRAMES))
    assert [mark.index for mark in marks.sync] == [0, 30, 60, 90, 120]
    assert marks.worst_sync_ms < 1


@pytest.mark.parametrize("seconds", [0.040, -0.040, 0.013])
def test_reports_sound_that_is_off_by_a_known_time(raw, tmp_path, seconds):
    out = tmp_path / "off.mkv"
    ffmpeg("-itsoffset", 1, *raw.video(), "-itsoffset", 1 + seconds, *raw.audio(),
           *ENCODE[:-4], "-c:a", "pcm_s16le", "-fps_mode", "passthrough", out)
    values = [mark.ms for mark in read_marks(out).sync]
    assert len(values) == 6
    assert all(abs(ms - 1000 * seconds) < 2 for ms in values), values


def test_honours_an_edit_list(raw, tmp_path):
    """In mp4 the 1024 samples of AAC priming are hidden by an edit list, and a late start is one too."""
    out = tmp_path / "late.mp4"
    ffmpeg(*raw.video(), "-itsoffset", 0.5, *raw.audio(), *ENCODE, out)
    marks = read_marks(out)
    assert all(abs(mark.beep_pts - mark.flash_pts - 0.5) < 0.002 or abs(mark.beep_pts - mark.flash_pts + 0.5) < 0.002
               for mark in marks.sync)
    assert [round(beep.pts, 2) for beep in marks.beeps][:3] == [0.5, 1.5, 2.5]


def test_finds_frames_that_are_missing_doubled_and_swapped(raw, tmp_path):
    size = WIDTH * HEIGHT * 3
    data = raw.pictures.read_bytes()
    frames = [data[i * size:(i + 1) * size] for i in range(FRAMES)]
    del frames[77]
    frames.insert(100, frames[99])
    frames[30], frames[31] = frames[31], frames[30]
    (tmp_path / "pictures").write_bytes(b"".join(frames))
    ffmpeg(*raw.video(tmp_path / "pictures"), *raw.audio(), *ENCODE, tmp_path / "faults.mp4")
    marks = read_marks(tmp_path / "faults.mp4")
    assert marks.missing == [77]
    assert marks.duplicates == [100]
    assert marks.out_of_order == [30]


def test_a_damaged_strip_is_unreadable_not_a_wrong_number(raw, tmp_path):
    size = WIDTH * HEIGHT * 3
    data = bytearray(raw.pictures.read_bytes())
    for line in range(20):  # cell 15 of frame 40, inverted
        at = 40 * size + (line * WIDTH + 300) * 3
        data[at:at + 60] = bytes(255 - value for value in data[at:at + 60])
    (tmp_path / "pictures").write_bytes(data)
    ffmpeg(*raw.video(tmp_path / "pictures"), *raw.audio(), *ENCODE, tmp_path / "damaged.mp4")
    marks = read_marks(tmp_path / "damaged.mp4")
    assert marks.unreadable == 1
    assert marks.missing == [40]


@pytest.mark.parametrize("milliseconds", [12, 30, 200])
def test_finds_a_hole_in_the_sound(raw, tmp_path, milliseconds):
    data = bytearray(raw.sound.read_bytes())
    begin, length = 2 * round(3.4567 * RATE), 2 * round(milliseconds / 1000 * RATE)
    data[begin:begin + length] = bytes(length)
    (tmp_path / "sound").write_bytes(data)
    ffmpeg(*raw.audio(tmp_path / "sound"), tmp_path / "hole.wav")
    gaps = read_marks(tmp_path / "hole.wav").gaps
    assert len(gaps) == 1
    assert gaps[0].pts == pytest.approx(3.4567, abs=0.003)
    assert gaps[0].seconds == pytest.approx(milliseconds / 1000, abs=0.004)


def test_finds_a_hole_that_went_through_an_encoder(raw, tmp_path):
    data = bytearray(raw.sound.read_bytes())
    begin, length = 2 * round(3.4 * RATE), 2 * round(0.030 * RATE)
    data[begin:begin + length] = bytes(length)
    (tmp_path / "sound").write_bytes(data)
    ffmpeg(*raw.video(), *raw.audio(tmp_path / "sound"), *ENCODE, tmp_path / "hole.mp4")
    gaps = read_marks(tmp_path / "hole.mp4").gaps
    assert len(gaps) == 1
    assert gaps[0].pts == pytest.approx(3.4, abs=0.010)


def test_finds_sound_that_jumps_in_pts(raw, tmp_path):
    """100 ms are cut out and the pts tell so: no silence, but a jump, and marks after it stay in sync."""
    first, second = tmp_path / "first.mkv", tmp_path / "second.mkv"
    out = tmp_path / "jump.mkv"
    ffmpeg(*raw.audio(), "-t", 2.5, "-c:a", "pcm_s16le", first)
    ffmpeg("-ss", 2.6, *raw.audio(), "-c:a", "pcm_s16le", second)
    (tmp_path / "list").write_text(f"file {first}\noutpoint 2.5\nduration 2.6\nfile {second}\n")
    ffmpeg(*raw.video(), "-f", "concat", "-safe", "0", "-i", tmp_path / "list", "-map", "0:v", "-map", "1:a",
           *ENCODE[:-4], "-c:a", "copy", out)
    marks = read_marks(out)
    assert len(marks.sound.jumps) == 1
    assert marks.sound.jumps[0][0] == pytest.approx(2.5, abs=0.005)
    assert marks.sound.jumps[0][1] == pytest.approx(0.1, abs=0.005)
    assert len(marks.sync) == 6 and marks.worst_sync_ms < 2


def test_what_is_no_media_is_one_clear_error(tmp_path):
    (tmp_path / "text.mp4").write_text("no media")
    with pytest.raises(MarksError, match="text.mp4"):
        read_marks(tmp_path / "text.mp4")
