# SPDX-License-Identifier: Apache-2.0
"""`ringcast ingest` and senders that do other things than most: other codecs, a new size midway, a rendezvous, TLS."""
import itertools
import subprocess

import pytest
from conftest import wait_until
from far_end import assert_steady
from marks import read_marks
from rtmp_servers import secret_file
from srt_peers import free_udp_port, peer_url
from test_ingest import (  # noqa: F401, the fixtures
    FPS, FRAMES, figures, ingest, record, says_state, send, source)
from test_passthrough import streams_of
from tls_end import made, tls  # noqa: F401, the fixtures

KEY = "the-key-of-the-tests"
KEEP_TIMES = ("-enc_time_base", "-1")  # ffmpeg would round them to whole frames


def assert_all_but_the_end(path):
    """A sender that ends as soon as it has handed all to SRT does not wait until its last packets have arrived."""
    marks = read_marks(path)
    assert_steady(path, marks, len(marks.frames), FPS)
    assert len(marks.frames) >= FRAMES - FPS // 2


def test_h265_and_opus_over_srt_arrive_as_they_are(bus, ingest, start, source, tmp_path):
    port = free_udp_port()
    process = ingest(f"srt://127.0.0.1:{port}?mode=listener", "--once")
    sink = record(bus, tmp_path / "out.mkv")
    says_state(process, "listening")
    send(start, source, f"srt://127.0.0.1:{port}", format="mpegts", coding=(
        "-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency", *KEEP_TIMES, "-x265-params",
        "log-level=error:keyint=25", "-c:a", "libopus"))
    process.ends_well()
    sink.ends_well()
    assert [stream["codec_name"] for stream in streams_of(tmp_path / "out.mkv")] == ["hevc", "opus"]
    assert_all_but_the_end(tmp_path / "out.mkv")


def test_a_sender_that_changes_its_size_midway_is_followed_when_decoding(bus, ingest, start, source, tmp_path):
    port = free_udp_port()
    for name, size in (("one", "640x360"), ("two", "320x180")):
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", source, "-t", "2", "-s", size, "-c:v", "libx264",
                        "-preset", "ultrafast", "-tune", "zerolatency", *KEEP_TIMES, "-g", str(FPS), "-c:a", "copy",
                        tmp_path / f"{name}.ts"], check=True, timeout=60)
    (tmp_path / "both").write_text("file one.ts\nfile two.ts\n")
    process = ingest(f"srt://127.0.0.1:{port}?mode=listener", "--once", "--decode")
    sink = record(bus, tmp_path / "out.mkv")
    says_state(process, "listening")
    start("ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "concat", "-i", tmp_path / "both", "-c", "copy", "-f",
          "mpegts", f"srt://127.0.0.1:{port}")
    process.ends_well()
    sink.ends_well()
    marks = read_marks(tmp_path / "out.mkv")
    numbers = [number for number, _ in itertools.groupby(frame.index for frame in marks.frames)]
    each = range(2 * FPS)
    assert numbers == [*each, *each][:len(numbers)] and len(numbers) >= 2 * len(each) - FPS // 2
    assert len(marks.sync) >= 3 and marks.worst_sync_ms <= 20
    assert marks.decoder_messages == []


def test_both_ends_may_call_in_a_rendezvous(bus, ingest, start, source, tmp_path):
    port = free_udp_port()
    process = ingest(f"srt://127.0.0.2:{port}?mode=rendezvous", "--once")
    sink = record(bus, tmp_path / "out.mkv")
    says_state(process, "connecting")
    # FFmpeg 5.1's own rendezvous meets nobody but itself.
    start("bash", "-c", 'exec srt-live-transmit -a:no -q file://con "$1" '
          '< <(ffmpeg -v error -nostdin -re -i "$0" -c copy -f mpegts -)', source, peer_url(port, "rendezvous"))
    wait_until(lambda: figures(process)["frames"] >= FRAMES - FPS // 2, "nearly all frames")  # it says no goodbye
    process.signal(2)
    process.ends_well()
    sink.ends_well()
    assert_all_but_the_end(tmp_path / "out.mkv")


@pytest.fixture
def secured(tls, tmp_path):
    """The words of the stream behind TLS."""
    return f"rtmps://{tls.names.first}:{tls.port}/live", "--key", secret_file(tmp_path / "key", KEY)


@pytest.mark.parametrize(("shown", "trusts", "words", "advice"), [
    (None, False, "signed by nobody trusted here", "--tls-ca FILE"),
    ("self_signed", True, "signed by nobody trusted here", "--tls-ca FILE"),
    ("other_name", True, "made out for another name", "use a name that stands in it")])
def test_a_certificate_that_does_not_hold_is_refused_with_the_reason(ingest, tls, secured, shown, trusts, words, advice):
    if shown:
        tls.show(shown)
    process = ingest(*secured, *(["--tls-ca", tls.made.authority] if trusts else []))
    process.says(words)
    process.signal(2)
    process.ends_well()
    assert '"state":"rejected"' in process.output() and advice in process.output()
    assert KEY not in process.output()
    assert "connect: app=" not in tls.nginx.log(), "not a byte of RTMP before the certificate holds"


@pytest.mark.parametrize("trust", ["the-authority", "anybody"])
def test_a_server_is_played_over_tls_once_it_is_trusted(bus, ingest, start, source, tls, secured, trust):
    words = ["--tls-ca", tls.made.authority] if trust == "the-authority" else ["--tls-verify", "no"]
    if trust == "anybody":
        tls.show("self_signed")
    process = ingest(*secured, *words)
    wait_until(lambda: "play: name=" in tls.nginx.log(), "the server to be asked")
    send(start, source, f"{tls.nginx.url}/{KEY}")
    wait_until(lambda: figures(process)["frames"] >= FPS, "a second of its frames")
    process.signal(2)
    process.ends_well()
    assert ("ANYBODY" in process.output()) == (trust == "anybody")
    assert KEY not in process.output()
