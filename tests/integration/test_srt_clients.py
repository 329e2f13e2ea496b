# SPDX-License-Identifier: Apache-2.0
"""The SRT sink as a listener: many clients, each from a keyframe on; who comes, goes or stands still harms nobody."""
import os
import signal
import time

import pytest
from conftest import wait_until
from far_end import runs
from marks import read_marks
from srt_end import FPS, becomes, encodes_on, pictures, sink_words, whole_from_its_first_frame  # noqa: F401
from srt_peers import Ffmpeg, LiveTransmit, first_frame_is_key, free_udp_port

pytestmark = pytest.mark.in_time

STOPPED_S = 60 if os.environ.get("RINGCAST_SOAK") else 7  # libsrt gives a silent peer up after 5 s
FIGURES = {"rtt_us", "loss_packets", "retransmitted_packets", "send_drop_packets", "bandwidth_bps", "send_rate_bps",
           "send_buffer_ms"}


@pytest.fixture
def listening(pictures):
    pictures.port = free_udp_port()
    pictures.srt = pictures.sink("srt", *sink_words("listener", pictures.port), "video.gop=1s")
    becomes(pictures, "connecting", "waits for a client at")
    return pictures


@pytest.fixture
def client(listening, start, tmp_path):
    """Makes clients of it."""
    made = []

    def make(program=LiveTransmit, **words):
        made.append(program(start, tmp_path / f"client-{len(made)}.ts", listening.port, "caller", **words))
        return made[-1]

    return make


def clients_of(bus):
    return bus.reader("srt")["clients"]


def ends(listening, *clients):
    """The sink ends, and with it every connection."""
    listening.srt.signal(15)
    listening.srt.ends_well()
    for each in clients:
        each.process.wait(20)


@pytest.mark.soak
def test_a_client_that_stands_still_loses_its_own_and_the_other_is_whole(listening, client, record_property):
    moving, still = client(), client(again=True)
    wait_until(lambda: min(moving.size(), still.size()) > 20_000, "both to receive")
    still.process.signal(signal.SIGSTOP)
    stopped_at, had = time.monotonic(), still.size()
    dropped = listening.reader("srt")["dropped_frames"]
    wait_until(lambda: time.monotonic() > stopped_at + STOPPED_S, "a while of it", STOPPED_S + 10)
    assert still.size() == had
    during = becomes(listening, "live")
    assert during["reconnects"] == 0 and during["dropped_frames"] == dropped, "its frames are nobody else's"
    still.process.signal(signal.SIGCONT)
    wait_until(lambda: still.size() > had + 50_000, "the stopped one to receive again", 30)
    encodes_on(listening, 50)
    listening.srt.signal(15)
    listening.srt.ends_well()
    moving.process.wait(20)
    assert len(whole_from_its_first_frame(moving.path, listening.srt)) >= (STOPPED_S + 2) * FPS
    numbers = [frame.index for frame in read_marks(still.path).frames if frame.index is not None]
    record_property("stopped_client", runs(numbers))
    assert numbers == sorted(numbers), "what it got is in order, with a hole"


def test_8_clients_at_once_are_whole_from_a_keyframe_on_whoever_comes_and_goes(listening, client):
    clients = [client(Ffmpeg if number < 2 else LiveTransmit) for number in range(8)]
    wait_until(lambda: min(each.size() for each in clients) > 20_000, "all to receive")
    shown = becomes(listening, "live")
    assert shown["stats"]["clients"] == len(shown["clients"]) == 8
    for each in shown["clients"]:
        assert FIGURES <= each.keys() and each["address"].startswith("127.0.0.1:"), each
    assert len({each["address"] for each in shown["clients"]}) == 8
    clients.pop().process.signal(signal.SIGINT)
    clients.pop().process.kill()
    late = client()
    wait_until(lambda: late.size() > 20_000, "the late one to receive")
    encodes_on(listening, 50)
    wait_until(lambda: len(clients_of(listening)) == 7, "two to be gone and one to have come")
    assert listening.reader("srt")["reconnects"] == 0
    ends(listening, *clients, late)
    firsts = []
    for each in [*clients, late]:
        assert first_frame_is_key(each.path), each.path
        firsts.append(whole_from_its_first_frame(each.path, listening.srt)[0])
    assert firsts[-1] > max(firsts[:-1]), "the late one begins later"


def test_when_the_last_client_has_left_the_listener_waits_for_the_next_which_begins_at_a_keyframe(listening, client):
    first = client()
    wait_until(lambda: first.size() > 20_000, "the first to receive")
    first.process.signal(signal.SIGINT)
    becomes(listening, "connecting", "waits for a client at")
    wait_until(lambda: clients_of(listening) == [] and listening.reader("srt")["stats"]["clients"] == 0,
               "the client's figures to go")
    encodes_on(listening, 30)
    second = client()
    becomes(listening, "live")
    wait_until(lambda: second.size() > 20_000, "the second to receive")
    encodes_on(listening, 50)
    ends(listening, second)
    assert first_frame_is_key(second.path)
    numbers = whole_from_its_first_frame(second.path, listening.srt)
    assert numbers[0] > read_marks(first.path).indices[-1]
