# SPDX-License-Identifier: Apache-2.0
"""Assertions on what came out at the far end, on top of tests/support/marks.py."""
import subprocess

import numpy as np
from marks import WHOLE_BEEP_S, read_marks

MAX_SKEW_MS = 20


def frame_count(path):
    """Pictures that decode; for outputs without marks."""
    done = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries",
                           "stream=nb_read_frames", "-of", "csv=p=0", str(path)], capture_output=True, text=True,
                          check=False, timeout=300)
    assert done.returncode == 0 and not done.stderr, f"{path} does not play: {done.stderr}"
    return int(done.stdout.strip().split("\n")[0].strip(","))


def assert_steady(path, marks, count, fps, first=0):
    """Frames `first` to `count` are there once, in order, evenly spaced; sound has no gap and is in step."""
    numbers = [frame.index for frame in marks.frames]
    assert numbers == [number % 65536 for number in range(first, count)], f"{path}: frames {runs(numbers)}"
    spacing = np.diff([frame.pts for frame in marks.frames])
    assert np.all(np.abs(spacing - 1 / fps) < 0.0015), f"{path}: frames are {spacing.min()} to {spacing.max()} s apart"
    assert marks.sound.jumps == [], f"{path}: sound does not join at {marks.sound.jumps}"
    assert marks.gaps == [], f"{path}: sound is missing at {marks.gaps}"
    assert marks.sync, f"{path}: no mark on both tracks"
    assert marks.worst_sync_ms <= MAX_SKEW_MS, f"{path}: sound minus picture {[mark.ms for mark in marks.sync]} ms"
    assert marks.decoder_messages == [], f"{path}: the decoder complains: {marks.decoder_messages[:5]}"


def assert_whole(path, frames, fps):
    """Everything the source wrote is there: `frames` frames, as much sound, a mark each second."""
    marks = read_marks(path)
    assert_steady(path, marks, frames, fps)
    seconds = frames / fps
    # The last second's beep is only whole when the stream goes on for as long as it lasts.
    assert len(marks.sync) >= int(np.ceil(seconds - WHOLE_BEEP_S)), f"{path}: marks {marks.sync}"
    sound_end = marks.sound.end - marks.frames[0].pts
    # An AAC frame is 21 ms; the last one may be padded, and a demuxer may leave that in.
    assert seconds - 0.005 <= sound_end <= seconds + 0.045, f"{path}: {sound_end} s of sound for {seconds} s of pictures"


def assert_prefix(path, at_least, fps):
    """What was written before an early end is whole: at least so many frames from the first one on."""
    marks = read_marks(path)
    # A stop that comes between the sound and the picture of one moment shows the last picture for that moment, too.
    if len(marks.frames) > 1 and marks.frames[-1].index == marks.frames[-2].index:
        marks.frames.pop()
    assert len(marks.frames) >= at_least, f"{path} holds {len(marks.frames)} frames, {at_least} were encoded"
    assert_steady(path, marks, len(marks.frames), fps)


def runs(numbers):
    """Frame numbers as runs, short enough for a message."""
    found = []
    for number in numbers:
        if found and number is not None and found[-1][1] is not None and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found[:20])
