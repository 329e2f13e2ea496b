# SPDX-License-Identifier: Apache-2.0
"""Packets of an FLV file as a packets flow wants them: H.264 with length prefixes and avcC, AAC raw with its config."""
from typing import NamedTuple


class Packet(NamedTuple):
    media: str  # "video" or "audio"
    dts: int  # nanoseconds
    pts: int
    key: bool
    data: bytes


def read_flv(path):
    """The configurations by medium, and all packets in the order of the file."""
    data = path.read_bytes()
    configs, packets = {}, []
    at = int.from_bytes(data[5:9], "big") + 4
    while at + 11 <= len(data):
        kind, size = data[at] & 0x1F, int.from_bytes(data[at + 1:at + 4], "big")
        dts = int.from_bytes(data[at + 7:at + 8] + data[at + 4:at + 7], "big", signed=True)
        body = data[at + 11:at + 11 + size]
        at += 11 + size + 4
        if kind == 9 and body[0] & 0xF == 7:
            shift = int.from_bytes(body[2:5], "big", signed=True)
            if body[1] == 0:
                configs["video"] = body[5:]
            elif body[1] == 1:
                packets.append(Packet("video", dts * 10**6, (dts + shift) * 10**6, body[0] >> 4 == 1, body[5:]))
        elif kind == 8 and body[0] >> 4 == 10:
            if body[1] == 0:
                configs["audio"] = body[2:]
            else:
                packets.append(Packet("audio", dts * 10**6, dts * 10**6, True, body[2:]))
    return configs, packets
