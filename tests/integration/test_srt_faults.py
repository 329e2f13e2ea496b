# SPDX-License-Identifier: Apache-2.0
"""The SRT sink and ends that refuse, are not there, or want something else: the state, the reason, and no secret."""
import json
import re
import socket

import pytest
from conftest import wait_until
from rtmp_servers import secret_file
from srt_end import PASSPHRASE, becomes, encodes_on, pictures, receiver, sink_words  # noqa: F401, the fixtures
from srt_peers import LiveTransmit, free_udp_port
from srt_receiver import FORBIDDEN

OTHERS = "opens-another-door"


def passphrase(tmp_path, text=PASSPHRASE):
    return "passphrase=" + secret_file(tmp_path / f"secret-{text}", text)


def assert_hidden(sink, bus, *texts):
    for text in texts:
        assert text not in sink.output()
        assert text not in json.dumps(bus.info())


@pytest.mark.parametrize(("ours", "theirs", "said"), [
    (PASSPHRASE, OTHERS, "wrong passphrase"), (None, OTHERS, "passphrase"), (PASSPHRASE, None, "passphrase")],
    ids=["another", "only-theirs", "only-ours"])
def test_a_passphrase_that_does_not_fit_is_rejected_with_the_reason_and_nothing_gets_through(
        pictures, start, tmp_path, ours, theirs, said):
    port = free_udp_port()
    far = LiveTransmit(start, tmp_path / "far.ts", port, again=True, **({"passphrase": theirs} if theirs else {}))
    sink = pictures.sink("srt", *sink_words("caller", port), *([passphrase(tmp_path, ours)] if ours else []))
    shown = becomes(pictures, "rejected", said)
    assert shown["sent_bytes"] == 0 and str(port) in shown["reason"]
    assert far.size() == 0 and far.connected() == 0
    assert_hidden(sink, pictures, PASSPHRASE, OTHERS)


def test_a_client_with_a_wrong_passphrase_is_refused_and_named_and_the_next_one_is_served(
        pictures, start, tmp_path):
    port = free_udp_port()
    sink = pictures.sink("srt", *sink_words("listener", port), passphrase(tmp_path))
    becomes(pictures, "connecting", "client", str(port))
    wrong = LiveTransmit(start, tmp_path / "wrong.ts", port, "caller", again=True, passphrase=OTHERS)
    wait_until(lambda: re.search(r"127\.0\.0\.1:\d+.*passphrase", sink.output()), "the sink to name the client")
    assert wrong.size() == 0 and wrong.connected() == 0
    assert pictures.reader("srt")["state"] == "connecting"
    right = LiveTransmit(start, tmp_path / "right.ts", port, "caller", passphrase=PASSPHRASE)
    becomes(pictures, "live")
    wait_until(lambda: right.size() > 50_000, "the right client's stream")
    assert_hidden(sink, pictures, PASSPHRASE, OTHERS)


def test_a_listener_that_refuses_the_streamid_is_rejected_with_its_reason_and_the_streamid_not_shown(
        pictures, tmp_path, receiver):
    streamid = "#!::r=live/secret-of-the-tests,m=publish"
    far = receiver(refuse=FORBIDDEN)
    sink = pictures.sink("srt", *sink_words("caller", far.port), "streamid=" + secret_file(tmp_path / "id", streamid))
    shown = becomes(pictures, "rejected", "forbidden", str(FORBIDDEN))
    assert far.streamids[0] == streamid.encode() and far.connections == []
    assert shown["sent_bytes"] == 0
    assert_hidden(sink, pictures, streamid, "secret-of-the-tests")


def test_a_closed_port_is_told_and_the_sink_is_live_when_it_opens(pictures, start, tmp_path):
    port = free_udp_port()
    sink = pictures.sink("srt", *sink_words("caller", port))
    becomes(pictures, "backoff", "no answer", str(port))
    far = LiveTransmit(start, tmp_path / "far.ts", port)
    becomes(pictures, "live")
    wait_until(lambda: far.size() > 20_000, "the stream")
    assert "rejected" not in sink.output()


def test_an_unknown_host_is_told_by_name_and_tried_again(pictures):
    sink = pictures.sink("srt", "srt://no-such-host.invalid:9000")
    becomes(pictures, "backoff", "no-such-host.invalid")
    wait_until(lambda: sink.output().count("next attempt") > 1, "a second attempt")


@pytest.mark.parametrize("mode", ["caller", "listener", "rendezvous"])
def test_a_stop_ends_a_sink_at_once_that_has_met_nobody(pictures, mode):
    sink = pictures.sink("srt", *sink_words(mode, free_udp_port()))
    becomes(pictures, "connecting")
    sink.signal(15)
    sink.ends_well(30)


def test_a_listener_without_clients_goes_on_encoding_and_is_not_stalled(pictures):
    pictures.sink("srt", *sink_words("listener", free_udp_port()))
    becomes(pictures, "connecting", "waits for a client at")
    encodes_on(pictures, 75)
    shown = becomes(pictures, "connecting", "waits for a client at")
    assert shown["reconnects"] == 0 and shown["dropped_frames"] == 0


def test_a_port_in_use_is_told_at_once(bus):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        sink = bus.sink("srt", f"srt://127.0.0.1:{port}", "mode=listener")
        assert sink.wait(20) in (1, 2)
        assert str(port) in sink.output() and "use" in sink.output(), sink.output()


@pytest.mark.parametrize(("words", "said"), [
    (["rtmp://127.0.0.1:9000"], "srt://"),
    (["srt://127.0.0.1"], "port"),
    (["srt://127.0.0.1:99999"], "port"),
    (["srt://127.0.0.1:9000?latency=200000"], "microseconds"),
    (["srt://127.0.0.1:9000?foo=1"], "foo"),
    (["srt://127.0.0.1:9000", "latency=8001"], "8000"),
    (["srt://127.0.0.1:9000", "latency=fast"], "latency"),
    (["srt://127.0.0.1:9000", "mode=pull"], "caller"),
    (["srt://:9000", "mode=caller"], "host"),
    (["srt://127.0.0.1:9000", "pbkeylen=20", "{passphrase}"], "16"),
    (["srt://127.0.0.1:9000", "pbkeylen=16"], "passphrase"),
    (["srt://127.0.0.1:9000", "{short}"], "10"),
    (["url={nonsense}"], "nonsense"),
    ([], "where to"),
])
def test_wrong_words_end_with_one_line_that_helps(bus, tmp_path, words, said):
    secrets = {"passphrase": passphrase(tmp_path), "short": passphrase(tmp_path, "too-short"),
               "nonsense": secret_file(tmp_path / "nonsense", "srt://127.0.0.1:9000?nonsense=1")}
    sink = bus.sink("srt", *[word.format(**secrets) for word in words])
    assert sink.wait(20) == 2, sink.output()
    assert sink.output().count("\n") == 1 and said in sink.output(), sink.output()
    assert "too-short" not in sink.output()


def test_a_passphrase_on_the_command_line_is_refused_with_the_way_that_is_safe(bus):
    sink = bus.sink("srt", "srt://127.0.0.1:9000", f"passphrase={PASSPHRASE}")
    assert sink.wait(20) == 2
    assert "passphrase=env:NAME" in sink.output() and PASSPHRASE not in sink.output(), sink.output()
