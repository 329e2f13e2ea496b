# SPDX-License-Identifier: Apache-2.0
"""The SRT sink over a bad network: loss and delay, and outages of which it recovers by itself."""
import functools
import os
import statistics
import time
from pathlib import Path

import pytest
from conftest import wait_until
from far_end import runs
from marks import read_marks
from srt_end import (  # noqa: F401, the fixture
    FPS, assert_in_step, becomes, encodes_on, pictures, receiver, sink_words, whole_from_its_first_frame)
from srt_peers import LiveTransmit, first_frame_is_key, free_udp_port
from ts_packets import pts_of, ts_packets, video_pid
from udp_relay import UdpRelay

SECONDS = 60 if os.environ.get("RINGCAST_SOAK") else 8
ROUND_TRIP_S = 0.100
LOSS = 0.05
MOST_LATE_S = 0.05    # of the network itself, and of the sender: it is gone from the time to repair
MOST_SILENT_S = 0.3   # of the receiver: a sender that hears nothing for 0.9 s takes the network for jammed
MOST_RUNS = 3


class Roads:
    """The relays of a test, and who was at their ends."""

    def __init__(self):
        self.relays, self.sinks, self.others = [], [], []

    def __call__(self, port, **words):
        self.relays.append(UdpRelay(port, **words))
        return self.relays[-1]

    def worse_than_asked_for(self):
        """What the machine added by being busy, in words; None: nothing that could do harm."""
        for late in (relay.late for relay in self.relays):
            if late.road > MOST_LATE_S or late.sender > MOST_LATE_S or late.receiver > MOST_SILENT_S:
                return str(late)
        return None

    def end(self):
        for sink in self.sinks:
            sink.signal(15)
            sink.wait()
        for each in self.others:
            each.kill()
        for each in self.relays:
            each.close()
        self.relays, self.sinks, self.others = [], [], []


@pytest.fixture
def road():
    roads = Roads()
    yield roads
    roads.end()


def on_the_road_asked_for(test):
    """What fails on a network worse than the test asked for is measured again: it tells nothing of the sink. A defect
    of the sink fails on each."""
    @functools.wraps(test)
    def judged(road, tmp_path, **words):
        for run in range(1, MOST_RUNS + 1):
            (tmp_path / str(run)).mkdir()
            try:
                return test(road=road, tmp_path=tmp_path / str(run), **words)
            except (AssertionError, pytest.fail.Exception) as wrong:
                worse = road.worse_than_asked_for()
                if not worse or run == MOST_RUNS:
                    raise
                print(f"run {run} of {MOST_RUNS} is not counted, the machine was busy: {worse}; it said: {wrong}")
            road.end()
    return judged


class Sent:
    """A sink, its far end and the bad network between them."""

    def __init__(self, bus, start, road, tmp_path, name, latency, **network):
        port = free_udp_port()
        self.name, self.bus, self.latency = name, bus, latency
        self.far = LiveTransmit(start, tmp_path / f"{name}.ts", port, latency=latency)
        self.road = road(port, **network)
        self.sink = bus.sink("srt", "--name", name, "--once", *sink_words("caller", self.road.port),
                             f"latency={latency}ms")
        road.sinks.append(self.sink)
        road.others.append(self.far.process)

    def figures(self):
        reader = self.bus.reader(self.name)
        return reader["stats"] if reader else {}


@pytest.mark.soak
@on_the_road_asked_for
def test_with_5_percent_loss_and_100_ms_round_trip_all_arrives_at_400_ms_latency_and_not_at_20_ms(
        bus, start, road, tmp_path, record_property):
    network = {"loss": LOSS, "delay": ROUND_TRIP_S / 2}
    whole = Sent(bus, start, road, tmp_path, "patient", 400, **network)
    torn = Sent(bus, start, road, tmp_path, "hasty", 20, **network)
    for each in (whole, torn):
        wait_until(each.far.connected, "the connection")
    producer = bus.testsrc("--seconds", str(SECONDS), "--wait-readers", "2", size="320x180")
    shown = {}

    def look():
        for each in (whole, torn):
            shown[each.name] = each.figures() or shown.get(each.name)
        return not producer.running()
    wait_until(look, "the source to end", SECONDS + 60)
    for each in (whole, torn):
        each.sink.ends_well()
        each.far.process.wait(20)
    record_property("shown", str(shown))

    for each in (whole, torn):
        there, figures = each.road.there, shown[each.name]
        assert 0.02 < there.media_lost / there.media < 0.09, "the network was as bad as it should be"
        assert figures["rtt_us"] == pytest.approx(ROUND_TRIP_S * 1e6, rel=0.5)
        assert figures["loss_packets"] >= there.media_lost / 2
        assert figures["bandwidth_bps"] > 0 and figures["send_rate_bps"] > 0
    # At 20 ms a repeated packet comes too late, and is asked for all the same.
    assert shown["patient"]["retransmitted_packets"] >= whole.road.there.media_lost / 2

    numbers = whole_from_its_first_frame(whole.far.path, whole.sink)
    assert numbers[0] < FPS and numbers[-1] == SECONDS * FPS - 1

    marks = read_marks(torn.far.path)
    harmed = len(marks.missing) + marks.unreadable
    record_property("harmed_frames", harmed)
    assert harmed > 0 and marks.decoder_messages, "a network that harms nobody proves nothing"


def keeps(sent, bus, seconds):
    """An outage of so many seconds, and which states were shown in it."""
    states = {}
    sent.road.outage = True
    cut_at = time.monotonic()

    def look():
        reader = bus.reader(sent.name)
        states[reader["state"]] = reader["reason"]
        return time.monotonic() > cut_at + seconds
    wait_until(look, "the outage to be over")
    sent.road.outage = False
    return states


@on_the_road_asked_for
def test_an_outage_of_2_s_is_recovered_from_on_the_same_connection(
        pictures, start, road, tmp_path, record_property):
    sent = Sent(pictures, start, road, tmp_path, "srt", 200, delay=0.01)
    becomes(pictures, "live")
    encodes_on(pictures, 50)
    states = keeps(sent, pictures, 2)
    over_at = time.monotonic()
    shown = becomes(pictures, "live")
    record_property("live_again_s", round(time.monotonic() - over_at, 2))
    encodes_on(pictures, 125)
    assert pictures.reader("srt")["reconnects"] == shown["reconnects"] == 0
    assert "backoff" not in states and "rejected" not in states, states
    assert len(sent.road.clients) == 1 and sent.far.connected() == 1
    sent.sink.signal(15)
    sent.sink.ends_well()
    sent.far.process.wait(20)
    marks = read_marks(sent.far.path)
    numbers = marks.indices
    [(last, next_one)] = [(a, b) for a, b in zip(numbers, numbers[1:]) if b > a + 1]
    record_property("frames", runs(numbers))
    # What was under way is repeated; what did not fit goes, to the next keyframe: one cut.
    assert next_one - last - 1 <= (2 + 2) * FPS, runs(numbers)
    assert marks.unreadable == 0 and marks.out_of_order == [], runs(numbers)
    torn = {message for message in marks.decoder_messages if "dts =" in message}
    assert len(torn) <= 1, f"the cut may go through one picture: {torn}"
    assert numbers[-1] - next_one > 50, "whole again, and for long"
    assert_in_step(sent.far.path, marks)
    assert sent.road.there.repeated > 0


@on_the_road_asked_for
def test_what_gets_lost_at_the_very_end_of_a_stream_is_sent_again_before_the_sink_ends(bus, start, road, tmp_path):
    sent = Sent(bus, start, road, tmp_path, "srt", 200, delay=0.02)
    wait_until(sent.far.connected, "the connection")
    producer = bus.testsrc("--seconds", "3", "--wait-readers", "1", size="320x180")
    wait_until(lambda: bus.encoded("srt") >= 3 * FPS - 15, "all but the last half second")
    sent.road.outage = True
    producer.ends_well()
    time.sleep(0.5)  # what is made of the last frames leaves meanwhile
    sent.road.outage = False
    sent.sink.ends_well()
    sent.far.process.wait(20)
    assert sent.road.there.cut > 0 and sent.road.there.repeated > 0
    assert whole_from_its_first_frame(sent.far.path, sent.sink)[-1] == 3 * FPS - 1


@on_the_road_asked_for
def test_an_outage_of_8_s_ends_in_a_new_connection_that_begins_at_a_keyframe(
        pictures, start, road, tmp_path, record_property):
    sent = Sent(pictures, start, road, tmp_path, "srt", 200)
    becomes(pictures, "live")
    encodes_on(pictures, 50)
    states = keeps(sent, pictures, 8)
    assert {"stalled", "backoff"} <= states.keys() and "rejected" not in states, states
    assert not sent.far.process.running(), "libsrt gives a silent peer up after 5 s"
    again = LiveTransmit(start, tmp_path / "again.ts", sent.road.target[1])
    over_at = time.monotonic()
    shown = becomes(pictures, "live")
    record_property("live_again_s", round(time.monotonic() - over_at, 2))
    assert shown["reconnects"] == 1
    encodes_on(pictures, 75)
    sent.sink.signal(15)
    sent.sink.ends_well()
    again.process.wait(20)
    assert first_frame_is_key(again.path)
    assert len(whole_from_its_first_frame(again.path, sent.sink)) > 50
    before = read_marks(sent.far.path)
    told = f"what came before the outage is not whole: {runs(before.indices)}, {before.decoder_messages[:3]}"
    assert before.missing == [] and before.unreadable == 0, told + sent.sink.output()


def ages(connection):
    """Of each picture that came, its arrival, how much later that was than its media time says, and that time."""
    messages = list(connection.messages)
    pid = video_pid([packet for _, message in messages[:3] for packet in ts_packets(message)])
    begins = [(arrival, pts_of(packet)) for arrival, message in messages for packet in ts_packets(message)
              if packet.pid == pid and packet.starts]
    return [(arrival, arrival - media, media) for arrival, media in begins]


def resident_bytes(process):
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


@on_the_road_asked_for
def test_on_a_road_of_half_the_bitrate_pictures_are_dropped_and_not_late_and_soon_fresh_when_it_is_wide_again(
        pictures, start, road, tmp_path, receiver, record_property):
    latency, queue = 0.2, 2
    far = receiver(latency=int(latency * 1000))
    relay = road(far.port, delay=0.01)
    sink = pictures.sink("srt", *sink_words("caller", relay.port), "latency=200ms", "queue=2s", "video.bitrate=1M")
    road.sinks.append(sink)
    becomes(pictures, "live")
    carried, began_at = relay.there.bytes, time.monotonic()
    encodes_on(pictures, 50)
    memory = resident_bytes(sink)
    narrow_at = time.monotonic()
    relay.rate = (relay.there.bytes - carried) / (narrow_at - began_at) / 2
    wait_until(lambda: time.monotonic() > narrow_at + 5, "a while of it")
    shown, grown = pictures.reader("srt"), resident_bytes(sink) - memory
    relay.rate = None
    wide_at = time.monotonic()
    wait_until(lambda: time.monotonic() > wide_at + 4, "a while of the wide road")
    sink.signal(15)
    sink.ends_well()

    assert shown["stats"]["send_drop_packets"] > 0 and shown["state"] == "live", shown
    assert shown["reconnects"] == 0 and len(far.connections) == 1
    assert grown < 8 << 20, f"{grown} bytes more on a narrow road"
    came = ages(far.connections[0])
    usual = statistics.median(age for at, age, _ in came if at < narrow_at)
    during = [age - usual for at, age, _ in came if narrow_at <= at < wide_at]
    record_property("oldest_s", round(max(during), 2))
    assert len(during) >= FPS and max(during) <= latency + queue + 1
    # A bound of 5 s is asked for; this waits for less.
    fresh = [(age - usual, media) for at, age, media in came if at >= wide_at + 2.5]
    assert len(fresh) >= FPS and max(fresh)[0] <= latency + 0.3, f"not fresh again: {fresh}"
    (tmp_path / "all.ts").write_bytes(far.connections[0].bytes())
    marks = read_marks(tmp_path / "all.ts")
    record_property("frames", runs(marks.indices))
    assert marks.out_of_order == []
    # The road itself loses packets, so that pictures are torn there; not one is when it is wide again.
    last = [frame.index for frame in marks.frames if frame.pts >= fresh[0][1]]
    assert None not in last and last == list(range(last[0], last[0] + len(last))), runs(last)
