# SPDX-License-Identifier: Apache-2.0
"""A reader that knows nothing but docs/memory-layout.md: flows read and board cells held, straight from the bytes."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time

import numpy as np
from conftest import SHM

COMMITTED = 2
READY = 1


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
        struct.pack_into("<4Q", self.board, offset + 288, *[2**64 - 1] * 4)  # reads no flow, so it has none to open

    def show(self, state: int) -> None:
        struct.pack_into("<I", self.board, self.offset, state)

    def close(self) -> None:
        """As if the reader had died: the lock goes with the last descriptor, and mmap holds one."""
        self.board.close()
        self.file.close()


def picture(number: int, shape=(24, 32, 3)) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, shape, np.uint8)
