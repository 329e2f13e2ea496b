# SPDX-License-Identifier: Apache-2.0
"""A sink whose peer is slow, frozen or away: what gets there is fresh and whole, and what is told is true."""
import os
import signal
import subprocess
import time

import pytest
from conftest import wait_until
from far_end import MAX_SKEW_MS
from marks import read_marks
from narrow_road import Listener, NarrowRoad
from python_model import SLACK, SLOW, in_order, producer, whole_marks  # noqa: F401, the fixture
from rtmp_servers import NginxRtmp, NodeMediaServer, PublishHook, secret_file
from sink_state import becomes, private_kb, reader_of

pytestmark = pytest.mark.in_time

KEY = "life-of-the-tests"
BITRATE = 1_200_000  # held exactly: what a road is wide enough for is known
QUEUE_S = 2.0
SOAK = bool(os.environ.get("RINGCAST_SOAK"))


@pytest.fixture
def server(start, tmp_path):
    """Counts in `hook` how often somebody began to publish."""
    hook = PublishHook()
    nginx = NginxRtmp(start, tmp_path / "nginx", unique=True, on_publish=hook.url)
    nginx.hook = hook
    yield nginx
    hook.close()


def send(bus, port, tmp_path, bitrate=BITRATE, **road):
    """A stream at an exact rate to the server at `port`, on a road of its own."""
    bus.producer = bus.testsrc(size="320x180")
    bus.road = NarrowRoad(port, **road)
    bus.rtmp = bus.sink("rtmp", f"rtmp://127.0.0.1:{bus.road.port}/live", "key=" + secret_file(tmp_path / "key", KEY),
                        f"video.bitrate={bitrate // 1000}k", "video.rate_control=cbr",
                        "video.options=x264-params=nal-hrd=cbr", "audio.bitrate=64k")
    becomes(bus, "live")
    return bus


def listen(bus, port):
    bus.listener = Listener(f"rtmp://127.0.0.1:{port}/live/{KEY}")
    wait_until(lambda: len(bus.listener.frames) > 75, "three seconds of frames", 20)


@pytest.fixture
def air(bus):
    """A bus whose road and listener end with the test."""
    bus.road = bus.listener = None
    yield bus
    for each in (bus.listener, bus.road):
        if each:
            each.close()


@pytest.fixture
def sending(air, server, tmp_path):
    return send(air, server.port, tmp_path)


def assert_decodes(server):
    """Every frame that was delivered: nothing refers to one that was dropped."""
    for recording in server.recordings():
        done = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-err_detect", "explode", "-i", recording, "-f", "null",
                               "-"], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 and not done.stderr, done.stderr[-2000:]


def ends(bus, server):
    bus.producer.kill()
    bus.rtmp.signal(15)
    bus.rtmp.ends_well()
    time.sleep(0.5)
    assert_decodes(server)


def assert_fresh(ages):
    assert ages and sorted(ages)[len(ages) // 2] <= 0.3, ages


# Bits per second, and what the kernel keeps for the proxy: nothing said is what anybody's proxy has, 128 kB and more.
NARROW = [(1_000_000, {})]
if SOAK:
    NARROW += [(500_000, {}), (3_000_000, {}), (6_000_000, {}), (2_000_000, {"kernel_bytes": 4 << 20}),
               (1_200_000, {"kernel_bytes": 16384, "read_bytes": 4096})]


@pytest.mark.soak
@pytest.mark.parametrize(("bitrate", "road"), NARROW)
def test_at_half_the_bitrate_what_comes_is_no_older_than_the_queue_and_decodes(
        air, server, tmp_path, record_property, bitrate, road):
    send(air, server.port, tmp_path, bitrate, **road)
    listen(air, server.port)
    before = private_kb(air.rtmp.pid)
    air.road.rate = bitrate / 8 / 2
    narrow_at = time.monotonic()
    told = becomes(air, "live", "too slow")
    assert told["dropped_frames"] > 0 and told["queue_ns"] <= QUEUE_S * 1e9
    wait_until(lambda: time.monotonic() > narrow_at + 11, "a while of it")
    assert reader_of(air)["reconnects"] == 0, "slow is not gone"
    assert private_kb(air.rtmp.pid) - before < 4_000
    air.road.rate = None
    wide_at = time.monotonic()
    wait_until(lambda: time.monotonic() > wide_at + 7, "recovery")
    during = air.listener.ages(narrow_at, wide_at)
    record_property("oldest_s", round(max(during), 2))
    assert len(during) > 50 and max(during) <= QUEUE_S + 1.0, max(during)
    assert_fresh(air.listener.ages(wide_at + 5))
    ends(air, server)


# How long, at which rate; a queue without a bound would hold 12 MB after the second one.
FROZEN = [(2, BITRATE), (5, 20_000_000)]


@pytest.mark.parametrize(("seconds", "bitrate"), FROZEN + ([(1.2, BITRATE), (9, BITRATE)] if SOAK else []))
def test_a_road_frozen_for_a_while_is_told_and_fresh_again_without_a_reconnect(air, server, tmp_path, seconds, bitrate):
    send(air, server.port, tmp_path, bitrate)
    listen(air, server.port)
    before = private_kb(air.rtmp.pid)
    air.road.rate = 0
    frozen_at = time.monotonic()
    if seconds >= 2:
        becomes(air, "stalled", "takes nothing")
    wait_until(lambda: time.monotonic() > frozen_at + seconds, "the thaw")
    assert private_kb(air.rtmp.pid) - before < 8_000
    air.road.rate = None
    thawed_at = time.monotonic()
    becomes(air, "live")
    wait_until(lambda: time.monotonic() > thawed_at + 6, "recovery")
    assert_fresh(air.listener.ages(thawed_at + 5))
    assert reader_of(air)["reconnects"] == 0 and air.road.connections == 1
    ends(air, server)


def test_another_server_tells_as_well_how_far_it_has_read(air, start, tmp_path):
    """Measured on the road: to its viewers this server sends in heaps when it gets heaps."""
    server = NodeMediaServer(start)
    send(air, server.port, tmp_path)
    sent = reader_of(air)["sent_bytes"]
    wait_until(lambda: reader_of(air)["sent_bytes"] > sent + BITRATE / 8 * 3, "three seconds of it")
    air.road.rate = BITRATE / 8 / 2
    narrow_at = time.monotonic()
    under_way = []

    def look():
        carried = air.road.carried
        under_way.append((reader_of(air)["sent_bytes"] - carried) / air.road.rate)
        return time.monotonic() > narrow_at + 10

    begun = air.road.carried
    wait_until(look, "a while of it")
    assert max(under_way) <= 1.5, under_way
    assert air.road.carried - begun > 0.7 * 10 * air.road.rate, "the road is used"
    assert reader_of(air)["reconnects"] == 0


def test_what_a_sink_says_of_itself_while_it_sends(sending):
    reader = wait_until(lambda: (now := reader_of(sending))["sent_bytes_per_second"] > BITRATE / 16
                        and 20 < now["encoded_fps"] < 30 and now, "a rate that has settled")
    assert reader["state"] == "live" and reader["reason"] == ""
    assert BITRATE / 16 < reader["sent_bytes_per_second"] < BITRATE / 4
    assert 0 < reader["encode_p50_ns"] <= reader["encode_p99_ns"]
    assert 0 < reader["sent_frame_age_ns"] < 1e9
    assert reader["reconnects"] == 0


def steps(recording, track):
    """Distances of the packets of a track in the file, milliseconds."""
    done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", track, "-show_entries", "packet=dts", "-of", "csv=p=0",
                           recording], capture_output=True, text=True, check=True, timeout=60)
    times = [int(line.split(",")[0]) for line in done.stdout.split()]
    return [after - before for before, after in zip(times, times[1:])]


def test_a_model_that_stalls_dies_and_comes_back_is_one_publication_without_a_seam(sending, server):
    def encodes_on(frames):
        now = sending.encoded("rtmp")
        wait_until(lambda: sending.encoded("rtmp") > now + frames, f"{frames} more frames", 30)

    encodes_on(25)
    sending.producer.signal(signal.SIGSTOP)
    becomes(sending, "stalled", "nothing comes")
    encodes_on(50)
    sending.producer.signal(signal.SIGCONT)
    becomes(sending, "live")
    encodes_on(25)
    sending.producer.kill()
    becomes(sending, "stalled")
    encodes_on(25)
    sending.producer = sending.testsrc(size="320x180")
    becomes(sending, "live", limit=20)
    encodes_on(50)
    assert len(server.hook.bodies) == 1 and sending.road.connections == 1
    ends(sending, server)
    [recording] = server.recordings()
    assert set(steps(recording, "v")) == {40}
    assert set(steps(recording, "a")) <= {23, 24}
    marks = read_marks(recording)
    assert marks.sound.jumps == []
    assert len(marks.gaps) == 2, f"silent where the model stood still and where it was gone only: {marks.gaps}"


def test_a_new_key_at_sighup_ends_one_publication_and_begins_the_next_and_both_are_whole(sending, server, tmp_path):
    (tmp_path / "key").write_text("the-next-key")
    first = sending.encoded("rtmp")
    wait_until(lambda: sending.encoded("rtmp") > first + 50, "two seconds with the first key")
    sending.rtmp.signal(signal.SIGHUP)
    wait_until(lambda: len(server.hook.bodies) == 2, "the second publication")
    assert b"name=" + KEY.encode() in server.hook.bodies[0] and b"name=the-next-key" in server.hook.bodies[1]
    second = sending.encoded("rtmp")
    wait_until(lambda: sending.encoded("rtmp") > second + 50, "two seconds with the second key")
    assert reader_of(sending)["state"] == "live"
    ends(sending, server)
    recordings = server.recordings()
    assert sorted(path.name.split("-1")[0] for path in recordings) == [KEY, "the-next-key"], recordings
    for recording in recordings:
        assert len(in_order(read_marks(recording))) > 25


def test_a_model_at_20_of_25_fps_is_sent_at_a_constant_rate_for_as_long_as_the_clock(bus, server, tmp_path, producer):
    sink = bus.sink("rtmp", "--once", "on_end=close", server.url, "key=" + secret_file(tmp_path / "key", KEY))
    wait_until(lambda: server.connects(), "the consent to the app")
    ran = producer(SLOW.format(seconds=6, fps=20, lockstep="", threads="[pictures]"))
    sink.ends_well()
    assert len(server.hook.bodies) == 1
    [recording] = server.recordings()
    assert set(steps(recording, "v")) == {40}
    marks = read_marks(recording)
    numbers = set(in_order(marks))
    assert min(numbers) < 12 and max(numbers) == 119, "the first few come before the server's consent"
    assert marks.video_seconds == pytest.approx(ran - min(numbers) / 20, abs=SLACK)
    assert marks.audio_seconds == pytest.approx(marks.video_seconds, abs=0.1)
    whole = whole_marks(marks)
    assert len(whole) >= 3 and all(abs(mark.ms) <= MAX_SKEW_MS for mark in whole), marks.sync
