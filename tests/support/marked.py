# SPDX-License-Identifier: Apache-2.0
"""Frames and sound with the sync marks of docs (tests/support/marks.py reads them), for scripts that write to a bus."""
import numpy as np

RATE = 48000


def frame(index, fps=25, width=320, height=180):
    """bgr24 picture number `index`."""
    picture = np.full((height, width, 3), (96, 64, 32), np.uint8)
    cells = np.zeros(32, np.uint8)
    cells[:24] = [(index << 8 | (index * 37 + 11) % 256) >> bit & 1 for bit in range(23, -1, -1)]
    cells[26:] = index % fps < 2
    picture[: height // 18] = np.repeat(cells * 255, width // 32)[None, :, None]
    return picture


def sound(seconds):
    """Noise at -40 dB with a beep at the start of each second, as floats."""
    samples = np.random.default_rng(1).normal(0, 0.01, int(seconds * RATE))
    beep = 0.6 * np.sin(2 * np.pi * 1000 * np.arange(RATE * 80 // 1000) / RATE)
    for start in range(0, len(samples), RATE):
        end = min(start + len(beep), len(samples))
        samples[start:end] = beep[: end - start]
    return samples
