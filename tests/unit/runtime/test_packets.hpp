// SPDX-License-Identifier: Apache-2.0
/// Packets of a picture of 25 fps and a sound of 48 kHz, with nothing in them.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/packet.hpp"

namespace ringcast::runtime::test {

inline std::vector<StreamInfo> two_streams() {
    StreamInfo video;
    video.timebase = {1, 25};
    StreamInfo audio;
    audio.media = Media::audio;
    audio.timebase = {1, 48000};
    return {video, audio};
}

/// A frame, or the 40 ms of sound that belong to one.
inline Packet packet_of(std::uint32_t stream, std::int64_t dts, bool key = false) {
    Packet packet;
    packet.stream = stream;
    packet.pts = packet.dts = dts;
    packet.duration = stream == 0 ? 1 : 1920;
    packet.key = key;
    return packet;
}

}  // namespace ringcast::runtime::test
