# SPDX-License-Identifier: Apache-2.0
"""MPEG-TS as it stands in the messages of SRT."""
from dataclasses import dataclass

MESSAGE_BYTES = 1316
TS_BYTES = 188
PAT, SDT = 0, 17
VIDEO_TYPES = (0x1B, 0x24)  # H.264, H.265


@dataclass
class TsPacket:
    pid: int
    starts: bool        # a new picture, sound frame or table begins here
    random_access: bool
    bytes: bytes


def ts_packets(message):
    """The packets of a message; fails where it is none of those."""
    assert message and len(message) % TS_BYTES == 0, f"a message of {len(message)} bytes"
    found = []
    for at in range(0, len(message), TS_BYTES):
        packet = message[at:at + TS_BYTES]
        assert packet[0] == 0x47, f"no transport packet at byte {at}"
        has_adaptation = bool(packet[3] & 0x20) and packet[4] > 0
        found.append(TsPacket((packet[1] & 0x1F) << 8 | packet[2], bool(packet[1] & 0x40),
                              has_adaptation and bool(packet[5] & 0x40), packet))
    return found


def video_pid(packets):
    """Where the pictures are, as the first PAT and PMT say."""
    pat = next(packet for packet in packets if packet.pid == PAT).bytes
    pmt = next(packet for packet in packets if packet.pid == ((pat[15] & 0x1F) << 8 | pat[16])).bytes[5:]
    end = 3 + ((pmt[1] & 0x0F) << 8 | pmt[2]) - 4
    entry = 12 + ((pmt[10] & 0x0F) << 8 | pmt[11])
    while entry < end:
        if pmt[entry] in VIDEO_TYPES:
            return (pmt[entry + 1] & 0x1F) << 8 | pmt[entry + 2]
        entry += 5 + ((pmt[entry + 3] & 0x0F) << 8 | pmt[entry + 4])
    raise AssertionError("the PMT names no track of pictures")


def begins_with_keyframe(message, video=None):
    """PAT, PMT and then the first bytes of a keyframe: what a client needs to begin here."""
    packets = [packet for packet in ts_packets(message) if packet.pid != SDT]
    if len(packets) < 3 or packets[0].pid != PAT:
        return False
    picture = packets[2]
    return picture.pid == (video or video_pid(packets)) and picture.starts and picture.random_access


def pts_of(packet):
    """The time stamp of what begins in the packet, in seconds; fails where it bears none."""
    header = packet.bytes[4 + (1 + packet.bytes[4] if packet.bytes[3] & 0x20 else 0):]
    assert header[:3] == b"\0\0\1" and header[7] & 0x80, "the begin of a picture without its time"
    ticks = (header[9] >> 1 & 7) << 30 | (header[10] << 7 | header[11] >> 1) << 15 | header[12] << 7 | header[13] >> 1
    return ticks / 90_000
