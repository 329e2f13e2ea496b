# SPDX-License-Identifier: Apache-2.0
"""A bad network between two ends on this machine: carries UDP both ways with delay, loss, a narrow road and outages.

Who sends to `port` is a client; each gets a socket of its own towards `target`, as behind a router. What is lost is
drawn from the seed, per client and direction. Of SRT's media packets the draw goes by the number of the packet in its
stream and by how often it was sent, so that the same seed loses the same packets whatever the load of the machine.

A machine with other things to do makes it a worse network than was asked for: `late` says by how much.
"""
import gc
import heapq
import random
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

MOST_QUEUED_SECONDS = 1.0  # a narrow road drops what would wait longer, as a router does
JAM_SECONDS = 5           # so long the sender may have more to repeat than the road carries, and is late by that
SRT_HEADER = 16
SO_TIMESTAMPNS = 35  # Linux; this Python has no name for it
STAMP = struct.Struct("@ll")


@dataclass
class Direction:
    """What one way carried; counted over all clients."""
    carried: int = 0
    lost: int = 0           # by the draw
    cut: int = 0            # by an outage or a road too narrow
    media: int = 0          # SRT media packets that came, repeated ones too
    repeated: int = 0       # of those, sent before
    media_lost: int = 0     # of those, lost by the draw
    bytes: int = 0


@dataclass
class Lateness:
    """What the machine added to the network, each the longest so far, in seconds."""
    road: float = 0.0       # from when a packet should have left here to when it did
    sender: float = 0.0     # from a media packet's own time stamp to its coming here, against the promptest one
    receiver: float = 0.0   # from a media packet's leaving here to the next sign of life of who got it


@dataclass
class Draws:
    """Which packets of one client and direction are lost, and how promptly its media came."""
    seed: int
    others: random.Random = field(init=False)
    first: int | None = None
    times: dict = field(default_factory=dict)
    promptest: float = float("inf")

    def __post_init__(self):
        self.others = random.Random(self.seed)

    def judge(self, data, loss):
        """(media, repeated, lost) of the packet."""
        if len(data) < SRT_HEADER or data[0] & 0x80:
            return False, False, self.others.random() < loss
        number = struct.unpack_from(">I", data)[0]
        if self.first is None:
            self.first = number
        place = (number - self.first) % 2**31
        turn = self.times.get(place, 0)
        self.times[place] = turn + 1
        draw = random.Random(f"{self.seed} {place} {turn}").random()
        return True, turn > 0, draw < loss

    def lag(self, data, arrived):
        """How much longer than the promptest packet this one took from its time stamp, in microseconds, to here."""
        lag = arrived - struct.unpack_from(">I", data, 8)[0] / 1e6
        self.promptest = min(self.promptest, lag)
        return lag - self.promptest


class UdpRelay:
    """`delay` is one way, in seconds; `rate` in bytes per second towards the target; None: as fast as it goes.

    While `outage` is true nothing gets through; while `frozen` is, everything waits. All may be changed at any time.
    """

    def __init__(self, target_port, *, loss=0.0, delay=0.0, rate=None, seed=1):
        self.target = ("127.0.0.1", target_port)
        self.loss, self.delay, self.rate, self.seed = loss, delay, rate, seed
        self.outage = self.frozen = False
        self.there, self.back = Direction(), Direction()
        self.late = Lateness()
        self.unanswered = {}        # client -> since when its media, passed on, waits for a sign of life
        self.thawed = 0.0
        self.jammed = -JAM_SECONDS  # when it last held back what was sent
        self.epoch = time.time() - time.monotonic()
        self.clients = []           # addresses in the order they came
        self.front = self.bound()
        self.port = self.front.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.front, selectors.EVENT_READ)
        self.behind = {}            # client -> its socket towards the target
        self.draws = {}
        self.waiting = []           # heap of (due, number, socket, address or None, data)
        self.count = 0
        self.free_at = 0.0
        self.open = True
        # A full collection of all that a run of tests has loaded would hold this thread for tenths of a second.
        gc.freeze()
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    @staticmethod
    def bound():
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        end.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        end.bind(("127.0.0.1", 0))
        end.setblocking(False)
        return end

    def carry(self):
        while self.open:
            due = self.waiting[0][0] - time.monotonic() if self.waiting and not self.frozen else 0.05
            for key, _ in self.selector.select(min(max(due, 0), 0.05)):
                self.take(key.fileobj, key.data)
            if self.frozen:
                self.thawed = time.monotonic()
            while self.waiting and not self.frozen and self.waiting[0][0] <= time.monotonic():
                due, _, end, address, data, owes = heapq.heappop(self.waiting)
                self.pass_on(end, address, data)
                left = time.monotonic()
                self.late.road = max(self.late.road, left - max(due, self.thawed))
                if owes:
                    self.unanswered.setdefault(owes, left)

    def take(self, end, client):
        """Everything that waits at a socket; `client` is None at the front."""
        for _ in range(256):
            try:
                data, notes, _, sender = end.recvmsg(2048, socket.CMSG_SPACE(STAMP.size))
            except OSError:  # nothing more, or the target's port is closed: as if the network had said so
                return
            arrived = self.arrival(notes)
            if client is None:
                self.admit(self.client_socket(sender), None, data, sender, self.there, arrived)
            else:
                since = self.unanswered.pop(client, arrived)
                self.late.receiver = max(self.late.receiver, arrived - since)
                self.admit(self.front, client, data, client, self.back, arrived)

    def arrival(self, notes):
        """When the kernel took the packet, on the monotonic clock: this thread may have come for it much later."""
        seconds, nanoseconds = STAMP.unpack(notes[0][2])
        return min(seconds + nanoseconds / 1e9 - self.epoch, time.monotonic())

    def client_socket(self, client):
        if client not in self.behind:
            self.behind[client] = self.bound()
            self.behind[client].connect(self.target)
            self.selector.register(self.behind[client], selectors.EVENT_READ, client)
            for way, name in ((self.there, "there"), (self.back, "back")):
                self.draws[client, id(way)] = Draws(hash_of(self.seed, len(self.clients), name))
            self.clients.append(client)
        return self.behind[client]

    def admit(self, end, address, data, client, way, arrived):
        draws = self.draws[client, id(way)]
        media, repeated, lost = draws.judge(data, self.loss)
        way.media += media
        way.repeated += repeated
        if self.outage or self.rate or self.frozen:
            self.jammed = arrived
        if media and not repeated and arrived - self.jammed > JAM_SECONDS:
            self.late.sender = max(self.late.sender, draws.lag(data, arrived))
        if self.outage:
            way.cut += 1
            return
        if lost:
            way.lost += 1
            way.media_lost += media
            return
        leaves = arrived
        if self.rate and way is self.there:
            leaves = max(leaves, self.free_at) + len(data) / self.rate
            if leaves > time.monotonic() + MOST_QUEUED_SECONDS:
                way.cut += 1
                return
            self.free_at = leaves
        way.carried += 1
        way.bytes += len(data)
        self.count += 1
        owes = client if media and not repeated and way is self.there else None
        heapq.heappush(self.waiting, (leaves + self.delay, self.count, end, address, data, owes))

    def pass_on(self, end, address, data):
        try:
            end.sendto(data, address) if address else end.send(data)
        except OSError:  # nobody there (any more)
            pass

    def close(self):
        self.open = False
        self.thread.join(10)
        for end in (self.front, *self.behind.values()):
            end.close()
        self.selector.close()


def hash_of(*parts):
    """The same in every run, unlike hash()."""
    return random.Random(" ".join(map(str, parts))).getrandbits(64)
