# SPDX-License-Identifier: Apache-2.0
"""SRT's streamid and passphrase: they reach the far end byte for byte, however they were written, and nothing else."""
import secrets
import signal

import pytest
from conftest import RINGCAST, wait_until
from rtmp_servers import secret_file
from secret_traces import assert_kept, seen_on_bus
from srt_end import becomes, pictures, receiver, sink_words  # noqa: F401, the fixtures
from srt_peers import LiveTransmit, free_udp_port
from srt_receiver import KEYS_SECURED

ACCESS = "#!::h=live.example,r=app/stream,m=publish"
ENCODED = "%23%21%3A%3Ah%3Dlive.example%2Cr%3Dapp%2Fstream%2Cm%3Dpublish"
BILIBILI = "#!::h=live-push.example.com,r=live-bvc/?streamname=live_123&key=0a1b&schedule=srtts&pflag=1,m=publish"
LONGEST = "x" * 512


@pytest.mark.parametrize(("query", "arrives"), [
    (f"streamid={ACCESS}&latency=250", ACCESS),
    (f"latency=250&streamid={ENCODED}&mode=caller&pkt_size=1316&transtype=live", ACCESS),
    (f"latency=250&streamid={BILIBILI}", BILIBILI),
    ("streamid=live/cam?auth=a=b&x=1&latency=250", "live/cam?auth=a=b&x=1"),
    ("streamid=live/x?txSecret=ab&timeout=60&port=1&mode=push&latency=250",
     "live/x?txSecret=ab&timeout=60&port=1&mode=push"),
    ("latency=250&streamid=a+b%2Bc%20d%26latency%3D1", "a+b+c d&latency=1"),
    ("latency=250&streamid=%E7%9B%B4%E6%92%AD/1", "直播/1"),
    ("latency=250&streamid=直播/1", "直播/1"),
    ("latency=250&streamid=100%", "100%"),
    (f"latency=250&streamid={LONGEST}", LONGEST),
], ids=["access-control", "encoded", "bilibili", "question-mark", "ordinary-words", "plus", "utf-8-encoded", "utf-8",
        "percent", "longest"])
@pytest.mark.parametrize("given", ["in-a-file", "on-the-command-line"])
def test_a_streamid_in_the_url_arrives_byte_for_byte(bus, tmp_path, receiver, query, arrives, given):
    far = receiver()
    url = f"srt://127.0.0.1:{far.port}?{query}"
    sink = bus.sink("srt", "url=" + secret_file(tmp_path / "url", url) if given == "in-a-file" else url)
    wait_until(lambda: far.streamids or not sink.running(), "the sink to come")
    assert far.streamids == [arrives.encode()], sink.output()
    wait_until(lambda: far.connections, "the connection")
    assert far.latency_of(far.connections[0]) == 250, "what follows the streamid is not lost"
    assert arrives not in sink.output()


def test_a_streamid_beside_the_url_beats_the_one_in_it(bus, tmp_path, receiver):
    far = receiver()
    bus.sink("srt", f"srt://127.0.0.1:{far.port}?streamid=of-the-url",
             "streamid=" + secret_file(tmp_path / "id", ACCESS))
    wait_until(lambda: far.streamids, "the sink to come")
    assert far.streamids == [ACCESS.encode()]


def test_a_streamid_longer_than_srt_carries_is_refused_before_anything_is_sent(bus, tmp_path, receiver):
    far = receiver()
    sink = bus.sink("srt", f"srt://127.0.0.1:{far.port}", "streamid=" + secret_file(tmp_path / "id", LONGEST + "x"))
    assert sink.wait(20) == 2
    assert "512" in sink.output() and LONGEST not in sink.output() and far.streamids == []


@pytest.fixture
def streamid():
    """With a part that is found in no memory by chance."""
    return f"#!::h=live.example,r=app/show,m=publish&token={secrets.token_hex(16)}&x=1"


@pytest.fixture
def passphrase():
    return f"pass&phrase={secrets.token_hex(16)}"


def test_streamid_and_passphrase_are_seen_nowhere_through_refusal_renewal_and_loss(
        pictures, tmp_path, receiver, streamid, passphrase):
    far = receiver(passphrase=passphrase)
    old = f"old&phrase={secrets.token_hex(16)}"
    (tmp_path / "passphrase").write_text(old)
    sink = pictures.start(RINGCAST, "sink", "srt", "--bus", pictures.name, "--log-level", "debug",
                          *sink_words("caller", far.port), "streamid=env:SRT_ID",
                          f"passphrase=file:{tmp_path / 'passphrase'}", SRT_ID=streamid)

    def assert_all_kept():
        for secret in (streamid, passphrase, old):
            assert_kept(pictures, secret, sink)

    becomes(pictures, "rejected", "wrong passphrase")
    assert_all_kept()
    (tmp_path / "passphrase").write_text(passphrase)
    sink.signal(signal.SIGHUP)
    becomes(pictures, "live")
    wait_until(lambda: len(far.connections[0].messages) > 20, "the stream")
    assert set(far.streamids) == {streamid.encode()}
    assert far.connections[0].key_state == KEYS_SECURED
    assert_all_kept()
    far.hang_up()
    becomes(pictures, "backoff")
    assert_all_kept()
    sink.signal(signal.SIGTERM)
    sink.ends_well()
    assert_all_kept()


def test_secrets_in_the_url_work_with_a_warning_and_are_erased(pictures, receiver, streamid, passphrase):
    far = receiver(passphrase=passphrase)
    sink = pictures.sink("srt", "--log-level", "debug",
                         f"srt://127.0.0.1:{far.port}?streamid={streamid}&latency=200&passphrase={passphrase}")
    becomes(pictures, "live")
    wait_until(lambda: far.connections[0].messages, "the stream")
    assert far.streamids == [streamid.encode()]
    assert (far.connections[0].key_bytes, far.connections[0].key_state) == (32, KEYS_SECURED)
    assert f"127.0.0.1:{far.port}" in sink.output()
    assert "streamid=env:NAME" in sink.output() or "passphrase=env:NAME" in sink.output(), sink.output()
    for secret in (streamid, passphrase):
        assert_kept(pictures, secret, sink)


def test_the_streamid_of_a_client_is_not_shown_either(pictures, start, tmp_path, streamid):
    port = free_udp_port()
    sink = pictures.sink("srt", "--log-level", "debug", *sink_words("listener", port))
    becomes(pictures, "connecting")
    LiveTransmit(start, tmp_path / "far.ts", port, "caller", streamid="r-" + streamid.split("=")[-2].split("&")[0])
    becomes(pictures, "live")
    token = streamid.split("token=")[1].split("&")[0]
    assert token not in sink.output() and seen_on_bus(pictures, streamid) == []
