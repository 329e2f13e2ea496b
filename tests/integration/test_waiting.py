# SPDX-License-Identifier: Apache-2.0
"""A sink that waits for its producer: what is in the way shows at once, its page is up, and a stop leaves nothing."""
import http.client
import json
import re
import signal
import socket
import urllib.error
import urllib.request

import pytest
from conftest import wait_until


def get(url):
    """(status, body); the server may hold the request."""
    try:
        with urllib.request.urlopen(url, timeout=60) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def serves(url):
    try:
        return get(url)[0] == 200
    except OSError:
        return False


def test_a_file_in_the_way_ends_the_sink_before_there_is_a_bus(bus, tmp_path):
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"precious")
    sink = bus.sink("file", path)
    assert sink.wait() == 1
    told = [line for line in sink.output().splitlines() if "waiting for bus" not in line]
    assert len(told) == 1 and "overwrite=yes" in told[0], sink.output()
    assert path.read_bytes() == b"precious"


def test_a_port_in_use_ends_the_sink_before_there_is_a_bus(bus, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        sink = bus.sink("hls", f"dir={tmp_path / 'hls'}", f"listen={port}")
        assert sink.wait() == 1
    errors = [line for line in sink.output().splitlines() if re.search(r"\berror\b", line)]
    assert len(errors) == 1 and str(port) in errors[0], sink.output()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_recorder_stopped_before_there_is_a_bus_leaves_no_file(bus, tmp_path, number):
    sink = bus.sink("file", tmp_path / "out" / "talk.mp4")
    sink.says("waiting for bus")
    sink.signal(number)
    sink.ends_well()
    assert list((tmp_path / "out").glob("*")) == []


def test_the_page_is_up_before_there_is_a_bus_and_plays_when_there_is_one(bus, tmp_path, free_port):
    url = f"http://127.0.0.1:{free_port}/"
    sink = bus.sink("hls", f"dir={tmp_path / 'hls'}", f"listen={free_port}")
    wait_until(lambda: serves(url), "the page")
    assert b"<video" in get(url)[1]
    # What the page asks while it waits: held, so that a browser's console shows no failed request.
    waiting = http.client.HTTPConnection("127.0.0.1", free_port, timeout=60)
    waiting.request("GET", "/ready")
    bus.testsrc("--seconds", "4", "--mode", "lossless", "--wait-readers", "1")
    reply = waiting.getresponse()
    assert reply.status == 200
    answer = json.loads(reply.read())
    if not answer["ready"]:  # held for its whole time: the page asks again
        answer = json.loads(get(url + "ready")[1])
    assert answer["ready"]
    assert get(url + "index.m3u8")[0] == 200
    sink.signal(signal.SIGTERM)
    sink.ends_well()


def test_a_viewer_behind_the_end_still_gets_the_last_segment(bus, tmp_path, free_port):
    url = f"http://127.0.0.1:{free_port}/"
    sink = bus.sink("hls", "--once", f"dir={tmp_path / 'hls'}", f"listen={free_port}")
    wait_until(lambda: serves(url), "the page")
    bus.testsrc("--seconds", "7", "--wait-readers", "1")
    fetched, listing = [], ""
    while "#EXT-X-ENDLIST" not in listing:
        status, body = get(f"{url}index.m3u8?_HLS_msn={len(fetched)}")
        if status != 200:
            continue  # held for its whole time; players ask again, too
        listing = body.decode()
        listed = [line for line in listing.splitlines() if line.startswith("segment-")]
        for name in listed[len(fetched):]:
            assert get(url + name) == (200, (tmp_path / "hls" / name).read_bytes())
            fetched.append(name)
    assert fetched == sorted(path.name for path in (tmp_path / "hls").glob("segment-*.ts"))
    sink.ends_well()
    assert "had not fetched the last segment" not in sink.output()
