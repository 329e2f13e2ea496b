# SPDX-License-Identifier: Apache-2.0
"""A sink whose peer is slow, frozen or away: what gets there is fresh and whole, and what is told is true."""
import signal
import subprocess
import time

import pytest
from conftest import wait_until
from far_end import MAX_SKEW_MS
from marks import read_marks
from narrow_road import Listener, NarrowRoad
from python_model import SLACK, SLOW, in_order, producer, whole_marks  # noqa: F401, the fixture
from rtmp_servers import NginxRtmp, PublishHook, secret_file

KEY = "life-of-the-tests"
BITRATE = 1_200_000  # held exactly: what a road is wide enough for is known
QUEUE_S = 2.0


def reader_of(bus):
    return bus.reader("rtmp") or {"state": "", "reason": ""}


def becomes(bus, state, *words, limit=30):
    def look():
        reader = reader_of(bus)
        return reader["state"] == state and all(word in reader["reason"] for word in words) and reader
    return wait_until(look, f"{state} with {words}; it is {reader_of(bus)}", limit)


@pytest.fixture
def server(start, tmp_path):
    """Counts in `hook` how often somebody began to publish."""
    hook = PublishHook()
    nginx = NginxRtmp(start, tmp_path / "nginx", unique=True, on_publish=hook.url)
    nginx.hook = hook
    yield nginx
    hook.close()


@pytest.fixture
def sending(bus, server, tmp_path):
    """A stream at an exact rate on a road of its own."""
    bus.producer = bus.testsrc(size="320x180")
    bus.road = NarrowRoad(server.port)
    bus.rtmp = bus.sink("rtmp", f"rtmp://127.0.0.1:{bus.road.port}/live", "key=" + secret_file(tmp_path / "key", KEY),
                        f"video.bitrate={BITRATE // 1000}k", "video.rate_control=cbr",
                        "video.options=x264-params=nal-hrd=cbr", "audio.bitrate=64k")
    becomes(bus, "live")
    yield bus
    bus.road.close()
    bus.producer.kill()


@pytest.fixture
def on_air(sending, server):
    """With a listener behind the server."""
    sending.listener = Listener(f"rtmp://127.0.0.1:{server.port}/live/{KEY}")
    wait_until(lambda: len(sending.listener.frames) > 75, "three seconds of frames", 20)
    yield sending
    sending.listener.close()


def assert_decodes(server):
    """Every frame that was delivered: nothing refers to one that was dropped."""
    for recording in server.recordings():
        done = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-err_detect", "explode", "-i", recording, "-f", "null", "-"],
                              capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 and not done.stderr, done.stderr[-2000:]


def ends(on_air, server):
    on_air.producer.kill()
    on_air.rtmp.signal(15)
    on_air.rtmp.ends_well()
    time.sleep(0.5)
    assert_decodes(server)


def test_at_half_the_bitrate_what_comes_is_no_older_than_the_queue_and_decodes(on_air, server):
    on_air.road.rate = BITRATE / 8 / 2
    narrow_at = time.monotonic()
    told = becomes(on_air, "live", "too slow")
    assert told["dropped_frames"] > 0 and told["queue_ns"] <= QUEUE_S * 1e9
    wait_until(lambda: time.monotonic() > narrow_at + 14, "a while of it")
    assert reader_of(on_air)["reconnects"] == 0, "slow is not gone"
    on_air.road.rate = None
    wide_at = time.monotonic()
    wait_until(lambda: time.monotonic() > wide_at + 7, "recovery")
    during = on_air.listener.ages(narrow_at, wide_at)
    assert len(during) > 50 and max(during) <= QUEUE_S + 1.0, max(during)
    after = on_air.listener.ages(wide_at + 5)
    assert after and sorted(after)[len(after) // 2] <= 0.3, after
    ends(on_air, server)


def test_a_road_frozen_for_two_seconds_is_told_and_fresh_again_without_a_reconnect(on_air, server):
    on_air.road.rate = 0
    frozen_at = time.monotonic()
    becomes(on_air, "stalled", "takes nothing", limit=10)
    wait_until(lambda: time.monotonic() > frozen_at + 2, "two seconds")
    on_air.road.rate = None
    thawed_at = time.monotonic()
    becomes(on_air, "live", limit=10)
    wait_until(lambda: time.monotonic() > thawed_at + 6, "recovery")
    after = on_air.listener.ages(thawed_at + 5)
    assert after and sorted(after)[len(after) // 2] <= 0.3, after
    assert reader_of(on_air)["reconnects"] == 0 and on_air.road.connections == 1
    ends(on_air, server)


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
    becomes(sending, "stalled", "nothing comes", limit=10)
    encodes_on(50)
    sending.producer.signal(signal.SIGCONT)
    becomes(sending, "live", limit=10)
    encodes_on(25)
    sending.producer.kill()
    becomes(sending, "stalled", limit=10)
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
