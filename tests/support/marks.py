# SPDX-License-Identifier: Apache-2.0
"""Reads back the sync marks of `ringcast testsrc` (DESIGN section 9) from whatever came out at the far end.

As a module: read_marks("out.mp4") returns Marks. As a program: python tests/support/marks.py FILE [--json].
Any file or URL that ffmpeg opens will do. All times are seconds on the container's own timeline, start times and edit
lists honoured. Needs 3 fps or more, and a picture that begins with the strip.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from marks_sound import Beep, Gap, MarksError, Sound, find_beeps, find_gaps, read_sound

CELLS = 32
WHOLE_BEEP_S = 0.1  # a beep is 80 ms; one that the end of the recording cuts is found some milliseconds off
# showinfo tells the true pts; what the raw file's muxer sees only has to rise.
STRIP_FILTER = "format=gray,crop=iw:trunc(ih/18):0:0,showinfo=checksum=0,settb=1/1000,setpts=1000*N"


@dataclass
class Frame:
    pts: float
    index: int | None      # None: the check bits do not match
    flash: bool


@dataclass
class Sync:
    """One second's mark: positive `ms` means that sound comes after its picture."""
    index: int
    flash_pts: float
    beep_pts: float
    ms: float


@dataclass
class Marks:
    frames: list[Frame]
    sound: Sound
    beeps: list[Beep]
    sync: list[Sync]
    gaps: list[Gap]                  # silent holes inside of the sound
    leading_silence: float
    trailing_silence: float
    decoder_messages: list[str]      # errors and warnings, as ffmpeg wrote them

    @property
    def indices(self) -> list[int]:
        """Frame numbers in the order they came, counted on past 65535; unreadable frames left out."""
        unwrapped, last = [], None
        for frame in self.frames:
            if frame.index is None:
                continue
            if last is None:
                last = frame.index
            else:
                last += (frame.index - last + 32768) % 65536 - 32768
            unwrapped.append(last)
        return unwrapped

    @property
    def unreadable(self) -> int:
        return sum(frame.index is None for frame in self.frames)

    @property
    def missing(self) -> list[int]:
        """Numbers between the smallest and the largest that never came."""
        seen = set(self.indices)
        return [number for number in range(min(seen), max(seen) + 1) if number not in seen] if seen else []

    @property
    def duplicates(self) -> list[int]:
        seen, again = set(), []
        for number in self.indices:
            if number in seen:
                again.append(number)
            seen.add(number)
        return again

    @property
    def out_of_order(self) -> list[int]:
        """Numbers that came after a larger one."""
        late, largest = [], -1
        for number in self.indices:
            if number < largest:
                late.append(number)
            largest = max(largest, number)
        return late

    @property
    def flashes(self) -> list[tuple[float, int]]:
        """(pts, frame number) of each frame that begins a flash, where the frame before it was seen too."""
        begun, before = [], None
        for frame in self.frames:
            first = before is None and frame.index == 0
            follows = before is not None and None not in (before.index, frame.index) and not before.flash \
                and (before.index + 1) % 65536 == frame.index
            if frame.flash and (first or follows):
                begun.append((frame.pts, frame.index))
            before = frame
        return begun

    @property
    def worst_sync_ms(self) -> float:
        return max((abs(mark.ms) for mark in self.sync), default=float("nan"))

    @property
    def video_seconds(self) -> float:
        """From the first frame to the end of the last, which lasts as long as the one before it."""
        if len(self.frames) < 2:
            return 0.0
        return 2 * self.frames[-1].pts - self.frames[-2].pts - self.frames[0].pts

    @property
    def audio_seconds(self) -> float:
        return self.sound.end - self.sound.runs[0][1] if self.sound.runs else 0.0

    def to_json(self) -> dict:
        return {
            "frames": [[round(frame.pts, 6), frame.index] for frame in self.frames],
            "frame_count": len(self.frames),
            "unreadable": self.unreadable, "missing": self.missing,
            "duplicates": self.duplicates, "out_of_order": self.out_of_order,
            "flashes": [[round(pts, 6), index] for pts, index in self.flashes],
            "beeps": [[round(beep.pts, 6), round(beep.level, 3)] for beep in self.beeps],
            "sync_ms": [[mark.index, round(mark.ms, 3)] for mark in self.sync],
            "worst_sync_ms": round(self.worst_sync_ms, 3) if self.sync else None,
            "gaps": [[round(gap.pts, 6), round(gap.seconds, 6)] for gap in self.gaps],
            "audio_jumps": [[round(pts, 6), round(by, 6)] for pts, by in self.sound.jumps],
            "leading_silence": round(self.leading_silence, 6), "trailing_silence": round(self.trailing_silence, 6),
            "video_start": round(self.frames[0].pts, 6) if self.frames else None,
            "video_seconds": round(self.video_seconds, 6),
            "audio_start": round(self.sound.runs[0][1], 6) if self.sound.runs else None,
            "audio_seconds": round(self.audio_seconds, 6),
            "audio_samples": len(self.sound.samples), "audio_rate": self.sound.rate,
            "decoder_messages": self.decoder_messages,
        }


# ---- Decoding ----

def tracks_of(source: str) -> set[str]:
    done = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", source],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise MarksError(f"ffprobe cannot read {source}: {last_line(done.stderr)}")
    return set(done.stdout.replace(",", " ").split())


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def decode(source: str, tracks: set[str], folder: Path, seconds: float | None) -> str:
    """Writes the strips as grey pixels and the sound as mono floats to the folder; returns ffmpeg's log."""
    words = ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "level+info", "-copyts",
             *(["-t", str(seconds)] if seconds else []), "-i", source]
    if "video" in tracks:
        words += ["-map", "0:v:0", "-vf", STRIP_FILTER,
                  "-fps_mode", "passthrough", "-f", "rawvideo", str(folder / "strips")]
    if "audio" in tracks:
        words += ["-map", "0:a:0", "-af", "aformat=sample_fmts=flt,ashowinfo", "-f", "f32le", str(folder / "sound")]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise MarksError(f"ffmpeg cannot decode {source}: {last_line(done.stderr)}")
    return done.stderr


def read_frames(log: str, strips: bytes) -> list[Frame]:
    timebase = re.search(r"showinfo.*config in time_base: (\d+)/(\d+)", log)
    shown = re.findall(r"Parsed_showinfo\S* @ \S+\] .*?n:\s*\d+ pts:\s*(-?\d+|NOPTS) .*? s:(\d+)x(\d+) ", log)
    if not timebase or not shown:
        return []
    tick = Fraction(int(timebase[1]), int(timebase[2]))
    width, lines = int(shown[0][1]), int(shown[0][2])
    pictures = np.frombuffer(strips, np.uint8)
    count = len(pictures) // (width * lines)
    if count != len(shown):
        raise MarksError(f"ffmpeg named {len(shown)} frames and wrote {count}")
    pictures = pictures.reshape(count, lines, width)
    return [read_strip(picture, float(int(pts) * tick) if pts != "NOPTS" else float("nan"))
            for picture, (pts, _, _) in zip(pictures, shown)]


def read_strip(picture: np.ndarray, pts: float) -> Frame:
    """Looks at the inner part of each cell: an encoder smears the edges."""
    lines, width = picture.shape
    rows = picture[lines // 5:max(lines - lines // 5, lines // 5 + 1)].astype(np.float32).mean(axis=0)
    cells = []
    for cell in range(CELLS):
        begin, end = cell * width // CELLS, (cell + 1) * width // CELLS
        margin = (end - begin) // 4
        cells.append(rows[begin + margin:end - margin].mean() > 128)
    bits = [int(white) for white in cells]
    index = int("".join(map(str, bits[:16])), 2)
    check = int("".join(map(str, bits[16:24])), 2)
    return Frame(pts, index if check == (index * 37 + 11) % 256 else None, sum(bits[26:]) >= 4)


# ---- Reading ----

def pair(flashes: list[tuple[float, int]], beeps: list[Beep], end: float) -> list[Sync]:
    """Each flash with its beep, where that is whole before the sound's `end`."""
    marks = []
    for pts, index in flashes:
        nearest = min(beeps, key=lambda beep: abs(beep.pts - pts), default=None)
        if nearest and abs(nearest.pts - pts) < 0.5 and nearest.pts <= end - WHOLE_BEEP_S:
            marks.append(Sync(index, pts, nearest.pts, 1000 * (nearest.pts - pts)))
    return marks


def read_marks(source: str | Path, seconds: float | None = None) -> Marks:
    """Decodes all of it, or the first `seconds`. Raises MarksError."""
    source = str(source)
    tracks = tracks_of(source)
    with tempfile.TemporaryDirectory(prefix="marks-") as name:
        folder = Path(name)
        log = decode(source, tracks, folder, seconds)
        frames = read_frames(log, (folder / "strips").read_bytes()) if "video" in tracks else []
        sound = read_sound(log, (folder / "sound").read_bytes()) if "audio" in tracks else Sound()
    beeps = find_beeps(sound) if sound.runs else []
    gaps, leading, trailing = find_gaps(sound) if sound.runs else ([], 0.0, 0.0)
    messages = [line for line in log.splitlines() if re.search(r"\[(error|warning|fatal)\]", line)]
    marks = Marks(frames, sound, beeps, [], gaps, leading, trailing, messages)
    marks.sync = pair(marks.flashes, beeps, sound.end) if beeps else []
    return marks


# ---- For people ----

def summary(marks: Marks) -> str:
    def listed(items):
        return f"{len(items)}" + (f" ({', '.join(map(str, items[:8]))}{', ...' if len(items) > 8 else ''})" if items else "")

    indices = marks.indices
    lines = [
        f"video: {len(marks.frames)} frames, {marks.video_seconds:.3f} s, numbers "
        + (f"{indices[0]} to {indices[-1]}" if indices else "none"),
        f"  unreadable {marks.unreadable}, missing {listed(marks.missing)}, duplicate {listed(marks.duplicates)}, "
        f"out of order {listed(marks.out_of_order)}",
        f"audio: {len(marks.sound.samples)} samples at {marks.sound.rate} Hz, {marks.audio_seconds:.3f} s, "
        f"{len(marks.beeps)} beeps",
        f"  gaps {listed([f'{gap.pts:.3f} s: {1000 * gap.seconds:.0f} ms' for gap in marks.gaps])}, pts jumps "
        f"{listed([f'{pts:.3f} s: {1000 * by:+.1f} ms' for pts, by in marks.sound.jumps])}, silence before "
        f"{1000 * marks.leading_silence:.0f} ms, after {1000 * marks.trailing_silence:.0f} ms",
    ]
    if marks.sync:
        values = [mark.ms for mark in marks.sync]
        lines.append(f"sync: {len(values)} marks, A-V {min(values):+.2f} to {max(values):+.2f} ms, "
                     f"mean {sum(values) / len(values):+.2f} ms")
    else:
        lines.append("sync: no marks")
    lines += [f"decoder: {message}" for message in marks.decoder_messages[:5]]
    return "\n".join(lines)


def main() -> int:
    words = argparse.ArgumentParser(description="Reads the sync marks of ringcast testsrc from a file or URL.")
    words.add_argument("source", metavar="FILE|URL")
    words.add_argument("--seconds", type=float, help="read only so much")
    words.add_argument("--json", action="store_true", help="everything, as one JSON object")
    options = words.parse_args()
    try:
        marks = read_marks(options.source, options.seconds)
    except MarksError as error:
        print(f"marks: {error}", file=sys.stderr)
        return 1
    print(json.dumps(marks.to_json()) if options.json else summary(marks))
    return 0


if __name__ == "__main__":
    sys.exit(main())
