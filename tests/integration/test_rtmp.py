# SPDX-License-Identifier: Apache-2.0
"""The RTMP sink and real servers: what arrives there, decoded, and what they were told."""
import os
from urllib.parse import parse_qs

import pytest
from conftest import wait_until
from far_end import assert_steady
from flv import read_flv
from marks import read_marks
from rtmp_servers import NginxRtmp, NodeMediaServer, PublishHook, secret_file
from test_encoders import SCENARIO_A, frame_types, streams, video_bits_per_second

pytestmark = pytest.mark.in_time

SECONDS = 60 if os.environ.get("RINGCAST_SOAK") else 4
FPS = 25
MOST_DISORDER_MS = 80


@pytest.fixture
def nginx(start, tmp_path):
    return NginxRtmp(start, tmp_path / "nginx")


@pytest.fixture
def hook():
    made = []

    def make(**words):
        made.append(PublishHook(**words))
        return made[-1]

    yield make
    for each in made:
        each.close()


def worst_disorder_ms(path):
    """How far a track falls behind the other in the order of arrival."""
    _, packets = read_flv(path)
    newest = {"video": None, "audio": None}
    worst = 0
    for packet in packets:
        newest[packet.media] = packet.dts
        if None not in newest.values():
            worst = max(worst, max(newest.values()) - packet.dts)
    return worst / 1e6


def assert_tracks_rise(path):
    _, packets = read_flv(path)
    for media in ("video", "audio"):
        times = [packet.dts for packet in packets if packet.media == media]
        assert all(a < b for a, b in zip(times, times[1:])), f"{path}: {media} times do not rise"


def assert_live(path, marks, seconds=SECONDS):
    """Every frame from soon after the first to the last: what is made while the server still consents is not kept."""
    first = marks.frames[0].index
    assert first < FPS // 2, f"{path} begins at {first}"
    assert_steady(path, marks, seconds * FPS, FPS, first)
    assert len(marks.sync) >= seconds - 1


def publish(bus, *words, seconds=SECONDS, size="640x360", fps=str(FPS), producer=()):
    """Marks for so many seconds, from a producer that waits until the server has consented. A busy machine is no slow
    encoder, whose pictures are dropped: that has a test of its own."""
    sink = bus.sink("rtmp", "--once", "lag_limit=20s", *words)
    wait_until(lambda: bus.reader("rtmp") or not sink.running() or "server:" in sink.output(), "the sink")
    bus.testsrc("--seconds", str(seconds), *producer, size=size, fps=fps).ends_well()
    sink.ends_well()
    return sink


def pull(start, url, path):
    """ffmpeg as the viewer, from before the first picture on."""
    return start("ffmpeg", "-v", "error", "-nostdin", "-rw_timeout", "30000000", "-i", url, "-c", "copy", "-f", "flv",
                 "-y", path)


@pytest.mark.soak
def test_every_mark_arrives_at_nginx_in_order_and_in_step(bus, nginx):
    publish(bus, f"{nginx.url}/marks")
    path = nginx.folder / "marks.flv"
    marks = read_marks(path)
    assert_live(path, marks)
    assert worst_disorder_ms(path) <= MOST_DISORDER_MS
    assert_tracks_rise(path)


@pytest.mark.soak
def test_a_viewer_at_node_media_server_sees_every_mark(bus, start, tmp_path):
    server = NodeMediaServer(start)
    viewer = pull(start, f"{server.url}/marks", tmp_path / "viewer.flv")
    wait_until(lambda: "play" in server.process.output().lower(), "the viewer to ask")
    publish(bus, f"{server.url}/marks")
    viewer.wait()
    path = tmp_path / "viewer.flv"
    assert_live(path, read_marks(path))


def test_the_settings_of_a_live_push_arrive_as_they_were_asked_for(bus, nginx):
    publish(bus, f"{nginx.url}/a1", *SCENARIO_A, size="1280x720")
    path = nginx.folder / "a1.flv"
    video, audio = streams(path)
    assert (video["codec_name"], video["profile"], video["pix_fmt"]) == ("h264", "Constrained Baseline", "yuv420p")
    assert (video["width"], video["height"], video["r_frame_rate"]) == (960, 540, "25/1")
    assert (audio["codec_name"], audio["profile"], audio["channels"], audio["sample_rate"]) == ("aac", "LC", 1, "44100")
    types = frame_types(path)
    assert types == ("KP" * SECONDS * FPS)[:len(types)]
    assert video_bits_per_second(path, SECONDS) <= 1.02 * 1000e3 * (SECONDS + 1) / SECONDS
    assert_live(path, read_marks(path))


def test_a_server_on_ipv6_gets_every_mark(bus, start, tmp_path):
    nginx = NginxRtmp(start, tmp_path / "nginx", host="::1")
    assert "[::1]" in nginx.url
    publish(bus, f"{nginx.url}/marks", seconds=2)
    assert_live(nginx.folder / "marks.flv", read_marks(nginx.folder / "marks.flv"), 2)
    assert f"tc_url='{nginx.url}'" in nginx.connects()[-1]


BILIBILI = "?streamname=live_123_456&key=0a1b2c3d4e5f&schedule=rtmp&pflag=1"
DOUYIN = "stream-7123?expire=1699999999&sign=ab%2Fcd%3D%3D&volcSecret=x+y"


@pytest.mark.parametrize(("slash", "key"), [("/", BILIBILI), ("", DOUYIN)])
def test_a_key_with_arguments_reaches_on_publish_byte_for_byte(bus, start, tmp_path, hook, slash, key):
    hooked = hook()
    nginx = NginxRtmp(start, tmp_path / "nginx", on_publish=hooked.url)
    bus.sink("rtmp", nginx.url + slash, "key=" + secret_file(tmp_path / "key", key))
    bus.testsrc()
    wait_until(lambda: hooked.bodies, "on_publish")
    name, _, arguments = key.partition("?")
    body = hooked.bodies[0]
    assert body.endswith(b"&" + arguments.encode()), "the arguments are not what was given"
    told = parse_qs(body.decode(), keep_blank_values=True)
    assert (told["app"], told["name"], told["tcurl"]) == (["live"], [name], [nginx.url])
    assert told["flashver"] == ["FMLE/3.0 (compatible; FMSc/1.0)"]
    connect = nginx.connects()[-1]
    assert f"tc_url='{nginx.url}'" in connect and "args=''" in connect


def test_a_key_in_the_url_is_the_same_as_one_beside_it(bus, start, tmp_path, hook):
    hooked = hook()
    nginx = NginxRtmp(start, tmp_path / "nginx", on_publish=hooked.url)
    bus.sink("rtmp", "url=" + secret_file(tmp_path / "url", f"{nginx.url}/{DOUYIN}"))
    bus.testsrc()
    wait_until(lambda: hooked.bodies, "on_publish")
    told = parse_qs(hooked.bodies[0].decode())
    assert (told["app"], told["name"], told["tcurl"]) == (["live"], ["stream-7123"], [nginx.url])
    assert hooked.bodies[0].endswith(b"&" + DOUYIN.partition("?")[2].encode())


@pytest.mark.parametrize("word", ["video.codec=h265", "video.encoder=libx265", "audio.codec=opus"])
def test_a_codec_rtmp_does_not_carry_is_refused_at_once_with_the_sink_that_does(bus, tmp_path, word):
    sink = bus.sink("rtmp", "rtmp://127.0.0.1:1/live", "key=" + secret_file(tmp_path / "key", "nobody-listens"), word)
    assert sink.wait() == 2
    assert sink.output().count("\n") == 1
    assert word in sink.output() and "file" in sink.output(), sink.output()
