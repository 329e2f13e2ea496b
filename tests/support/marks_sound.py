# SPDX-License-Identifier: Apache-2.0
"""The sound of the sync marks: where decoded samples stand in time, the beeps in them, and the holes."""
import re
from dataclasses import dataclass, field

import numpy as np

BEEP_HZ = 1000
BEEP_SECONDS = 0.080
BEEP_LEVEL = 0.6
HEARD_LEVEL = 0.3          # a beep as found must reach half of what was sent
GAP_WINDOW_SECONDS = 0.010
GAP_HOP_SECONDS = 0.001
GAP_LEVEL_DB = -54         # the noise is at -40 dB and, over 10 ms, never 10 dB below that
GAP_MIN_SECONDS = 0.008
JUMP_SECONDS = 0.003       # audio pts off the sample count by more than this


class MarksError(RuntimeError):
    """The media could not be decoded; one line that says why."""


@dataclass
class Beep:
    pts: float
    level: float           # of full scale


@dataclass
class Gap:
    pts: float
    seconds: float


@dataclass
class Sound:
    """Decoded audio: mono samples and, for each run without a jump in pts, where it stands on the timeline."""
    rate: int = 0
    samples: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    runs: list[tuple[int, float]] = field(default_factory=list)     # (first sample, its pts)
    jumps: list[tuple[float, float]] = field(default_factory=list)  # (pts, seconds skipped; negative: went back)

    def pts_of(self, sample: float) -> float:
        first, pts = next(run for run in reversed(self.runs) if run[0] <= max(sample, self.runs[0][0]))
        return pts + (sample - first) / self.rate

    @property
    def end(self) -> float:
        return self.pts_of(len(self.samples))


def read_sound(log: str, data: bytes) -> Sound:
    shown = re.findall(r"ashowinfo\S* @ \S+\] .*?n:\d+ pts:(-?\d+|NOPTS) .*?channels:(\d+) .*?rate:(\d+) nb_samples:(\d+)", log)
    if not shown:
        return Sound()
    channels, rate = int(shown[0][1]), int(shown[0][2])
    if any((int(c), int(r)) != (channels, rate) for _, c, r, _ in shown):
        raise MarksError("the sound changes its rate or its channels on the way")
    samples = np.frombuffer(data, np.float32).reshape(-1, channels).mean(axis=1)
    sound = Sound(rate, samples)
    # Audio pts in ffmpeg's filters count samples. Within a run they may be rounded by the container: the median is right.
    first, offsets, position = 0, [], 0
    for pts, _, _, count in shown:
        begin = int(pts) / rate if pts != "NOPTS" else None
        if begin is not None and offsets:
            expected = np.median(offsets) + position / rate
            if abs(begin - expected) > JUMP_SECONDS:
                sound.runs.append((first, float(np.median(offsets)) + first / rate))
                sound.jumps.append((float(expected), float(begin - expected)))
                first, offsets = position, []
        if begin is not None:
            offsets.append(begin - position / rate)
        position += int(count)
    sound.runs.append((first, float(np.median(offsets)) + first / rate if offsets else 0.0))
    return sound


def find_beeps(sound: Sound) -> list[Beep]:
    """A window as long as the beep slides over the sound; what it holds of 1 kHz is a triangle whose middle is the
    beep's first sample. The middle of both flanks at half height is far more exact than the peak."""
    length = round(BEEP_SECONDS * sound.rate)
    if len(sound.samples) < length:
        return []
    padded = np.concatenate([np.zeros(length), sound.samples, np.zeros(length)])
    turns = np.exp(-2j * np.pi * BEEP_HZ / sound.rate * np.arange(len(padded)))
    sums = np.concatenate([[0], np.cumsum(padded * turns)])
    level = 2 * np.abs(sums[length:] - sums[:-length]) / length
    beeps, at = [], 0
    loud = np.flatnonzero(level > HEARD_LEVEL)
    while at < len(loud):
        end = at
        while end + 1 < len(loud) and loud[end + 1] - loud[end] < length:
            end += 1
        peak = loud[at] + int(np.argmax(level[loud[at]:loud[end] + 1]))
        onset = middle_of_flanks(level, peak)
        beeps.append(Beep(sound.pts_of(onset - length), float(level[peak])))
        at = end + 1
    return beeps


def middle_of_flanks(level: np.ndarray, peak: int) -> float:
    half = level[peak] / 2
    left = peak
    while left > 0 and level[left - 1] > half:
        left -= 1
    right = peak
    while right < len(level) - 1 and level[right + 1] > half:
        right += 1
    rising = left - (level[left] - half) / (level[left] - level[left - 1]) if left > 0 else left
    falling = right + (level[right] - half) / (level[right] - level[right + 1]) if right < len(level) - 1 else right
    return (rising + falling) / 2


def find_gaps(sound: Sound) -> tuple[list[Gap], float, float]:
    """Silent holes, and the silence before and after all sound."""
    window, hop = round(GAP_WINDOW_SECONDS * sound.rate), max(1, round(GAP_HOP_SECONDS * sound.rate))
    if len(sound.samples) < window:
        return [], 0.0, 0.0
    energy = np.concatenate([[0], np.cumsum(sound.samples.astype(np.float64) ** 2)])
    begins = np.arange(0, len(sound.samples) - window + 1, hop)
    quiet = (energy[begins + window] - energy[begins]) / window < 10 ** (GAP_LEVEL_DB / 10)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    gaps, leading, trailing = [], 0.0, 0.0
    for begin, end in zip(edges[::2], edges[1::2]):
        # All of the window must be quiet for it to count: the hole is as long as the windows' union.
        first, last = begins[begin], begins[end - 1] + window
        seconds = float(last - first) / sound.rate
        if begin == 0 and end == len(quiet):
            return [], seconds, 0.0
        if begin == 0:
            leading = seconds
        elif end == len(quiet):
            trailing = seconds
        elif seconds >= GAP_MIN_SECONDS:
            gaps.append(Gap(sound.pts_of(first), seconds))
    return gaps, leading, trailing
