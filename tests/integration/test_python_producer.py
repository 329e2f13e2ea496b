# SPDX-License-Identifier: Apache-2.0
"""The pip package against a reader that knows nothing but docs/memory-layout.md."""

from __future__ import annotations

import fcntl
import itertools
import mmap
import os
import struct
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import ringcast

ROOT = Path(__file__).resolve().parents[2]
SHM = Path("/dev/shm")
COMMITTED = 2
READY = 1
_names = itertools.count()


@pytest.fixture
def bus():
    name = f"py-{os.getpid()}-{next(_names)}"
    yield name
    for left in SHM.glob(f"ringcast.{name}.*"):
        left.unlink()


class Flow:
    """Reads one flow as docs/memory-layout.md says, from a read-only mapping."""

    def __init__(self, bus: str, kind: str) -> None:
        with open(SHM / f"ringcast.{bus}.{kind}", "rb") as file:
            self.memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        magic, major, _, kind_of_object = struct.unpack_from("<8sIII", self.memory, 0)
        assert (magic, major, kind_of_object) == (b"RINGCAST", 1, 2)
        self.slots, self.descriptors, self.arena, self.arena_size, self.cursor = struct.unpack_from(
            "<QQQQQ", self.memory, 136
        )

    @property
    def head(self) -> int:
        return struct.unpack_from("<Q", self.memory, 320)[0]

    @property
    def ended(self) -> bool:
        return struct.unpack_from("<I", self.memory, 388)[0] == 1

    @property
    def depth(self) -> float:
        return struct.unpack_from("<Q", self.memory, 176)[0] / 1e9

    @property
    def caps(self) -> tuple[int, ...]:
        return struct.unpack_from("<8I", self.memory, 192)

    def stamp(self, index: int) -> int:
        return struct.unpack_from("<Q", self.memory, self._slot(index))[0]

    def read(self) -> dict:
        """The record at the cursor; fails the test when it is lost."""
        slot, index = self._slot(self.cursor), self.cursor
        assert self.stamp(index) == index << 2 | COMMITTED
        position, size, pts, _, duration = struct.unpack_from("<QQqqq", self.memory, slot + 8)
        (media_index,) = struct.unpack_from("<Q", self.memory, slot + 56)
        flags, _, _, samples = struct.unpack_from("<IIII", self.memory, slot + 72)
        start = self.arena + position % self.arena_size
        payload = self.memory[start : start + size]
        assert self.stamp(index) == index << 2 | COMMITTED
        self.cursor += 1
        return dict(pts=pts, duration=duration, media_index=media_index, flags=flags, samples=samples, payload=payload)

    def read_all(self) -> list[dict]:
        return [self.read() for _ in range(self.cursor, self.head)]

    def _slot(self, index: int) -> int:
        return self.descriptors + 256 * (index % self.slots)


class Cell:
    """A cell on the board: what makes a reader count as ready."""

    def __init__(self, bus: str) -> None:
        self.file = open(SHM / f"ringcast.{bus}.board", "r+b")
        self.board = mmap.mmap(self.file.fileno(), 0)
        cells, size, offset = struct.unpack_from("<IIQ", self.board, 128)
        assert cells == 64
        self.offset = offset
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, offset, size, 0)
        fcntl.fcntl(self.file.fileno(), fcntl.F_OFD_SETLK, lock)
        struct.pack_into("<q", self.board, offset + 16, time.monotonic_ns())

    def show(self, state: int) -> None:
        struct.pack_into("<I", self.board, self.offset, state)

    def close(self) -> None:
        """As if the reader had died: the lock goes with the last descriptor, and mmap holds one."""
        self.board.close()
        self.file.close()


def picture(number: int, shape=(24, 32, 3)) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, shape, np.uint8)


def test_frames_arrive_byte_for_byte_with_exact_pts(bus):
    with ringcast.Producer(bus, size=(32, 24), fps="29.97", rate=None) as out:
        flow = Flow(bus, "video")
        for number in range(20):
            out.write_video(picture(number))
        records = flow.read_all()
    assert [record["payload"] for record in records] == [picture(n).tobytes() for n in range(20)]
    assert [record["media_index"] for record in records] == list(range(20))
    first = records[0]["pts"]
    assert [r["pts"] - first for r in records] == [round(Fraction(n * 1001 * 10**9, 30000)) for n in range(20)]


def test_leaving_the_block_ends_the_stream_and_removes_the_names(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=16000) as out:
        video, audio = Flow(bus, "video"), Flow(bus, "audio")
        out.write_video(picture(0))
    assert video.ended and audio.ended
    assert out.closed
    assert list(SHM.glob(f"ringcast.{bus}.*")) == []


def test_leaving_the_block_by_an_exception_does_not_end_the_stream(bus):
    with pytest.raises(RuntimeError, match="model"):
        with ringcast.Producer(bus, size=(32, 24), rate=None):
            video = Flow(bus, "video")
            raise RuntimeError("model")
    assert not video.ended
    ringcast.Producer(bus, size=(32, 24), rate=None).close()  # the bus is free again


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[:, ::-1],
        lambda a: a[..., ::-1],
        lambda a: np.asfortranarray(a),
        lambda a: np.concatenate([a, a], axis=1)[:, :32],
    ],
    ids=["mirrored", "rgb-bgr", "fortran", "crop"],
)
def test_views_with_strides_arrive_as_they_look(bus, view):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        flow, array = Flow(bus, "video"), view(picture(1))
        assert not array.flags.c_contiguous
        out.write_video(array)
        assert flow.read()["payload"] == array.tobytes()


@pytest.mark.parametrize(
    "name, size, shape",
    [
        ("rgb24", (32, 24), (24, 32, 3)),
        ("bgra", (32, 24), (24, 32, 4)),
        ("i420", (32, 24), (36, 32)),
        ("nv12", (32, 24), (36, 32)),
        ("i420", (5, 3), (27,)),
    ],
)
def test_every_pixel_format_has_its_shape(bus, name, size, shape):
    with ringcast.Producer(bus, size=size, format=name, rate=None) as out:
        flow = Flow(bus, "video")
        out.write_video(picture(3, shape))
        assert flow.read()["payload"] == picture(3, shape).tobytes()
        with pytest.raises(ValueError, match="expected"):
            out.write_video(picture(3, (*shape, 1)))


@pytest.mark.parametrize(
    "wrong",
    [picture(0, (32, 24, 3)), picture(0, (24, 32, 4)), picture(0).astype(np.float32), picture(0)[0], None],
    ids=["transposed", "alpha", "float", "line", "none"],
)
def test_a_frame_that_does_not_fit_is_refused_with_both_shapes(bus, wrong):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        flow = Flow(bus, "video")
        with pytest.raises(ValueError, match=r"expected bgr24 frame of shape \(24, 32, 3\), dtype uint8; got shape"):
            out.write_video(wrong)
        assert flow.head == 0


def test_sound_arrives_in_blocks_with_absolute_sample_indices(bus):
    samples = np.arange(7000, dtype=np.int16)
    with ringcast.Producer(bus, rate=16000, audio_depth=5) as out:
        flow = Flow(bus, "audio")
        for start in (0, 100, 3000):
            out.write_audio(samples[start : {0: 100, 100: 3000, 3000: 7000}[start]])
        records = flow.read_all()
    assert b"".join(record["payload"] for record in records) == samples.tobytes()
    assert [r["media_index"] for r in records] == list(np.cumsum([0] + [r["samples"] for r in records[:-1]]))
    assert max(record["samples"] for record in records) <= 1600


@pytest.mark.parametrize("sample_format, dtype", [("s16", np.int16), ("f32", np.float32)])
@pytest.mark.parametrize("given", [np.int16, np.float32, np.float64])
def test_samples_are_converted_to_the_flows_format(bus, sample_format, dtype, given):
    wave = np.array([0, 0.5, -0.5, -1.0, 0.25])
    samples = (wave * 32768).astype(np.int16) if given is np.int16 else wave.astype(given)
    with ringcast.Producer(bus, rate=16000, sample_format=sample_format) as out:
        flow = Flow(bus, "audio")
        out.write_audio(samples)
        got = np.frombuffer(flow.read()["payload"], dtype)
    assert got.tolist() == (wave * (32768 if dtype is np.int16 else 1)).tolist()


def test_floats_beyond_full_scale_are_clipped_and_nan_is_silence(bus):
    with ringcast.Producer(bus, rate=16000) as out:
        flow = Flow(bus, "audio")
        out.write_audio(np.array([1.0, 7.0, -7.0, np.nan, np.inf, -np.inf], np.float32))
        got = np.frombuffer(flow.read()["payload"], np.int16)
    assert got.tolist() == [32767, 32767, -32768, 0, 32767, -32768]


def test_stereo_is_interleaved_from_any_layout(bus):
    planar = np.arange(20, dtype=np.int16).reshape(2, 10)
    with ringcast.Producer(bus, rate=48000, channels=2) as out:
        flow = Flow(bus, "audio")
        out.write_audio(planar.T)
        record = flow.read()
        assert record["samples"] == 10
        assert record["payload"] == np.ascontiguousarray(planar.T).tobytes()
        for wrong in (planar, planar[0], planar.T.astype(np.int32)):
            with pytest.raises(ValueError, match=r"expected samples of shape \(n, 2\), dtype int16 or float32; got"):
                out.write_audio(wrong)


def test_empty_sound_is_nothing(bus):
    with ringcast.Producer(bus, rate=16000) as out:
        flow = Flow(bus, "audio")
        out.write_audio(np.zeros(0, np.int16))
        assert flow.head == 0


def test_acquire_publishes_what_was_rendered_into_the_slot(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        flow = Flow(bus, "video")
        with out.acquire(pts=123) as slot:
            slot[:] = picture(5)
            assert flow.head == 0
        record = flow.read()
        assert record["payload"] == picture(5).tobytes() and record["pts"] == 123
        with pytest.raises(ValueError, match="read-only"):
            slot[0] = 0


def test_acquire_left_by_an_exception_publishes_nothing(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        flow = Flow(bus, "video")
        with pytest.raises(KeyError):
            with out.acquire():
                raise KeyError
        assert flow.head == 0
        out.write_video(picture(1))
        assert flow.read()["media_index"] == 0


def test_pts_are_whole_nanoseconds(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        flow = Flow(bus, "video")
        out.write_video(picture(0), pts=np.int64(1_000_000_007))
        assert flow.read()["pts"] == 1_000_000_007
        with pytest.raises(TypeError, match="nanoseconds"):
            out.write_video(picture(0), pts=1.5)


@pytest.mark.parametrize(
    "fps, num_den",
    [
        (25, (25, 1)),
        (25.0, (25, 1)),
        (29.97, (30000, 1001)),
        (30000 / 1001, (30000, 1001)),
        ("29.97", (30000, 1001)),
        ("59.94", (60000, 1001)),
        ("30000/1001", (30000, 1001)),
        ((30000, 1001), (30000, 1001)),
        (Fraction(25, 2), (25, 2)),
        ("12.5", (25, 2)),
    ],
)
def test_frame_rates_are_exact(bus, fps, num_den):
    with ringcast.Producer(bus, size=(32, 24), fps=fps, rate=None):
        assert Flow(bus, "video").caps[3:5] == num_den


@pytest.mark.parametrize(
    "arguments, text",
    [
        (dict(fps=0), "fps 0"),
        (dict(fps="fast"), "'fast'"),
        (dict(fps=(25, 0)), "fps"),
        (dict(size=(0, 24)), "size 0"),
        (dict(size=(20000, 24)), "20000"),
        (dict(size=(2**32 + 32, 24)), "size 4294967328"),
        (dict(format="yuv420p"), "i420"),
        (dict(rate=100), "100"),
        (dict(channels=9), "9"),
        (dict(mode="fast"), "paced"),
        (dict(sample_format="s32"), "f32"),
        (dict(video_depth=-1), "video_depth"),
        (dict(size=None, rate=None), "neither a video nor an audio"),
    ],
)
def test_wrong_arguments_are_refused_by_name(bus, arguments, text):
    with pytest.raises(ValueError, match=text):
        ringcast.Producer(bus, **{"size": (32, 24), "rate": 16000, **arguments})
    assert list(SHM.glob(f"ringcast.{bus}.*")) == []


@pytest.mark.parametrize("name", ["", "a b", "x" * 49, "../x", "ü"])
def test_wrong_bus_names_are_refused(name):
    with pytest.raises(ringcast.InvalidArgumentError, match="bus name"):
        ringcast.Producer(name, size=(32, 24))


def test_a_second_producer_is_told_who_holds_the_bus(bus):
    with ringcast.Producer(bus, size=(32, 24)):
        with pytest.raises(ringcast.BusyError, match=f"pid {os.getpid()}") as caught:
            ringcast.Producer(bus, size=(32, 24))
    assert caught.value.code == -3 and isinstance(caught.value, ringcast.Error)


def test_calls_after_end_and_close_are_refused(bus):
    out = ringcast.Producer(bus, size=(32, 24), rate=None)
    with pytest.raises(ValueError, match="without audio"):
        out.write_audio(np.zeros(1, np.int16))
    out.end()
    out.end()
    with pytest.raises(ringcast.EndedError):
        out.write_video(picture(0))
    out.close()
    out.close()
    with pytest.raises(ringcast.EndedError, match="closed"):
        out.write_video(picture(0))


def test_depth_is_in_seconds(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=16000, video_depth=2, audio_depth=0.5):
        assert Flow(bus, "video").depth >= 2
        assert Flow(bus, "audio").depth >= 0.5


def test_a_depth_that_does_not_fit_is_an_error_with_the_fix(bus):
    with pytest.raises(ringcast.NoSpaceError, match="shm-size"):
        ringcast.Producer(bus, size=(16384, 16384), format="rgba", rate=None, video_depth=3600)


def test_wait_readers_returns_when_a_reader_is_ready(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        assert out.wait_readers(0, timeout=0)
        assert not out.wait_readers(1, timeout=0.05)
        cell = Cell(bus)
        assert not out.wait_readers(1, timeout=0.05)
        timer = threading.Timer(0.2, cell.show, (READY,))
        timer.start()
        assert out.wait_readers(1, timeout=60)
        timer.join()
        cell.close()  # the lock goes: the cell counts no more
        assert not out.wait_readers(1, timeout=0)


def test_two_threads_write_sound_and_pictures(bus):
    with ringcast.Producer(bus, size=(32, 24), fps=50, rate=16000, video_depth=10, audio_depth=20) as out:
        video, audio = Flow(bus, "video"), Flow(bus, "audio")
        speaker = threading.Thread(target=lambda: [out.write_audio(np.full(320, n, np.int16)) for n in range(400)])
        speaker.start()
        for number in range(400):
            out.write_video(picture(number))
        speaker.join()
        assert [r["payload"] for r in video.read_all()] == [picture(n).tobytes() for n in range(400)]
        assert [r["payload"][:2] for r in audio.read_all()] == [struct.pack("<h", n) for n in range(400)]


def test_a_forked_child_gets_an_error_and_leaves_the_parents_bus_alone(bus):
    script = """
import os, sys, numpy, ringcast
out = ringcast.Producer(sys.argv[1], size=(32, 24), rate=None)
frame = numpy.zeros((24, 32, 3), numpy.uint8)
child = os.fork()
if child == 0:
    try:
        out.write_video(frame)
    except ringcast.ForkedError:
        sys.exit(7)
    sys.exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
out.write_video(frame)
out.end()
"""
    subprocess.run([sys.executable, "-c", script, bus], check=True, timeout=60)


def test_an_interpreter_that_just_exits_frees_the_bus(bus):
    script = "import sys, ringcast; out = ringcast.Producer(sys.argv[1], size=(32, 24))"
    subprocess.run([sys.executable, "-c", script, bus], check=True, timeout=60)
    with ringcast.Producer(bus, size=(32, 24)):
        pass


def decode_marks(frame: np.ndarray) -> tuple[int, bool]:
    """Frame index and flash of a marked frame, by DESIGN section 9."""
    height, width = frame.shape[:2]
    strip = frame[: height // 18].mean(axis=(0, 2))
    cells = [bool(strip[width * k // 32 : width * (k + 1) // 32].mean() > 127) for k in range(32)]
    value = int("".join("01"[bit] for bit in cells[:24]), 2)
    index, check = value >> 8, value & 255
    assert check == (index * 37 + 11) % 256
    assert len(set(cells[26:])) == 1
    return index, cells[26]


def test_the_example_script_delivers_100_marked_frames_and_sound(bus):
    script = subprocess.Popen(
        [sys.executable, ROOT / "producers/python/examples/marks.py", bus], stdout=subprocess.PIPE, text=True
    )
    try:
        while not (SHM / f"ringcast.{bus}.bus").exists():
            assert script.poll() is None
            time.sleep(0.01)
        video, audio, cell = Flow(bus, "video"), Flow(bus, "audio"), Cell(bus)
        cell.show(READY)
        pictures, sound = [], []
        while not (video.ended and video.cursor == video.head):
            assert script.poll() in (None, 0)
            pictures += [np.frombuffer(r["payload"], np.uint8).reshape(360, 640, 3) for r in video.read_all()]
            sound += [np.frombuffer(r["payload"], np.int16) for r in audio.read_all()]
            time.sleep(0.002)
        sound += [np.frombuffer(r["payload"], np.int16) for r in audio.read_all()]
        assert "wrote 100 frames" in script.communicate(timeout=60)[0]
    finally:
        script.kill()
        script.wait()
    assert [decode_marks(frame)[0] for frame in pictures] == list(range(100))
    assert [i for i, frame in enumerate(pictures) if decode_marks(frame)[1]] == [0, 1, 25, 26, 50, 51, 75, 76]
    samples = np.concatenate(sound)
    assert len(samples) == 4 * 44100
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 6000)
    starts = loud[np.flatnonzero(np.diff(loud, prepend=-10**6) > 10000)]
    assert np.allclose(starts, [0, 44100, 88200, 132300], atol=4)
