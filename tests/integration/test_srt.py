# SPDX-License-Identifier: Apache-2.0
"""The SRT sink and real far ends: the marks that arrive there, decoded, in each mode, plain and encrypted."""
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from conftest import wait_until
from far_end import assert_steady
from marks import read_marks
from rtmp_servers import secret_file
from srt_end import (  # noqa: F401, the fixture
    FPS, PASSPHRASE, PEER_MODE, filled_in, receiver, sink_words, whole_from_its_first_frame)
from srt_peers import Ffmpeg, LiveTransmit, first_frame_is_key, free_udp_port
from srt_receiver import KEYS_SECURED
from test_encoders import streams
from ts_packets import MESSAGE_BYTES, begins_with_keyframe, ts_packets, video_pid

pytestmark = pytest.mark.in_time

SOAK = bool(os.environ.get("RINGCAST_SOAK"))
SECONDS = 60 if SOAK else 5


@dataclass
class Pair:
    """A sink in a mode of its own and who is at its far end."""
    mode: str
    peer: type
    key_bytes: int = 0
    words: tuple = ()

    @property
    def name(self):
        return f"{self.mode}-{self.peer.__name__.lower()}-{self.key_bytes}" + ("-h265" if self.words else "")

    def begin(self, bus, start, tmp_path):
        self.path, port = tmp_path / f"{self.name}.ts", free_udp_port()
        secret = {"passphrase": PASSPHRASE} if self.key_bytes else {}
        ours = [f"passphrase={secret_file(tmp_path / self.name, PASSPHRASE)}", f"pbkeylen={self.key_bytes}"]
        self.far = self.peer(start, self.path, port, PEER_MODE[self.mode], **secret)
        self.sink = bus.sink("srt", "--name", self.name, "--once", *sink_words(self.mode, port),
                             *(ours if self.key_bytes else []), *self.words)

    def connects(self):
        self.sink.says("connected")

    def check(self):
        marks = read_marks(self.path)
        first = marks.frames[0].index
        assert first < FPS // 2, f"{self.path} begins at {first}"
        if not filled_in(self.sink):
            assert_steady(self.path, marks, SECONDS * FPS, FPS, first)
        assert whole_from_its_first_frame(self.path, self.sink, marks)[-1] == SECONDS * FPS - 1
        assert len(marks.sync) >= SECONDS - 1
        assert first_frame_is_key(self.path)


DEFAULT = [Pair("caller", LiveTransmit), Pair("caller", Ffmpeg, 32), Pair("listener", LiveTransmit, 16),
           Pair("listener", Ffmpeg), Pair("rendezvous", LiveTransmit, 24)]
# FFmpeg 5.1 binds its end of a rendezvous to the address of the other, so it meets nobody but itself.
MATRIX = [[Pair(mode, peer, key_bytes) for key_bytes in (0, 16, 24, 32)]
          for mode in PEER_MODE for peer in (LiveTransmit, Ffmpeg) if (mode, peer) != ("rendezvous", Ffmpeg)]


@pytest.mark.parametrize("pairs", MATRIX if SOAK else [DEFAULT], ids=lambda pairs: pairs[0].name + "-and-others")
@pytest.mark.soak
def test_every_mark_arrives_in_order_and_in_step_in_each_mode_plain_and_encrypted(bus, start, tmp_path, pairs):
    for pair in pairs:
        pair.begin(bus, start, tmp_path)
    for pair in pairs:
        pair.connects()
    bus.testsrc("--seconds", str(SECONDS), "--wait-readers", str(len(pairs)), size="320x180").ends_well()
    for pair in pairs:
        pair.sink.ends_well()
        pair.far.process.wait(20)
    with ThreadPoolExecutor(2) as pool:
        for checked in [pool.submit(pair.check) for pair in pairs]:
            checked.result()


def test_h265_arrives_whole_and_every_picture_decodes(bus, start, tmp_path):
    pair = Pair("caller", LiveTransmit, words=("video.codec=h265",))
    pair.begin(bus, start, tmp_path)
    pair.connects()
    bus.testsrc("--seconds", str(SECONDS), "--wait-readers", "1", size="320x180").ends_well()
    pair.sink.ends_well()
    pair.far.process.wait(20)
    pair.check()
    assert [stream["codec_name"] for stream in streams(pair.path)] == ["hevc", "aac"]


@pytest.mark.parametrize("key_bytes", [0, 16, 24, 32])
def test_messages_are_whole_a_keyframe_begins_one_and_the_key_is_as_long_as_asked_for(
        bus, tmp_path, receiver, key_bytes):
    far = receiver(passphrase=PASSPHRASE if key_bytes else "")
    words = [f"passphrase={secret_file(tmp_path / 'secret', PASSPHRASE)}", f"pbkeylen={key_bytes}"] if key_bytes else []
    sink = bus.sink("srt", "--once", f"srt://127.0.0.1:{far.port}", "latency=300ms", "video.gop=1s", *words)
    wait_until(lambda: far.connections, "the connection")
    assert far.latency_of(far.connections[0]) == 300
    bus.testsrc("--seconds", "2", size="320x180").ends_well()
    sink.ends_well()
    [connection] = far.connections
    wait_until(lambda: connection.ended, "the end of the connection")
    assert (connection.key_bytes, connection.key_state) == ((key_bytes, KEYS_SECURED) if key_bytes else (0, 0))
    messages = [message for _, message in connection.messages]
    video = video_pid(ts_packets(messages[0]))
    starts = [packet for message in messages for packet in ts_packets(message) if packet.pid == video and packet.starts]
    keyframes = sum(packet.random_access for packet in starts)
    assert len(starts) >= 50 and keyframes == -(-len(starts) // 25), "one each second, of what a busy machine repeats too"
    assert sum(begins_with_keyframe(message, video) for message in messages) == keyframes
    assert begins_with_keyframe(messages[0], video), "the first message is where a decoder can begin"
    assert max(map(len, messages)) == MESSAGE_BYTES
