# SPDX-License-Identifier: Apache-2.0
"""The bad network of the SRT tests does what it says: else those tests would tell nothing."""
import contextlib
import ctypes
import socket
import struct
import time

import pytest
from conftest import wait_until
from udp_relay import UdpRelay

COUNT = 2000


@pytest.fixture
def ends():
    """A client and a target of the test's own, and a relay between them."""
    with contextlib.ExitStack() as stack:
        def make(**words):
            target = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            client = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            for end in (target, client):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
                end.bind(("127.0.0.1", 0))
                end.settimeout(5)
            relay = UdpRelay(target.getsockname()[1], **words)
            stack.callback(relay.close)
            client.connect(("127.0.0.1", relay.port))
            return client, target, relay
        yield make


def media(number, stamp=0):
    """The header of SRT's media packet `number`, sent at `stamp` microseconds."""
    return struct.pack(">IIII", number, 0, stamp, 0) + b"ts" * 100


def received(end, settle=0.2):
    """The numbers of all packets that came, until nothing comes any more."""
    numbers = []
    end.settimeout(settle)
    with contextlib.suppress(TimeoutError):
        while True:
            numbers.append(struct.unpack_from(">I", end.recv(2048))[0])
    return numbers


def send(client, relay, numbers):
    def came():
        return relay.there.carried + relay.there.lost + relay.there.cut

    before = came()
    for number in numbers:
        client.send(media(number))
        if number % 50 == 0:
            time.sleep(0.002)
    wait_until(lambda: came() == before + len(numbers), "the relay")


def test_what_is_lost_is_counted_and_near_the_loss_that_was_asked_for(ends):
    client, target, relay = ends(loss=0.05)
    send(client, relay, range(COUNT))
    came = received(target)
    assert came == sorted(set(came)), "order is kept and nothing is doubled"
    assert len(came) == COUNT - relay.there.media_lost == relay.there.carried
    assert 0.03 * COUNT < relay.there.media_lost < 0.07 * COUNT


def test_the_same_seed_loses_the_same_packets_and_another_seed_others(ends):
    lost = []
    for seed, first in ((1, 0), (1, 123456), (2, 0)):
        client, target, relay = ends(loss=0.05, seed=seed)
        send(client, relay, range(first, first + 1000))
        lost.append(set(range(1000)) - {number - first for number in received(target)})
    assert lost[0] == lost[1] != lost[2], "wherever the numbers begin"


def test_a_packet_that_is_sent_again_is_drawn_for_again(ends):
    client, target, relay = ends(loss=0.3)
    send(client, relay, range(300))
    first = set(received(target))
    send(client, relay, range(300))
    assert relay.there.repeated == 300
    again = set(received(target))
    assert again - first and first - again


def test_a_delay_holds_each_way_and_an_outage_lets_nothing_through(ends):
    client, target, relay = ends(delay=0.1)
    began = time.monotonic()
    client.send(b"ping")
    _, sender = target.recvfrom(2048)
    target.sendto(b"pong", sender)
    assert client.recv(2048) == b"pong"
    assert time.monotonic() - began >= 0.2
    relay.outage = True
    client.send(b"lost")
    target.sendto(b"lost", sender)
    wait_until(lambda: relay.there.cut == 1 and relay.back.cut == 1, "both to be cut")
    relay.outage = False
    client.send(b"next")
    assert target.recv(2048) == b"next"


def test_a_freeze_holds_everything_and_a_narrow_road_drops_what_it_cannot_carry(ends):
    client, target, relay = ends()
    relay.frozen = True
    for number in range(10):
        client.send(media(number))
    assert received(target) == []
    relay.frozen = False
    assert received(target) == list(range(10))
    relay.rate = 100 * len(media(0))
    send(client, relay, range(10, 310))
    assert relay.there.cut > 150
    assert len(received(target)) == relay.there.carried - 10


def test_what_the_machine_adds_to_the_delay_is_told_apart_by_who_was_late(ends):
    client, target, relay = ends(delay=0.05)
    client.send(media(0, stamp=1_000_000))
    _, sender = target.recvfrom(2048)

    def holds_everything_up():
        client.send(b"waits 0.05 s")
        ctypes.PyDLL(None).usleep(300_000)  # in which no other thread of this interpreter runs
        return relay.late.road > 0.1
    wait_until(holds_everything_up, "the relay to be held up")
    client.send(media(1, stamp=0))
    wait_until(lambda: relay.late.sender >= 1, "a packet of which its sender was late")
    time.sleep(0.3)
    target.sendto(b"at last", sender)
    wait_until(lambda: relay.late.receiver > 0.3, "an answer that was late")


def test_a_freeze_is_asked_for_and_no_lateness(ends):
    client, target, relay = ends()
    relay.frozen = True
    time.sleep(0.1)  # it may be at work on what came before
    client.send(media(0))
    time.sleep(1.5)
    relay.frozen = False
    assert received(target) == [0]
    assert relay.late.road < 1
