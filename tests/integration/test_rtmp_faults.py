# SPDX-License-Identifier: Apache-2.0
"""The RTMP sink and what goes wrong: servers that refuse, vanish or say nothing; others must not notice."""
import json
import signal
import socket
import threading
import time

import pytest
from conftest import wait_until
from far_end import assert_prefix, frame_count
from marks import read_marks
from narrow_road import NarrowRoad
from ports import in_url
from rtmp_servers import NginxRtmp, NodeMediaServer, PublishHook, secret_file
from sink_state import becomes, private_kb, state
from tls_end import made, tls  # noqa: F401, the fixtures
from tls_front import ADDRESSES, TlsFront

pytestmark = pytest.mark.in_time

KEY = "stream-of-the-tests"


@pytest.fixture
def key(tmp_path):
    return "key=" + secret_file(tmp_path / "key", KEY)


@pytest.fixture
def pictures(bus):
    """A bus that goes on until the test ends."""
    bus.producer = bus.testsrc(size="320x180")
    yield bus
    bus.producer.kill()


def assert_hidden(sink, bus):
    assert KEY not in sink.output()
    assert KEY not in json.dumps(bus.info())


def test_an_unknown_host_is_told_by_name_and_tried_again(pictures, key):
    sink = pictures.sink("rtmp", "rtmp://no-such-host.invalid/live", key)
    becomes(pictures, "backoff", "no-such-host.invalid")
    wait_until(lambda: sink.output().count("next attempt") > 1, "a second attempt")
    assert_hidden(sink, pictures)


def test_a_closed_port_is_told_and_the_sink_is_live_when_it_opens(pictures, start, tmp_path, key):
    nginx = NginxRtmp(start, tmp_path / "nginx")
    nginx.kill()
    sink = pictures.sink("rtmp", nginx.url, key)
    becomes(pictures, "backoff", "refused", str(nginx.port))
    nginx.start()
    becomes(pictures, "live")
    assert_hidden(sink, pictures)


def test_a_key_that_on_publish_refuses_is_rejected_and_the_key_not_shown(pictures, start, tmp_path, key):
    hook = PublishHook(allow=lambda body: False)
    nginx = NginxRtmp(start, tmp_path / "nginx", on_publish=hook.url)
    sink = pictures.sink("rtmp", nginx.url, key)
    becomes(pictures, "rejected", "key")
    assert_hidden(sink, pictures)
    hook.close()


def test_a_stream_key_in_use_is_rejected_in_the_server_s_words_and_the_first_stays(pictures, start, tmp_path, key):
    nginx = NginxRtmp(start, tmp_path / "nginx")
    pictures.sink("rtmp", "--name", "first", nginx.url, key)
    becomes(pictures, "live", name="first")
    wait_until(lambda: "publish: name" in nginx.log(), "the first publisher")
    second = pictures.sink("rtmp", "--name", "second", nginx.url, key)
    becomes(pictures, "rejected", "NetStream.Publish.BadName: Already publishing", name="second")
    assert_hidden(second, pictures)
    assert state(pictures, "first")[0] == "live"


def test_a_server_that_hangs_up_without_a_word_has_refused_the_key(pictures, start, key):
    server = NodeMediaServer(start)
    pictures.sink("rtmp", "--name", "first", server.url, key)
    wait_until(lambda: "New stream" in server.process.output(), "the first publisher")
    second = pictures.sink("rtmp", "--name", "second", server.url, key)
    becomes(pictures, "rejected", "hung up while asking to publish", "in use", name="second")
    assert_hidden(second, pictures)


def test_a_server_that_dies_and_comes_back_is_live_again_and_the_recorder_whole(
        pictures, start, tmp_path, key, record_property):
    nginx = NginxRtmp(start, tmp_path / "nginx", unique=True)
    recorder = pictures.sink("file", tmp_path / "whole.mkv")
    sink = pictures.sink("rtmp", nginx.url, key)
    becomes(pictures, "live")
    begun = pictures.encoded("rtmp")
    wait_until(lambda: pictures.encoded("rtmp") > begun + 50, "a first life of two seconds")
    told = {}
    killed_at = time.monotonic()
    nginx.kill()

    def away():
        told[state(pictures)[0]] = state(pictures)[1]
        return time.monotonic() > killed_at + 3
    wait_until(away, "an outage of three seconds")
    nginx.start()
    back_at = time.monotonic()
    becomes(pictures, "live", limit=5)
    record_property("live_again_s", round(time.monotonic() - back_at, 2))
    assert "rejected" not in told and "backoff" in told, told
    wait_until(lambda: len(nginx.recordings()) == 2 and nginx.recordings()[-1].stat().st_size > 100_000,
               "the second life")
    sink.signal(2)
    sink.ends_well()
    encoded = pictures.encoded("file")
    recorder.signal(2)
    recorder.ends_well()
    assert_prefix(tmp_path / "whole.mkv", encoded - 1, 25)
    numbers = read_marks(nginx.recordings()[-1]).indices
    assert numbers == list(range(numbers[0], numbers[-1] + 1)), "the second connection begins whole and stays so"
    assert_hidden(sink, pictures)


class Silence:
    """Accepts and reads nothing."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.peers = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                self.peers.append(self.listener.accept()[0])
            except OSError:
                return

    def close(self):
        self.listener.close()
        for peer in self.peers:
            peer.close()


def test_a_peer_that_accepts_and_says_nothing_is_given_up_and_a_stop_ends_at_once(pictures, key):
    silence = Silence()
    sink = pictures.sink("rtmp", f"rtmp://127.0.0.1:{silence.port}/live", key)
    becomes(pictures, "backoff", "no answer", "shaking hands")
    wait_until(lambda: len(silence.peers) > 1, "the next attempt")
    sink.signal(15)
    sink.wait(5)
    silence.close()


@pytest.mark.slow
def test_a_server_that_is_frozen_for_good_is_stalled_until_the_watchdog_leaves_it(
        pictures, start, tmp_path, key, record_property):
    """At a bitrate of which kernels take some seconds before nothing leaves any more."""
    nginx = NginxRtmp(start, tmp_path / "nginx")
    sink = pictures.sink("rtmp", "--name", "rtmp", nginx.url, key, "video.bitrate=1M")
    becomes(pictures, "live")
    wait_until(lambda: pictures.encoded("rtmp") > 150, "trust in the server's acknowledgements")
    nginx.process.signal(signal.SIGSTOP)
    frozen = time.monotonic()
    seen = []
    while (now := state(pictures)[0]) != "backoff":
        if not seen or seen[-1] != now:
            seen.append(now)
        assert time.monotonic() - frozen < 30, seen
        time.sleep(0.05)
    took = time.monotonic() - frozen
    record_property("left_after_s", round(took, 1))
    nginx.process.signal(signal.SIGCONT)
    assert seen == ["live", "stalled"], "what kernels take is no life of the server"
    becomes(pictures, "live")
    assert_hidden(sink, pictures)


@pytest.mark.slow
def test_a_peer_that_stops_reading_is_found_out_and_the_next_connection_is_whole(
        pictures, start, tmp_path, key, record_property):
    nginx = NginxRtmp(start, tmp_path / "nginx", unique=True)
    road = NarrowRoad(nginx.port)
    sink = pictures.sink("rtmp", f"rtmp://127.0.0.1:{road.port}/live", key, "video.bitrate=8M",
                         "video.rate_control=cbr", "video.options=x264-params=nal-hrd=cbr")
    becomes(pictures, "live")
    wait_until(nginx.recordings, "the first life")
    first = nginx.recordings()[-1]
    before = private_kb(sink.pid)
    road.rate = 0
    frozen_at = time.monotonic()
    becomes(pictures, "backoff", "took nothing", limit=12)
    record_property("found_out_s", round(time.monotonic() - frozen_at, 2))
    assert private_kb(sink.pid) - before < 24_000, "a queue of 2 s of 8 Mb/s, not all that was made"
    road.rate = None
    wait_until(lambda: nginx.recordings()[-1] != first and nginx.recordings()[-1].stat().st_size > 100_000,
               "the second life")
    sink.signal(2)
    sink.ends_well()
    numbers = read_marks(nginx.recordings()[-1]).indices
    assert numbers == list(range(numbers[0], numbers[-1] + 1)), "the second connection begins whole and stays so"
    road.close()


def test_rtmps_gets_the_certificate_of_the_name_it_asks_for(bus, tls, key):
    for number, name in enumerate([tls.names.first, tls.names.second]):
        sink = bus.sink("rtmp", "--once", f"rtmps://{name}:{tls.port}/live", key, f"tls_ca={tls.made.authority}")
        wait_until(lambda: len(tls.nginx.connects()) > number, "the consent to the app")
        bus.testsrc("--seconds", "2").ends_well()
        sink.ends_well()
        assert tls.asked[-1] == name, "the name the client sent"
        assert frame_count(tls.nginx.folder / f"{KEY}.flv") > 40, name


@pytest.mark.parametrize(("shown", "words"), [
    ("other_name", "another name"), ("self_signed", "signed by nobody"), ("expired", "has expired")])
def test_a_certificate_that_does_not_hold_is_refused_with_the_reason(pictures, tls, key, shown, words):
    tls.show(shown)
    sink = pictures.sink("rtmp", f"rtmps://{tls.names.first}:{tls.port}/live", key, f"tls_ca={tls.made.authority}")
    becomes(pictures, "rejected", "certificate of " + tls.names.first, words)
    assert not tls.nginx.connects(), "not a byte of RTMP before the certificate holds"
    assert_hidden(sink, pictures)


def test_without_tls_ca_only_the_authorities_of_the_machine_are_trusted(pictures, tls, key):
    pictures.sink("rtmp", f"rtmps://{tls.names.first}:{tls.port}/live", key)
    reason = becomes(pictures, "rejected")["reason"]
    assert "signed by nobody" in reason or "no authorities" in reason
    assert not tls.nginx.connects()


def test_a_refusal_by_hanging_up_without_tls_s_farewell_is_a_refusal_and_no_lost_network(
        pictures, start, tmp_path, made, key):
    hook = PublishHook(allow=lambda body: False)
    front = TlsFront(NginxRtmp(start, tmp_path / "nginx", on_publish=hook.url).port, made)  # closes bare
    sink = pictures.sink("rtmp", f"rtmps://{front.names.first}:{front.port}/live", key, f"tls_ca={made.authority}")
    becomes(pictures, "rejected", "hung up while asking to publish")
    assert_hidden(sink, pictures)
    front.close()
    hook.close()


@pytest.mark.parametrize("host", ADDRESSES)
def test_rtmps_to_an_address_wants_that_address_in_the_certificate(bus, start, tmp_path, made, key, host):
    nginx = NginxRtmp(start, tmp_path / "nginx", host=host)
    front = TlsFront(nginx.port, made, host=host, shown=host)
    url, trusted = f"rtmps://{in_url(host)}:{front.port}/live", f"tls_ca={made.authority}"
    sink = bus.sink("rtmp", "--once", url, key, trusted)
    wait_until(nginx.connects, "the consent to the app")
    bus.testsrc("--seconds", "2").ends_well()
    sink.ends_well()
    assert front.asked == [None], "an address is no name to ask for"
    assert frame_count(nginx.folder / f"{KEY}.flv") > 40
    front.close()
    stranger = TlsFront(nginx.port, made, host=host, shown=front.names.first)
    producer = bus.testsrc()
    bus.sink("rtmp", url.replace(str(front.port), str(stranger.port)), key, trusted)
    becomes(bus, "rejected", "certificate of " + host, "another name")
    assert len(nginx.connects()) == 1
    producer.kill()
    stranger.close()


def test_tls_verify_no_goes_on_and_says_so_loudly(pictures, tls, key):
    tls.show("self_signed")
    sink = pictures.sink("rtmp", f"rtmps://{tls.names.first}:{tls.port}/live", key, "tls_verify=no")
    becomes(pictures, "live")
    assert "ANYBODY" in sink.output() and "warn" in sink.output()
    assert_hidden(sink, pictures)


def test_rtmps_to_a_port_without_tls_is_told_so(pictures, key):
    web = PublishHook()
    pictures.sink("rtmp", f"rtmps://127.0.0.1:{web.server.server_port}/live", key)
    becomes(pictures, "backoff", "does not speak TLS")
    web.close()


@pytest.mark.parametrize(("words", "said"), [
    (["url=http://127.0.0.1/live", "{key}"], "rtmp://"),
    (["url=srt://127.0.0.1:9000", "{key}"], "the sink srt"),
    (["url=rtmp://127.0.0.1", "{key}"], "names no app"),
    (["url=rtmp://127.0.0.1/live"], "key=env:NAME"),
    (["url=rtmp://127.0.0.1:99999/live", "{key}"], "port"),
    (["url=rtmp://::1/live", "{key}"], "brackets"),
    (["{key}"], "where to"),
    (["url=rtmps://127.0.0.1/live", "{key}", "tls_ca=/nonexistent.pem"], "tls_ca=/nonexistent.pem"),
])
def test_wrong_words_end_with_one_line_that_helps(bus, key, words, said):
    sink = bus.sink("rtmp", *[word.format(key=key) for word in words])
    assert sink.wait() == 2
    assert sink.output().count("\n") == 1 and said in sink.output(), sink.output()
