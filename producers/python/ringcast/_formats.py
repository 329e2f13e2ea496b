# SPDX-License-Identifier: Apache-2.0
"""Formats as Python programs name them, and the arrays that fit them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Union

import numpy as np
import numpy.typing as npt

FrameRate = Union[int, float, str, Fraction, "tuple[int, int]"]

PIXEL_FORMATS = {"rgb24": 1, "bgr24": 2, "rgba": 3, "bgra": 4, "i420": 5, "nv12": 6}
SAMPLE_FORMATS = {"s16": 1, "f32": 2}
CODECS = {"h264": 1, "h265": 2, "aac": 3, "opus": 4}
MODES = {"live": 0, "paced": 1, "lossless": 2}

# The NTSC rates are n * 1000/1001 exactly; their decimal names are roundings.
_NTSC = {
    "23.976": Fraction(24000, 1001),
    "23.98": Fraction(24000, 1001),
    "29.97": Fraction(30000, 1001),
    "59.94": Fraction(60000, 1001),
}
_S16_SCALE = 32768.0


def choose(what: str, value: str, known: dict[str, int]) -> int:
    """The number of a named choice; ValueError lists the names."""
    if value not in known:
        raise ValueError(f"{what} {value!r} is not one of {', '.join(known)}")
    return known[value]


def parse_fps(fps: FrameRate) -> tuple[int, int]:
    """Numerator and denominator of a frame rate given as 25, 29.97, "29.97", "30000/1001", (30000, 1001)."""
    try:
        if isinstance(fps, float):
            fps = f"{fps:.3f}".rstrip("0").rstrip(".")
        rate = Fraction(*fps) if isinstance(fps, tuple) else _NTSC.get(str(fps).strip()) or Fraction(fps)
    except (TypeError, ValueError, ZeroDivisionError):
        raise ValueError(f'fps {fps!r} is not a frame rate such as 25, "29.97" or (30000, 1001)') from None
    if not (Fraction(1, 1000) <= rate <= 1000 and rate.denominator <= 1_000_000):
        raise ValueError(f"fps {fps!r} is outside 1/1000..1000 frames per second")
    return rate.numerator, rate.denominator


def frame_shape(pixel_format: str, width: int, height: int) -> tuple[int, ...]:
    """Shape of the uint8 array that holds one frame, planes tightly packed."""
    if pixel_format in ("rgb24", "bgr24"):
        return height, width, 3
    if pixel_format in ("rgba", "bgra"):
        return height, width, 4
    if width % 2 == 0 and height % 2 == 0:
        return height * 3 // 2, width
    # With an odd side the chroma planes, rounded up, do not fill whole luma rows.
    return (width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2),)


def as_frame(frame: npt.ArrayLike, pixel_format: str, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """The frame as an array of exactly this shape, not copied; ValueError says what was expected and what came."""
    array = np.asarray(frame)
    if array.dtype != np.uint8 or array.shape != shape:
        raise ValueError(
            f"write_video: expected {pixel_format} frame of shape {shape}, dtype uint8; "
            f"got shape {array.shape}, dtype {array.dtype}"
        )
    return array


def as_samples(samples: npt.ArrayLike, sample_format: str, channels: int) -> npt.NDArray[Any]:
    """Interleaved, contiguous samples in the flow's format. Floats are full scale at 1.0; beyond it they are clipped."""
    array = np.asarray(samples)
    fits = array.ndim == 2 and array.shape[1] == channels or array.ndim == 1 and channels == 1
    if not fits or not (array.dtype == np.int16 or np.issubdtype(array.dtype, np.floating)):
        wanted = "(n,) or (n, 1)" if channels == 1 else f"(n, {channels})"
        raise ValueError(
            f"write_audio: expected samples of shape {wanted}, dtype int16 or float32; "
            f"got shape {array.shape}, dtype {array.dtype}"
        )
    if sample_format == "s16":
        return np.ascontiguousarray(array if array.dtype == np.int16 else _float_to_s16(array))
    if array.dtype == np.int16:
        array = array.astype(np.float32) / np.float32(_S16_SCALE)
    return np.ascontiguousarray(array, dtype=np.float32)


def _float_to_s16(array: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
    # NaN has no integer: a model that diverged becomes silence, not a crash of the speakers.
    scaled = np.rint(np.nan_to_num(array, nan=0.0, posinf=1.0, neginf=-1.0) * _S16_SCALE)
    samples: npt.NDArray[np.int16] = np.clip(scaled, -32768, 32767).astype(np.int16)
    return samples
