#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The processes around the pipelines that rtmp_bench.py compares; it starts one of these for each part.

  produce pipes|bus   the model: the same frames and sound, ready at the same times, into FIFOs or onto a bus
  proxy               stands before the server and notes when each byte of a publisher came
  receive             plays a stream, decodes it, and notes when each frame was there and which one it was
Times are CLOCK_MONOTONIC ns. Results go to a JSON file at the end.
"""
import argparse
import json
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

FPS, RATE = 25, 44100
SLICE = RATE // FPS
CELLS = 32


# ---- The model ----

def pictures(width, height):
    """A second of a calm portrait: a still, softly lit background and a textured head that moves."""
    random = np.random.default_rng(5)
    coarse = random.integers(40, 200, (9, 16, 3)).astype(np.float32)
    rows, columns = np.linspace(0, 8, height), np.linspace(0, 15, width)
    low_row, low_column = np.minimum(rows.astype(int), 7), np.minimum(columns.astype(int), 14)
    part_row, part_column = (rows - low_row)[:, None, None], (columns - low_column)[None, :, None]
    left = coarse[low_row][:, low_column] * (1 - part_column) + coarse[low_row][:, low_column + 1] * part_column
    right = coarse[low_row + 1][:, low_column] * (1 - part_column) \
        + coarse[low_row + 1][:, low_column + 1] * part_column
    background = (left * (1 - part_row) + right * part_row).astype(np.uint8)
    head = (background[: height // 2, : width // 4] // 2 + random.integers(0, 24, (height // 2, width // 4, 3))) \
        .astype(np.uint8)
    made = []
    for i in range(FPS):
        picture = background.copy()
        top = height // 4 + int(height / 40 * np.sin(2 * np.pi * i / FPS))
        at = width * 3 // 8 + int(width / 60 * np.cos(2 * np.pi * i / FPS))
        picture[top : top + head.shape[0], at : at + head.shape[1]] = head
        made.append(picture)
    return made


def marked(picture, index):
    """A copy with the frame's number in its strip, as tests/support/marks.py reads it."""
    picture = picture.copy()
    cells = np.zeros(CELLS, np.uint8)
    cells[:24] = [(index << 8 | (index * 37 + 11) % 256) >> bit & 1 for bit in range(23, -1, -1)]
    picture[: picture.shape[0] // 18] = np.repeat(cells * 255, picture.shape[1] // CELLS)[None, :, None]
    return picture


def speech(seconds):
    """Noise at -30 dB whose loudness goes up and down like syllables."""
    count = seconds * RATE
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * np.arange(count) / RATE)
    return (np.random.default_rng(7).normal(0, 0.03, count) * swell * 32767).astype(np.int16)


class Pipes:
    """Today: for each ffmpeg two FIFOs, and a thread for each that writes what its queue gives it."""

    def __init__(self, words):
        self.queues, self.threads = [], []
        for path in words.fifos:
            waiting = queue.SimpleQueue()
            self.queues.append(waiting)
            self.threads.append(threading.Thread(target=self.write, args=(path, waiting)))
            self.threads[-1].start()

    @staticmethod
    def write(path, waiting):
        with open(path, "wb", buffering=0) as fifo:
            while (data := waiting.get()) is not None:
                view = memoryview(data).cast("B")
                while view:
                    view = view[fifo.write(view):]

    def push(self, picture, sound):
        for i, waiting in enumerate(self.queues):
            waiting.put(sound if i % 2 else picture)

    def end(self):
        for waiting in self.queues:
            waiting.put(None)
        for thread in self.threads:
            thread.join()


class OntoBus:
    """Ours."""

    def __init__(self, words):
        import ringcast
        width, height = words.size
        self.out = ringcast.Producer(words.bus, size=(width, height), fps=FPS, rate=RATE)

    def push(self, picture, sound):
        self.out.write_video(picture)
        self.out.write_audio(sound)

    def end(self):
        self.out.end()


def produce(words):
    pool = pictures(*words.size)
    sound = speech(words.seconds)
    out = Pipes(words) if words.way == "pipes" else OntoBus(words)
    captured = []
    begin = time.monotonic()
    for i in range(words.seconds * FPS):
        picture = marked(pool[i % len(pool)], i)
        time.sleep(max(0.0, begin + i / FPS - time.monotonic()))
        captured.append(time.monotonic_ns())
        out.push(picture, sound[i * SLICE : (i + 1) * SLICE])
        if i == 0:
            print("first frame", flush=True)
    time.sleep(max(0.0, begin + words.seconds - time.monotonic()))
    print("last frame", flush=True)
    sys.stdin.read()  # the figures of the pipelines are read before they end
    out.end()
    return {"captured_ns": captured}


# ---- The recording peer ----

def forward(source, target, seen):
    """Bytes first, notes afterwards; parsing waits until the end."""
    try:
        while data := source.recv(1 << 16):
            now = time.monotonic_ns()
            target.sendall(data)
            if seen is not None:
                seen.append((now, data))
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def proxy(words):
    listener = socket.create_server(("127.0.0.1", 0))
    connections = []

    def serve():
        while True:
            publisher, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", words.port))
            for end in (publisher, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections.append([])
            for ends in ((publisher, server, connections[-1]), (server, publisher, None)):
                threading.Thread(target=forward, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    print(f"port {listener.getsockname()[1]}", flush=True)
    signal.sigwait({signal.SIGTERM})
    files = []
    for i, seen in enumerate(connections):
        files.append(f"{words.result}.{i}")
        Path(files[-1]).write_bytes(b"".join(data for _, data in seen))
    return {"connections": [{"bytes": file, "arrivals": [(now, len(data)) for now, data in seen]}
                            for file, seen in zip(files, connections)]}


# ---- The receiver ----

def index_of(strip, width):
    """The number in one strip of grey bytes; None when its check bits do not match."""
    middle = np.frombuffer(strip, np.uint8).reshape(-1, width)[len(strip) // width // 2]
    cell = width // CELLS
    bits = [int(middle[n * cell + cell // 2] > 127) for n in range(24)]
    number = int("".join(map(str, bits[:16])), 2)
    return number if int("".join(map(str, bits[16:])), 2) == (number * 37 + 11) % 256 else None


def strips(source, width, height, *before):
    """ffmpeg that writes the strip of each frame as soon as it is decoded."""
    return subprocess.Popen(["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-flags", "low_delay", *before,
                             "-i", source, "-an", "-vf", f"crop={width}:{height // 18}:0:0,format=gray", "-fps_mode",
                             "passthrough", "-f", "rawvideo", "-flush_packets", "1", "-"], stdout=subprocess.PIPE)


def receive(words):
    width, height = words.size
    # It would wait for the stream to go on: ended hard, all frames are out by then.
    decoder = strips(words.url, width, height, "-fflags", "nobuffer", "-probesize", "20000", "-analyzeduration",
                     "100000")
    signal.signal(signal.SIGTERM, lambda *_: decoder.kill())
    print(f"decoder {decoder.pid}", flush=True)
    size = width * (height // 18)
    frames = []
    while len(strip := decoder.stdout.read(size)) == size:
        frames.append((time.monotonic_ns(), strip))
    decoder.wait()
    return {"frames": [(now, index_of(strip, width)) for now, strip in frames]}


def size(text):
    return tuple(map(int, text.split("x")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--result", required=True)
    roles = parser.add_subparsers(dest="role", required=True)
    role = roles.add_parser("produce")
    role.add_argument("way", choices=["pipes", "bus"])
    role.add_argument("--size", type=size, required=True)
    role.add_argument("--seconds", type=int, required=True)
    role.add_argument("--bus")
    role.add_argument("--fifos", nargs="*")
    role = roles.add_parser("proxy")
    role.add_argument("--port", type=int, required=True)
    role = roles.add_parser("receive")
    role.add_argument("--url", required=True)
    role.add_argument("--size", type=size, required=True)
    words = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM} if words.role == "proxy" else set())
    result = {"produce": produce, "proxy": proxy, "receive": receive}[words.role](words)
    Path(words.result).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
