# SPDX-License-Identifier: Apache-2.0
"""The writing end of a bus."""

from __future__ import annotations

import ctypes
import json
import operator
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, Optional

import numpy as np
import numpy.typing as npt

from . import _native
from ._errors import EndedError, ForkedError
from ._formats import (
    CODECS,
    MODES,
    PIXEL_FORMATS,
    SAMPLE_FORMATS,
    FrameRate,
    as_frame,
    as_samples,
    choose,
    frame_shape,
    parse_fps,
)

# A wait inside C cannot be interrupted by Ctrl-C, so it is cut into pieces of this length.
_WAIT_SLICE_NS = 200_000_000


class Producer:
    """Writes one video and one audio flow, or one of them, to a bus.

    As a context manager it ends the stream when the block is left normally: sinks finish their outputs. When the block
    is left by an exception the stream is only closed: sinks wait for the next producer, which continues the bus.

    ``write_video`` and ``write_audio`` may run in two threads; each of them in one thread at a time. After ``fork()``
    only the parent may use the producer; the child gets :class:`ForkedError`.
    """

    def __init__(
        self,
        bus: str,
        size: Optional[tuple[int, int]] = None,
        fps: FrameRate = 25,
        format: Literal["rgb24", "bgr24", "rgba", "bgra", "i420", "nv12"] = "bgr24",
        rate: Optional[int] = 44100,
        channels: int = 1,
        sample_format: Literal["s16", "f32"] = "s16",
        mode: Literal["live", "paced", "lossless"] = "live",
        name: Optional[str] = None,
        video_depth: Optional[float] = None,
        audio_depth: Optional[float] = None,
        packets: bool = False,
        events: bool = False,
        group: Optional[str] = None,
        permissions: int = 0o640,
    ) -> None:
        """Creates the bus and reserves its memory.

        :param bus: 1..48 of ``[A-Za-z0-9_-]``.
        :param size: width and height in pixels; None: no video.
        :param fps: 25, "29.97" (the exact NTSC rate), "30000/1001", a Fraction, or (30000, 1001).
        :param format: pixel format of the frames.
        :param rate: samples per second; None or 0: no audio.
        :param channels: 1..8.
        :param sample_format: what the ring holds; ``write_audio`` converts to it.
        :param mode: "live" never waits; "paced" sleeps so that pts runs at most 200 ms ahead of the clock; "lossless"
            waits for the sinks.
        :param name: shown by ``ringcast info``; the script's name by default.
        :param video_depth: seconds of video the ring holds; by default 1, less where shared memory is small (with a
            RuntimeWarning).
        :param audio_depth: seconds of audio the ring holds; by default 30.
        :param packets: also a flow of encoded packets (``set_packet_stream``, ``write_packet``).
        :param events: also a flow of small JSON events (``write_event``).
        :param group: group whose members may read the bus (sinks that run as another user, containers).
        :param permissions: 0o600, 0o640 (the group may read; 0o660 means the same) or 0o644 (everybody may).
        :raises BusyError: another live producer holds the bus; the text names its pid.
        :raises NoSpaceError: shared memory is too small; the text names the fix.
        :raises ValueError: an argument is out of range.
        """
        # Set first: __del__ runs even when the rest of __init__ raises.
        self._handle: Optional[ctypes.c_void_p] = None
        self._pid = os.getpid()
        self._ended = False
        self._bus = bus
        self._mode = mode
        self._format = format
        self._sample_format = sample_format
        self._channels = channels
        self._shape: Optional[tuple[int, ...]] = None
        self._has_audio = bool(rate)

        config = _native.ProducerConfig()
        config.bus = bus.encode()
        config.name = (name or os.path.basename("".join(sys.argv[:1])) or "python").encode()
        config.mode = choose("mode", mode, MODES)
        if size is not None:
            width, height = (_natural("size", side) for side in size)
            config.width, config.height = width, height
            config.fps_num, config.fps_den = parse_fps(fps)
            config.pixel_format = choose("format", format, PIXEL_FORMATS)
            config.video_depth_ns = _depth_ns("video_depth", video_depth)
            self._shape = frame_shape(format, width, height)
        if rate:
            config.sample_rate = _natural("rate", rate)
            config.channels = _natural("channels", channels)
            config.sample_format = choose("sample_format", sample_format, SAMPLE_FORMATS)
            config.audio_depth_ns = _depth_ns("audio_depth", audio_depth)
        config.group = group.encode() if group else None
        config.permissions, config.packets, config.events = permissions, packets, events
        self._handle = _native.producer_open(config)
        if warning := _native.producer_warning(self._handle):
            warnings.warn(warning, RuntimeWarning, stacklevel=2)

    def write_video(self, frame: npt.ArrayLike, pts: Optional[int] = None) -> None:
        """Copies one frame into the ring and publishes it; the array may be reused at once.

        :param frame: uint8 of shape (height, width, 3) or, for rgba and bgra, (height, width, 4); i420 and nv12 as
            (height * 3 / 2, width), or one flat array when a side is odd. A view with strides costs no second copy.
        :param pts: nanoseconds on the bus timeline; None: the count of frames decides.
        :raises ValueError: the array does not fit the flow.
        """
        handle, shape = self._open_handle(), self._video_shape()
        array, pts_ns = as_frame(frame, self._format, shape), _pts_ns(pts)
        if array.flags.c_contiguous:
            _native.write_video(handle, array.ctypes.data, array.nbytes, pts_ns)
        elif array.ndim == 3 and array[0].flags.c_contiguous:  # a crop, or upside down: whole lines, apart
            _native.write_lines(handle, array.ctypes.data, array.strides[0], pts_ns)
        else:
            with self.acquire(pts) as slot:
                np.copyto(slot, array)

    @contextmanager
    def acquire(self, pts: Optional[int] = None) -> Iterator[npt.NDArray[np.uint8]]:
        """The slot of the next frame as a writable array, to render straight into the ring::

            with out.acquire() as slot:
                render(out=slot)

        Leaving the block publishes the frame; an exception gives the slot up and nothing is published. The array must
        not be used after the block: its memory belongs to readers then. One open ``acquire`` at a time.
        """
        handle, shape, pts_ns = self._open_handle(), self._video_shape(), _pts_ns(pts)
        address, size = _native.acquire_video(handle)
        slot = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address)).reshape(shape)
        try:
            yield slot
        except BaseException:
            _native.abort_video(handle)
            raise
        finally:
            slot.setflags(write=False)
        try:
            _native.commit_video(handle, pts_ns)
        except BaseException:
            _native.abort_video(handle)
            raise

    def write_audio(self, samples: npt.ArrayLike, pts: Optional[int] = None) -> None:
        """Copies samples into the ring and publishes them, in blocks of at most 100 ms. Any length: what the ring cannot
        hold yet (a whole speech before its first frame) waits in this process, at most 120 s, and is fed by the clock,
        in lossless mode by the frames.

        :param samples: int16, or floats with full scale at 1.0, of shape (n,) for one channel or (n, channels). What
            is not in the flow's sample format is converted; floats beyond full scale are clipped, NaN becomes 0.
        :param pts: nanoseconds on the bus timeline; None: the count of samples decides.
        :raises ValueError: the array does not fit the flow.
        """
        handle = self._open_handle()
        if not self._has_audio:
            raise ValueError(f"write_audio: bus {self._bus!r} was opened without audio (rate=None)")
        array, pts_ns = as_samples(samples, self._sample_format, self._channels), _pts_ns(pts)
        if array.size:
            _native.write_audio(handle, array.ctypes.data, array.nbytes, pts_ns)

    @property
    def audio_waiting(self) -> float:
        """Seconds of sound that still wait in this process."""
        return _native.audio_waiting(self._open_handle()) / 1e9

    def set_video_format(self, size: tuple[int, int], fps: FrameRate, format: str) -> None:
        """Another size, rate or pixel format from the next frame on; sinks scale to the size they began with.

        :raises NoSpaceError: shared memory is too small for it; the old format stays.
        """
        self._video_shape()
        width, height = (_natural("size", side) for side in size)
        number = choose("format", format, PIXEL_FORMATS)
        _native.set_video_format(self._open_handle(), number, width, height, parse_fps(fps))
        self._format, self._shape = format, frame_shape(format, width, height)

    def set_audio_format(self, rate: int, channels: int, sample_format: str) -> None:
        """Another rate, layout or sample format from the next sample on."""
        number = choose("sample_format", sample_format, SAMPLE_FORMATS)
        _native.set_audio_format(self._open_handle(), number, _natural("rate", rate), _natural("channels", channels))
        self._sample_format, self._channels = sample_format, channels

    def set_packet_stream(
        self,
        codec: Literal["h264", "h265", "aac", "opus"],
        config: bytes,
        id: int = 0,
        size: Optional[tuple[int, int]] = None,
        fps: FrameRate = 25,
        rate: Optional[int] = None,
        channels: Optional[int] = None,
    ) -> None:
        """Declares a stream of the packets flow: ``size`` and ``fps`` for video, ``rate`` and ``channels`` for audio.

        :param config: avcC, hvcC, AudioSpecificConfig or OpusHead (what libav calls extradata).
        """
        stream = _native.PacketStream(id=_natural("id", id, least=0), codec=choose("codec", codec, CODECS))
        stream.config, stream.config_bytes = config, len(config)
        if size is not None:
            stream.width, stream.height = (_natural("size", side) for side in size)
            stream.fps_num, stream.fps_den = parse_fps(fps)
        if rate is not None:
            stream.sample_rate, stream.channels = _natural("rate", rate), _natural("channels", channels or 0)
        _native.set_packet_stream(self._open_handle(), stream)

    def write_packet(self, data: bytes, pts: int, dts: int, duration: int, key: bool, id: int = 0) -> None:
        """One encoded packet: H.264 and H.265 with length prefixes, AAC raw; times in nanoseconds, dts rises."""
        packet = _native.Packet(stream_id=id, pts_ns=pts, dts_ns=dts, duration_ns=duration, key=key)
        packet.data, packet.bytes = data, len(data)
        _native.write_packet(self._open_handle(), packet)

    def write_event(self, event: object, pts: Optional[int] = None) -> None:
        """One event, as JSON; None for pts: where the next frame stands."""
        _native.write_event(self._open_handle(), json.dumps(event, ensure_ascii=False).encode(), _pts_ns(pts))

    def flush(self) -> None:
        """The avatar was interrupted: what sinks have not sent yet is void, and so is the sound that waits here."""
        _native.flush(self._open_handle())

    def wait_readers(self, count: int, timeout: Optional[float] = None) -> bool:
        """Waits until ``count`` sinks are attached with their encoders open.

        :param timeout: seconds; None: for ever.
        :returns: False at the time-out.
        """
        deadline = None if timeout is None else time.monotonic_ns() + int(timeout * 1e9)
        while True:
            left = _WAIT_SLICE_NS if deadline is None else deadline - time.monotonic_ns()
            if _native.wait_readers(self._open_handle(), count, min(max(left, 0), _WAIT_SLICE_NS)):
                return True
            if left <= 0:
                return False

    def end(self) -> None:
        """Ends the stream: sinks finish their outputs. Sound that waits is fed first, by the clock, which takes its time
        (Ctrl-C ends it). A second call does nothing."""
        if self._ended:
            return
        while self._mode != "lossless" and self.audio_waiting > 0:
            time.sleep(min(self.audio_waiting, 0.1))  # not inside C, where Ctrl-C would not be heard
        _native.producer_end(self._open_handle())
        self._ended = True

    def close(self) -> None:
        """Gives the bus up. Without ``end`` before, sinks wait for the next producer. A second call does nothing."""
        handle, self._handle = self._handle, None
        # In a forked child the rings are not mapped and the locks are not held: there is nothing to give up.
        if handle is not None and os.getpid() == self._pid:
            _native.producer_close(handle)

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._handle is None

    def __enter__(self) -> Producer:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            if kind is None and not self.closed:
                self.end()
        finally:
            self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "ended" if self._ended else "open"
        return f"<ringcast.Producer bus={self._bus!r} {state}>"

    def _open_handle(self) -> ctypes.c_void_p:
        if self._handle is None:
            raise EndedError(f"producer of bus {self._bus!r} is closed")
        if os.getpid() != self._pid:
            raise ForkedError(f"producer of bus {self._bus!r} belongs to process {self._pid}, not to its forked child")
        return self._handle

    def _video_shape(self) -> tuple[int, ...]:
        if self._shape is None:
            raise ValueError(f"write_video: bus {self._bus!r} was opened without video (size=None)")
        return self._shape


def _natural(what: str, value: int, least: int = 1) -> int:
    # c_uint32 would cut a wrong value down to a plausible one without a word.
    number = operator.index(value)
    if not least <= number < 2**31:
        raise ValueError(f"{what} {value!r} is not a whole number from {least} on")
    return number


def _depth_ns(what: str, seconds: Optional[float]) -> int:
    if seconds is None:
        return 0
    if not 0 < seconds < 86400:
        raise ValueError(f"{what} {seconds!r} is not a length in seconds")
    return int(seconds * 1e9)


def _pts_ns(pts: Optional[int]) -> int:
    if pts is None:
        return _native.PTS_AUTO
    try:
        return operator.index(pts)
    except TypeError:
        raise TypeError(f"pts {pts!r} is not whole nanoseconds; for seconds pass round(seconds * 1e9)") from None
