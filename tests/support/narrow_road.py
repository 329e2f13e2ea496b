# SPDX-License-Identifier: Apache-2.0
"""A road to a server that can be narrow, frozen or gone, and a listener that says how old each frame is on arrival."""
import socket
import subprocess
import threading
import time

FLV_VIDEO = 9
FLV_HEADER = 13  # with the length of no tag before


class NarrowRoad:
    """Carries TCP to `port` and back. `rate` is in bytes per second on the way there: None as fast as it goes, 0 not at
    all. `kernel_bytes` is what the kernel keeps for it: None as any program has it, 128 kB and more as it likes."""

    def __init__(self, port, kernel_bytes=None, read_bytes=65536):
        self.port_behind, self.rate, self.connections = port, None, 0
        self.carried = 0  # bytes, on the way there
        self.read_bytes = read_bytes
        self.listener = socket.socket()
        if kernel_bytes:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kernel_bytes)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                front = self.listener.accept()[0]
                self.connections += 1
                back = socket.create_connection(("127.0.0.1", self.port_behind))
            except OSError:
                if self.listener.fileno() < 0:
                    return
                front.close()
                continue
            self.sockets += [front, back]
            threading.Thread(target=self.carry, args=(front, back, True), daemon=True).start()
            threading.Thread(target=self.carry, args=(back, front, False), daemon=True).start()

    def carry(self, source, target, narrow):
        free_at = time.monotonic()
        try:
            while data := source.recv(self.read_bytes):
                while narrow and self.rate == 0:
                    time.sleep(0.01)
                if narrow and self.rate:
                    free_at = max(free_at, time.monotonic() - 0.05) + len(data) / self.rate
                    time.sleep(max(0.0, free_at - time.monotonic()))
                target.sendall(data)
                self.carried += len(data) if narrow else 0
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)  # close() alone would not wake the thread of the other direction
            except OSError:
                pass

    def close(self):
        self.rate = None
        self.listener.close()
        for each in self.sockets:
            each.close()


class Listener:
    """Plays a stream with `ffmpeg -c copy` and notes when each frame came and which time it bears."""

    def __init__(self, url):
        self.frames = []  # (arrival, media time), seconds
        self.process = subprocess.Popen(
            ["ffmpeg", "-nostdin", "-v", "error", "-fflags", "nobuffer", "-analyzeduration", "3M", "-copyts", "-i", url,
             "-map", "0", "-c", "copy", "-flush_packets", "1", "-f", "flv", "-"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        out = self.process.stdout
        out.read(FLV_HEADER)
        while len(head := out.read(11)) == 11:
            size = int.from_bytes(head[1:4], "big")
            media_ms = int.from_bytes(head[7:8] + head[4:7], "big")
            body = out.read(size + 4)
            if head[0] == FLV_VIDEO and body[1] == 1:
                self.frames.append((time.monotonic(), media_ms / 1000))

    def ages(self, since=0.0, until=float("inf")):
        """How much older than the freshest frame of all each one was that came in that time."""
        frames = list(self.frames)
        freshest = min(arrival - media for arrival, media in frames)
        return [arrival - media - freshest for arrival, media in frames if since <= arrival <= until]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.thread.join(10)
