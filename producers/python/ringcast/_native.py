# SPDX-License-Identifier: Apache-2.0
"""ctypes view of bus/include/ringcast/ringcast.h, nothing more. ctypes releases the GIL around every call."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path

from ._errors import error_from

NOT_FOUND = -2
PTS_AUTO = -(2**63)


class ProducerConfig(ctypes.Structure):
    """struct ringcast_producer_config."""

    _fields_ = [
        ("size", c_uint32),
        ("mode", c_uint32),
        ("bus", c_char_p),
        ("name", c_char_p),
        ("width", c_uint32),
        ("height", c_uint32),
        ("fps_num", c_uint32),
        ("fps_den", c_uint32),
        ("pixel_format", c_uint32),
        ("sample_format", c_uint32),
        ("sample_rate", c_uint32),
        ("channels", c_uint32),
        ("video_depth_ns", c_int64),
        ("audio_depth_ns", c_int64),
        ("group", c_char_p),
        ("permissions", c_uint32),
        ("packets", c_uint32),
        ("events", c_uint32),
        ("reserved", c_uint32),
    ]


class PacketStream(ctypes.Structure):
    """struct ringcast_packet_stream."""

    _fields_ = [
        ("size", c_uint32),
        ("id", c_uint32),
        ("codec", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("fps_num", c_uint32),
        ("fps_den", c_uint32),
        ("sample_rate", c_uint32),
        ("channels", c_uint32),
        ("config_bytes", c_uint32),
        ("config", c_char_p),
    ]


class Packet(ctypes.Structure):
    """struct ringcast_packet."""

    _fields_ = [
        ("size", c_uint32),
        ("stream_id", c_uint32),
        ("pts_ns", c_int64),
        ("dts_ns", c_int64),
        ("duration_ns", c_int64),
        ("key", c_uint32),
        ("reserved", c_uint32),
        ("data", c_char_p),
        ("bytes", c_size_t),
    ]


_lib = ctypes.CDLL(str(Path(__file__).with_name("libringcast.so")))


def _declare(name: str, result: object, *arguments: object) -> None:
    function = getattr(_lib, name)
    function.restype = result
    function.argtypes = arguments


_declare("ringcast_version", c_char_p)
_declare("ringcast_last_error", c_char_p)
_declare("ringcast_producer_open", c_int, POINTER(ProducerConfig), POINTER(c_void_p))
_declare("ringcast_producer_warning", c_char_p, c_void_p)
_declare("ringcast_producer_write_video", c_int, c_void_p, c_void_p, c_size_t, c_int64)
_declare("ringcast_producer_write_video_planes", c_int, c_void_p, c_void_p * 4, ctypes.c_ssize_t * 4, c_int64)
_declare("ringcast_producer_acquire_video", c_int, c_void_p, POINTER(c_void_p), POINTER(c_size_t))
_declare("ringcast_producer_commit_video", c_int, c_void_p, c_int64)
_declare("ringcast_producer_abort_video", c_int, c_void_p)
_declare("ringcast_producer_write_audio", c_int, c_void_p, c_void_p, c_size_t, c_int64)
_declare("ringcast_producer_audio_waiting", c_int64, c_void_p)
_declare("ringcast_producer_set_video_format", c_int, c_void_p, c_uint32, c_uint32, c_uint32, c_uint32, c_uint32)
_declare("ringcast_producer_set_audio_format", c_int, c_void_p, c_uint32, c_uint32, c_uint32)
_declare("ringcast_producer_set_packet_stream", c_int, c_void_p, POINTER(PacketStream))
_declare("ringcast_producer_write_packet", c_int, c_void_p, POINTER(Packet))
_declare("ringcast_producer_write_event", c_int, c_void_p, c_char_p, c_int64)
_declare("ringcast_producer_flush", c_int, c_void_p)
_declare("ringcast_producer_wait_readers", c_int, c_void_p, c_uint32, c_int64)
_declare("ringcast_producer_end", c_int, c_void_p)
_declare("ringcast_producer_close", None, c_void_p)


def _check(code: int) -> None:
    if code < 0:
        raise error_from(code, _lib.ringcast_last_error().decode("utf-8", "replace"))


def version() -> str:
    return str(_lib.ringcast_version().decode())


def producer_open(config: ProducerConfig) -> c_void_p:
    config.size = ctypes.sizeof(ProducerConfig)
    handle = c_void_p()
    _check(_lib.ringcast_producer_open(byref(config), byref(handle)))
    return handle


def producer_warning(handle: c_void_p) -> str:
    return str(_lib.ringcast_producer_warning(handle).decode("utf-8", "replace"))


def write_video(handle: c_void_p, address: int, size: int, pts_ns: int) -> None:
    _check(_lib.ringcast_producer_write_video(handle, address, size, pts_ns))


def write_lines(handle: c_void_p, address: int, stride: int, pts_ns: int) -> None:
    """One packed plane whose lines lie `stride` bytes apart."""
    planes, strides = (c_void_p * 4)(address), (ctypes.c_ssize_t * 4)(stride)
    _check(_lib.ringcast_producer_write_video_planes(handle, planes, strides, pts_ns))


def acquire_video(handle: c_void_p) -> tuple[int, int]:
    """Address and size of the next slot."""
    address, size = c_void_p(), c_size_t()
    _check(_lib.ringcast_producer_acquire_video(handle, byref(address), byref(size)))
    return address.value or 0, size.value


def commit_video(handle: c_void_p, pts_ns: int) -> None:
    _check(_lib.ringcast_producer_commit_video(handle, pts_ns))


def abort_video(handle: c_void_p) -> None:
    _check(_lib.ringcast_producer_abort_video(handle))


def write_audio(handle: c_void_p, address: int, size: int, pts_ns: int) -> None:
    _check(_lib.ringcast_producer_write_audio(handle, address, size, pts_ns))


def audio_waiting(handle: c_void_p) -> int:
    return int(_lib.ringcast_producer_audio_waiting(handle))


def set_video_format(handle: c_void_p, pixel_format: int, width: int, height: int, fps: tuple[int, int]) -> None:
    _check(_lib.ringcast_producer_set_video_format(handle, pixel_format, width, height, *fps))


def set_audio_format(handle: c_void_p, sample_format: int, rate: int, channels: int) -> None:
    _check(_lib.ringcast_producer_set_audio_format(handle, sample_format, rate, channels))


def set_packet_stream(handle: c_void_p, stream: PacketStream) -> None:
    stream.size = ctypes.sizeof(PacketStream)
    _check(_lib.ringcast_producer_set_packet_stream(handle, byref(stream)))


def write_packet(handle: c_void_p, packet: Packet) -> None:
    packet.size = ctypes.sizeof(Packet)
    _check(_lib.ringcast_producer_write_packet(handle, byref(packet)))


def write_event(handle: c_void_p, json: bytes, pts_ns: int) -> None:
    _check(_lib.ringcast_producer_write_event(handle, json, pts_ns))


def flush(handle: c_void_p) -> None:
    _check(_lib.ringcast_producer_flush(handle))


def wait_readers(handle: c_void_p, count: int, timeout_ns: int) -> bool:
    code = _lib.ringcast_producer_wait_readers(handle, count, timeout_ns)
    if code == NOT_FOUND:
        return False
    _check(code)
    return True


def producer_end(handle: c_void_p) -> None:
    _check(_lib.ringcast_producer_end(handle))


def producer_close(handle: c_void_p) -> None:
    _lib.ringcast_producer_close(handle)
