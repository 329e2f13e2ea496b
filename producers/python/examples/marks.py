# SPDX-License-Identifier: Apache-2.0
"""Writes 100 marked frames and marked sound to a bus, once a sink (or SINKS of them) is there: marks.py BUS [SINKS]"""
import sys

import numpy as np
import ringcast

bus, sinks = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
W, H, FPS, RATE, FRAMES = 640, 360, 25, 44100, 100

sound = np.random.default_rng(1).normal(0, 0.01, FRAMES * RATE // FPS)  # noise at -40 dB
beep = 0.6 * np.sin(2 * np.pi * 1000 * np.arange(RATE * 80 // 1000) / RATE)
for start in range(0, len(sound), RATE):  # a beep each second, when the flash cells light up
    sound[start : start + len(beep)] = beep

with ringcast.Producer(bus, size=(W, H), fps=FPS, rate=RATE, mode="paced") as out:
    if not out.wait_readers(sinks, timeout=60):
        sys.exit(f"no sink in 60 s; start one with: ringcast sink file --bus {bus} --once out.mp4")
    for i in range(FRAMES):
        frame = np.full((H, W, 3), (96, 64, 32), np.uint8)
        cells = np.zeros(32, np.uint8)
        cells[:24] = [(i << 8 | (i * 37 + 11) % 256) >> bit & 1 for bit in range(23, -1, -1)]
        cells[26:] = i % FPS < 2
        frame[: H // 18] = np.repeat(cells * 255, W // 32)[None, :, None]
        out.write_video(frame)
        out.write_audio(sound[i * RATE // FPS : (i + 1) * RATE // FPS])
print(f"wrote {FRAMES} frames and {len(sound) / RATE:g} s of sound to bus {bus}")
