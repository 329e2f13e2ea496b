# SPDX-License-Identifier: Apache-2.0
"""What the sinks make of a picture, against swscale's bicubic from the same pixels: SSIM of each ratio by itself."""
import re
import subprocess

import numpy as np
import pytest
import ringcast
from conftest import RINGCAST, wait_until

LEAST = 0.98
SIZES = {"1920x1080": ["1920x1080", "1280x720", "960x540", "640x360"],
         "1280x720": ["1920x1080", "960x540", "854x480", "640x360"],
         "641x359": ["642x360", "320x180"],
         "720x1280": ["540x960", "360x640"]}


def ffmpeg(*words):
    return subprocess.run(["ffmpeg", "-hide_banner", "-v", "info", "-y", *map(str, words)], capture_output=True,
                          text=True, check=True, timeout=120).stderr


def draw(picture, size, path, start):
    """A still as PNG: the avatar's drawing, or a chart with text, edges and fine lines."""
    if picture == "chart":
        width, height = map(int, size.split("x"))
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={width + width % 2}x{height + height % 2}", "-frames:v", 1, "-vf",
               f"format=bgr24,crop={width}:{height}:0:0:exact=1", path)
        return
    bus = f"{path.stem}-{path.parent.name[-20:]}".replace("_", "-")
    avatar = start(RINGCAST, "avatar", "--bus", bus, "--text", "still", "--size", size, "--seconds", 20)
    wait_until(lambda: subprocess.run([RINGCAST, "snapshot", bus, path], capture_output=True, check=False,
                                      timeout=60).returncode == 0, "a still of the avatar")
    avatar.kill()
    subprocess.run([RINGCAST, "clean", bus], capture_output=True, check=False, timeout=60)


def pixels_of(path, size):
    width, height = map(int, size.split("x"))
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "bgr24", "-"],
                          capture_output=True, check=True, timeout=60)
    return np.frombuffer(done.stdout, np.uint8).reshape(height, width, 3)


def ssim(path, still, source, size):
    """Per plane and in all, of the first picture."""
    width, height = map(int, source.split("x"))
    evened = f"{width + width % 2}x{height + height % 2}"
    # A picture of odd size that is not scaled gets a column and a line more, twice the last.
    shape = "null"
    if size == evened != source:
        shape = (f"format=gbrp,pad={evened.replace('x', ':')},fillborders=right={width % 2}:bottom={height % 2}:"
                 "mode=smear")
    colour = "in_color_matrix=bt709:out_color_matrix=bt709:out_range=tv"
    text = ffmpeg("-i", path, "-i", still, "-frames:v", 1, "-filter_complex",
                  f"[1]{shape},scale={size.replace('x', ':')}:flags=bicubic+accurate_rnd+"
                  f"full_chroma_int:{colour},format=yuv420p[wanted];[0]format=yuv420p[got];[got][wanted]ssim",
                  "-f", "null", "-")
    found = re.search(r"SSIM Y:([\d.]+).*U:([\d.]+).*V:([\d.]+).*All:([\d.]+)", text)
    return [float(value) for value in found.groups()]


@pytest.mark.parametrize("picture", ["head", "chart"])
@pytest.mark.parametrize("size", SIZES)
def test_conversion_is_as_good_as_bicubic_swscale(bus, start, tmp_path, record_property, picture, size):
    still = tmp_path / f"{picture}.png"
    draw(picture, size, still, start)
    outputs = {target: tmp_path / f"{target}.mkv" for target in SIZES[size]}
    # Lossless coding: what is decoded is what the conversion made.
    sinks = [bus.sink("file", "--name", target, "--once", path, f"video.size={target}", "video.scale=stretch",
                      "video.crf=0", "video.preset=ultrafast") for target, path in outputs.items()]
    frame = pixels_of(still, size)
    width, height = frame.shape[1], frame.shape[0]
    with ringcast.Producer(bus.name, size=(width, height), fps=25, format="bgr24", mode="lossless") as producer:
        assert producer.wait_readers(len(sinks), 60)
        for _ in range(3):
            producer.write_video(frame)
    for sink in sinks:
        sink.ends_well()
    found = {target: ssim(path, still, size, target) for target, path in outputs.items()}
    for target, values in found.items():
        print(f"{picture} {size} -> {target}: SSIM Y {values[0]:.4f} U {values[1]:.4f} V {values[2]:.4f} "
              f"all {values[3]:.4f}")
        record_property(f"ssim {target}", values[3])
    assert min(values[3] for values in found.values()) >= LEAST, found
