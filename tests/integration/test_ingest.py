# SPDX-License-Identifier: Apache-2.0
"""`ringcast ingest`: what encoders and servers send comes out of the bus as it was, whatever they do in between."""
import json
import os
import socket
import subprocess

import pytest
from conftest import RINGCAST, wait_until
from far_end import assert_steady
from marks import read_marks
from rtmp_servers import NginxRtmp, free_port, secret_file
from srt_peers import free_udp_port
from test_passthrough import pictures_of, streams_of

FPS, SECONDS = 25, 3
FRAMES = FPS * SECONDS
PASSPHRASE = "a passphrase of the test's"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Sync marks, H.264 and AAC, a keyframe each second."""
    path = tmp_path_factory.mktemp("ingest") / "source.mkv"
    bus = f"ingest-source-{os.getpid()}"
    sink = subprocess.Popen([RINGCAST, "sink", "file", "--bus", bus, "--once", path, "video.gop=1s",
                             "audio.rate=48000"], stderr=subprocess.DEVNULL)
    subprocess.run([RINGCAST, "testsrc", "--bus", bus, "--size", "640x360", "--seconds", str(SECONDS), "--mode",
                    "lossless", "--wait-readers", "1", "--rate", "48000"], check=True, capture_output=True, timeout=60)
    assert sink.wait(60) == 0
    return path


@pytest.fixture
def ingest(bus):
    def begin(*words, **environment):
        return bus.start(RINGCAST, "ingest", "--bus", bus.name, "--json", *words, **environment)
    return begin


def send(start, source, url, *words, format="flv", coding=("-c", "copy"), pace="-re"):
    return start("ffmpeg", "-v", "error", "-nostdin", pace, "-i", source, *words, *coding, "-f", format, url)


def says_state(process, state):
    process.says(f'"state":"{state}"')


def figures(process):
    """The newest JSON line."""
    lines = [line for line in process.output().splitlines() if line.startswith("{") and line.endswith("}")]
    return json.loads(lines[-1]) if lines else None


def record(bus, path, *words):
    return bus.sink("file", "--once", path, *words)


def assert_all(path):
    """Every frame once, sound in step; the last AAC frames of a stream that is cut may be missing."""
    assert_steady(path, read_marks(path), FRAMES, FPS)


@pytest.mark.parametrize("mode", ["--packets", "--decode"])
def test_a_publisher_s_stream_arrives_whole_whoever_else_comes(bus, ingest, start, source, tmp_path, mode):
    port = free_port()
    process = ingest(f"rtmp://127.0.0.1:{port}/live", "--listen", "--once", mode,
                     "--key", secret_file(tmp_path / "key", "the-key"))
    sink = record(bus, tmp_path / "out.mkv")
    says_state(process, "listening")
    with socket.create_connection(("127.0.0.1", port)) as silent:  # says nothing, and keeps nobody out
        publisher = send(start, source, f"rtmp://127.0.0.1:{port}/live/the-key")
        says_state(process, "live")
        with socket.create_connection(("127.0.0.1", port)) as garbage:
            garbage.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        publisher.ends_well()
        process.ends_well()
        silent.close()
    sink.ends_well()
    assert_all(tmp_path / "out.mkv")
    if mode == "--packets":
        assert pictures_of(tmp_path / "out.mkv") == pictures_of(source), "pictures were changed on the way"
    assert "no RTMP" in process.output()
    assert "the-key" not in process.output()


def test_while_one_publishes_others_are_told_no(ingest, start, source, tmp_path):
    port = free_port()
    process = ingest(f"rtmp://127.0.0.1:{port}/live", "--listen", "--key", secret_file(tmp_path / "key", "the-key"))
    says_state(process, "listening")
    # The source goes around, so that it is there for as long as the others take.
    publisher = start("ffmpeg", "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", source, "-c", "copy",
                      "-f", "flv", f"rtmp://127.0.0.1:{port}/live/the-key")
    says_state(process, "live")
    for key in ("the-key", "another-key"):
        assert send(start, source, f"rtmp://127.0.0.1:{port}/live/{key}").wait() != 0
    process.says('"refused":2')
    assert publisher.running()
    publisher.kill()
    wait_until(lambda: figures(process)["state"] == "listening", "the port to be free again")
    process.signal(2)
    process.ends_well()
    said = process.output()
    assert "somebody else is publishing" in said and "it came with another key" in said
    assert "the-key" not in said


@pytest.mark.parametrize("mode", ["--packets", pytest.param("--decode", marks=pytest.mark.soak)])
def test_an_encrypted_srt_stream_arrives_whole_also_where_its_clock_goes_around(
        bus, ingest, start, source, tmp_path, mode):
    port = free_udp_port()
    process = ingest(f"srt://127.0.0.1:{port}?mode=listener", "--passphrase", "env:SRT_PASS", "--once", mode,
                     SRT_PASS=PASSPHRASE)
    sink = record(bus, tmp_path / "out.ts")
    says_state(process, "listening")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as garbage:
        for size in (1, 16, 100, 1400):
            garbage.sendto(os.urandom(size), ("127.0.0.1", port))
    url = f"srt://127.0.0.1:{port}?pkt_size=1316&passphrase="
    assert send(start, source, f"{url}another passphrase", format="mpegts").wait() != 0
    # 33 bits of 90 kHz go around at 95443.7 s.
    send(start, source, f"{url}{PASSPHRASE}", "-output_ts_offset", "95441", format="mpegts")
    process.ends_well()
    sink.ends_well()
    assert_all(tmp_path / "out.ts")
    assert "passphrase is not the same" in process.output()
    assert PASSPHRASE not in process.output()
    shown = [json.loads(line)["srt"] for line in process.output().splitlines() if line.startswith("{")]
    shown = [each for each in shown if each]
    assert shown and shown[-1]["latency_ms"] == 200 and shown[-1]["dropped_packets"] == 0


def test_the_next_publisher_goes_on_where_the_one_before_was_killed(bus, ingest, start, source, tmp_path):
    port = free_port()
    process = ingest(f"rtmp://127.0.0.1:{port}/live/x", "--listen")
    sink = record(bus, tmp_path / "out.ts", "on_stall=wait")
    says_state(process, "listening")
    killed = send(start, source, f"rtmp://127.0.0.1:{port}/live/x")
    wait_until(lambda: figures(process)["frames"] >= FPS, "a second of the first publisher")
    killed.kill()
    send(start, source, f"rtmp://127.0.0.1:{port}/live/x").ends_well()
    process.says('"rebases":1')
    wait_until(lambda: figures(process)["state"] == "listening", "the end of the second publisher")
    process.signal(2)
    process.ends_well()
    sink.ends_well()
    marks = read_marks(tmp_path / "out.ts")
    numbers = [frame.index for frame in marks.frames]
    again = numbers.index(0, 1)
    assert numbers[:again] == list(range(again)) and again >= FPS and numbers[again:] == list(range(FRAMES))
    assert len(marks.sync) >= SECONDS and marks.worst_sync_ms <= 20
    assert figures(process)["reconnects"] == 1


def test_a_sender_that_was_killed_is_not_called_live_again_for_the_picture_that_was_kept(ingest, start, source):
    port = free_udp_port()
    process = ingest(f"srt://127.0.0.1:{port}?mode=listener")
    says_state(process, "listening")
    killed = send(start, source, f"srt://127.0.0.1:{port}", format="mpegts")
    wait_until(lambda: figures(process)["frames"] >= FPS, "a second of the sender")
    killed.kill()
    wait_until(lambda: figures(process)["state"] == "listening", "the end of the connection")
    states = [json.loads(line)["state"] for line in process.output().splitlines() if line.endswith("}")]
    assert [state for state in states if state != "listening"][-1] == "stalled"
    process.signal(2)
    process.ends_well()


def test_a_stream_of_a_server_is_played_from_when_it_begins(bus, ingest, start, source, tmp_path):
    nginx = NginxRtmp(start, tmp_path / "nginx")
    process = ingest(nginx.url, "--key", secret_file(tmp_path / "key", "the-key"))
    wait_until(lambda: "play: name=" in nginx.log(), "the server to be asked")
    sink = record(bus, tmp_path / "out.mkv")
    send(start, source, f"{nginx.url}/the-key").ends_well()
    wait_until(lambda: figures(process)["frames"] >= FRAMES - FPS, "the frames")
    says_state(process, "stalled")
    process.signal(2)
    process.ends_well()
    sink.ends_well()
    marks = read_marks(tmp_path / "out.mkv")
    assert_steady(tmp_path / "out.mkv", marks, marks.frames[-1].index + 1, FPS, marks.frames[0].index)
    assert len(marks.frames) >= FRAMES - FPS
    assert "the-key" not in process.output()


def test_a_caller_tries_again_until_somebody_answers(bus, ingest, start, source):
    port = free_udp_port()
    process = ingest(f"srt://127.0.0.1:{port}", "--once")
    says_state(process, "backoff")
    start("ffmpeg", "-v", "error", "-nostdin", "-re", "-i", source, "-c", "copy", "-f", "mpegts",
          f"srt://127.0.0.1:{port}?mode=listener")
    process.ends_well()
    assert figures(process)["frames"] >= FRAMES - FPS


def test_pictures_without_sound_get_silence(bus, ingest, start, source, tmp_path):
    port = free_port()
    process = ingest(f"rtmp://127.0.0.1:{port}/live", "--listen", "--once")
    sink = record(bus, tmp_path / "out.mkv")
    says_state(process, "listening")
    send(start, source, f"rtmp://127.0.0.1:{port}/live/x", "-an").ends_well()
    process.ends_well()
    sink.ends_well()
    assert pictures_of(tmp_path / "out.mkv") == pictures_of(source)
    assert [stream["codec_type"] for stream in streams_of(tmp_path / "out.mkv")] == ["video", "audio"]


def test_sound_without_pictures_goes_out_decoded(bus, ingest, start, source, tmp_path):
    port = free_udp_port()
    process = ingest(f"srt://127.0.0.1:{port}?mode=listener", "--once", "--decode")
    sink = record(bus, tmp_path / "out.mkv", "video.size=320x180")
    says_state(process, "listening")
    send(start, source, f"srt://127.0.0.1:{port}", "-vn", format="mpegts")
    process.ends_well()
    sink.ends_well()
    marks = read_marks(tmp_path / "out.mkv")
    assert len(marks.beeps) >= SECONDS - 1 and marks.gaps == []


def test_packets_of_sound_without_pictures_are_taken_with_a_warning(ingest, start, source):
    port = free_udp_port()
    packets = ingest(f"srt://127.0.0.1:{port}?mode=listener", "--once")
    says_state(packets, "listening")
    send(start, source, f"srt://127.0.0.1:{port}", "-vn", format="mpegts")
    packets.ends_well()
    assert "sound without pictures" in packets.output() and "--decode" in packets.output()


def test_a_coding_that_a_bus_does_not_carry_is_told_and_decoded_when_asked(bus, ingest, start, source, tmp_path):
    coding = ("-c:v", "mpeg2video", "-g", "25", "-b:v", "3M", "-c:a", "mp2")
    port = free_udp_port()
    process = ingest(f"srt://127.0.0.1:{port}?mode=listener", "--once")
    says_state(process, "listening")
    send(start, source, f"srt://127.0.0.1:{port}", format="mpegts", coding=coding)
    assert process.wait() == 1
    errors = [line for line in process.output().splitlines() if line.startswith("ringcast ingest:")]
    assert len(errors) == 1 and "which a bus does not carry" in errors[0] and "--decode" in errors[0], process.output()
    port = free_udp_port()
    process = ingest(f"srt://127.0.0.1:{port}?mode=listener", "--decode", "--once")
    sink = record(bus, tmp_path / "out.ts")
    says_state(process, "listening")
    send(start, source, f"srt://127.0.0.1:{port}", format="mpegts", coding=coding)
    process.ends_well()
    sink.ends_well()
    marks = read_marks(tmp_path / "out.ts")
    assert len(marks.frames) >= FRAMES - 2 and marks.missing == [] and marks.worst_sync_ms <= 20


@pytest.mark.parametrize(("mode", "coding", "reason"), [
    ("--packets", ("-c:v", "copy", "-c:a", "mp2"), "which a bus does not carry"),
    ("--decode", ("-c:v", "copy", "-c:a", "aac", "-ar", "7350"), "7350"),
])
def test_a_sender_whose_stream_a_bus_does_not_take_is_refused_and_the_next_one_is_taken(
        ingest, start, source, mode, coding, reason):
    port = free_udp_port()
    process = ingest(f"srt://127.0.0.1:{port}?mode=listener", mode)
    says_state(process, "listening")
    send(start, source, f"srt://127.0.0.1:{port}", format="mpegts", coding=coding)
    process.says('"refused":1')
    wait_until(lambda: figures(process)["state"] == "listening", "the port to be free again")
    refusals = [line for line in process.output().splitlines() if "refused 127.0.0.1" in line]
    assert len(refusals) == 1 and reason in refusals[0], process.output()
    before = figures(process)["frames"]
    send(start, source, f"srt://127.0.0.1:{port}", format="mpegts").ends_well()
    wait_until(lambda: figures(process)["frames"] >= before + FRAMES - FPS, "the frames of the next sender")
    process.signal(2)
    process.ends_well()


@pytest.mark.parametrize(("passphrase", "streamid"), [("passphrase", "streamid"), ("Passphrase", "SRT_StreamID")])
def test_a_secret_on_the_command_line_is_erased_with_a_warning(bus, ingest, passphrase, streamid):
    port = free_udp_port()
    process = ingest(f"srt://127.0.0.1:{port}?mode=listener&{passphrase}=very-secret-words&{streamid}=also-secret")
    says_state(process, "listening")
    command = open(f"/proc/{process.pid}/cmdline", "rb").read()
    assert b"very-secret" not in command and b"also-secret" not in command and b"srt://127.0.0.1" in command
    assert "warning: the address on the command line carries a secret" in process.output()
    assert "very-secret" not in process.output() and "also-secret" not in process.output()
    process.signal(15)
    process.ends_well()


@pytest.mark.parametrize(("words", "hint"), [
    (["http://h/x"], "srt://, rtmp:// or rtmps://"),
    (["srt://h"], "port"),
    (["srt://h:9000?latency=200000"], "latency"),
    (["rtmp://h/live"], "--key"),
    (["rtmp://h"], "names no app"),
    (["rtmp://h/live", "--key", "literal-key"], "env:NAME"),
    (["rtmp://h/live", "--passphrase", "env:PATH"], "SRT's"),
    (["rtmp://h/live", "--tls-verify", "no"], "rtmps://"),
    (["rtmps://h/live", "--tls-ca", "/nowhere"], "/nowhere: it cannot be read"),
    (["rtmps://h/live", "--tls-ca", "/etc/passwd", "--tls-verify", "no"], "leave one of them out"),
    (["srt://h:9000", "--tls-ca", "/nowhere"], "RTMPS's"),
    (["srt://h:9000", "--passphrase", "file:/nowhere"], "No such file"),
    (["srt://:9000", "--packets", "--decode"], "--decode"),
    (["srt://:9000", "--mode", "live"], "octal digits"),
])
def test_wrong_words_are_refused_before_anything_is_tried(ringcast, bus_name, words, hint):
    done = ringcast("ingest", "--bus", bus_name, *words)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and hint in done.stderr, done.stderr
    assert "literal-key" not in done.stderr


def test_a_port_or_a_bus_in_use_is_told_in_one_line(ringcast, live, free_port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        done = ringcast("ingest", f"rtmp://127.0.0.1:{free_port}/live", "--listen", "--bus", f"{live.name}-x")
        assert done.returncode == 1 and "Address already in use" in done.stderr and done.stderr.count("\n") == 1
    holder = live.start(RINGCAST, "ingest", f"srt://127.0.0.1:{free_udp_port()}?mode=listener", "--bus",
                        f"{live.name}-p", "--json")
    says_state(holder, "listening")
    done = ringcast("ingest", f"rtmp://127.0.0.1:{free_port}/live", "--listen", "--bus", f"{live.name}-p")
    assert done.returncode == 1 and f"pid {holder.pid}" in done.stderr
    holder.signal(2)
    holder.ends_well()


@pytest.mark.parametrize("words", [["srt://192.0.2.7:9000?mode=listener"], ["rtmp://192.0.2.7:9000/live", "--listen"]])
def test_an_address_of_another_machine_cannot_be_listened_at_and_the_fix_is_no_other_port(ringcast, bus_name, words):
    done = ringcast("ingest", "--bus", bus_name, *words)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "listen at an address of this machine, or at all of them: " in done.stderr
    assert "another port" not in done.stderr


def test_a_listener_at_any_free_port_says_which_and_is_reached_there(ingest, start, source):
    guest = ingest("SRT://127.0.0.1:0?mode=listener", "--once")
    says_state(guest, "listening")
    send(start, source, figures(guest)["reason"], format="mpegts").ends_well()
    guest.ends_well()
    assert figures(guest)["frames"] > 0
