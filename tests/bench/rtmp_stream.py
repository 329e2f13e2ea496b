# SPDX-License-Identifier: Apache-2.0
"""Takes apart what a publisher sent to an RTMP server: messages with the offset at which each was whole."""
from typing import NamedTuple

HANDSHAKE = 1 + 1536 + 1536
SET_CHUNK_SIZE, AUDIO, VIDEO, DATA = 1, 8, 9, 18


class Message(NamedTuple):
    kind: int
    time_ms: int
    payload: bytes
    end: int  # offset of the byte after it


class _Stream:
    """What a chunk stream remembers from header to header."""

    def __init__(self):
        self.time = self.delta = self.length = self.kind = 0
        self.extended = False
        self.payload = b""


def messages(data):
    """Every whole message after the handshake."""
    at, chunk_size, streams, found = HANDSHAKE, 128, {}, []
    try:
        while at < len(data):
            form, number = data[at] >> 6, data[at] & 0x3F
            at += 1
            if number < 2:
                extra = number + 1
                number = 64 + int.from_bytes(data[at : at + extra], "little")
                at += extra
            stream = streams.setdefault(number, _Stream())
            at = _header(data, at, form, stream)
            take = min(chunk_size, stream.length - len(stream.payload))
            if at + take > len(data):
                break
            stream.payload += data[at : at + take]
            at += take
            if len(stream.payload) < stream.length:
                continue
            found.append(Message(stream.kind, stream.time, stream.payload, at))
            if stream.kind == SET_CHUNK_SIZE:
                chunk_size = int.from_bytes(stream.payload[:4], "big")
            stream.payload = b""
    except IndexError:
        pass  # the connection ended inside of a header
    return found


def _header(data, at, form, stream):
    fresh = not stream.payload
    value = stream.delta
    if form < 3:
        value = int.from_bytes(data[at : at + 3], "big")
        stream.extended = value == 0xFFFFFF
        if form < 2:
            stream.length = int.from_bytes(data[at + 3 : at + 6], "big")
            stream.kind = data[at + 6]
        at += (11, 7, 3)[form]
    if stream.extended:
        value = int.from_bytes(data[at : at + 4], "big")
        at += 4
    if not fresh:
        return at
    if form == 0:
        stream.time, stream.delta = value, 0
    else:
        stream.time, stream.delta = stream.time + value, value
    return at


def is_picture(message):
    """A coded H.264 picture, as against its configuration."""
    return message.kind == VIDEO and len(message.payload) > 5 and message.payload[0] & 0xF == 7 \
        and message.payload[1] == 1


def write_flv(path, found):
    """The audio and video messages as a file that any player opens."""
    with open(path, "wb") as file:
        file.write(b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
        for message in found:
            if message.kind not in (AUDIO, VIDEO):
                continue
            time = (message.time_ms & 0xFFFFFF).to_bytes(3, "big") + bytes([message.time_ms >> 24 & 0xFF])
            head = bytes([message.kind]) + len(message.payload).to_bytes(3, "big") + time + bytes(3)
            file.write(head + message.payload + (11 + len(message.payload)).to_bytes(4, "big"))
