// SPDX-License-Identifier: Apache-2.0
/// Where a recording or a playlist is cut into files: what decides the cut, and what waits for it.
#pragma once

#include <ringcast/sink.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace ringcast::sink {

/// Sound this late is not coming: the cut is made without it.
inline constexpr std::chrono::microseconds kSeamPatience{500'000};

/// The stream that cuts and lengths are counted on: video when there is one.
inline std::uint32_t lead_stream_of(std::span<const ringcast_sink_stream* const> streams) {
    const auto video = std::ranges::find(streams, std::uint32_t{RINGCAST_SINK_VIDEO},
                                         [](const ringcast_sink_stream* stream) { return stream->media; });
    return video == streams.end() ? 0 : static_cast<std::uint32_t>(video - streams.begin());
}

/// A packet that waits, with bytes of its own: the host's are gone when packet() returns.
struct HeldPacket {
    explicit HeldPacket(const ringcast_sink_packet& from) : packet(from), data(from.data, from.data + from.data_size) {
        packet.data = data.data();
    }
    HeldPacket(HeldPacket&&) = default;
    HeldPacket& operator=(HeldPacket&&) = default;
    HeldPacket(const HeldPacket&) = delete;
    HeldPacket& operator=(const HeldPacket&) = delete;
    ~HeldPacket() = default;

    ringcast_sink_packet packet;
    std::vector<std::uint8_t> data;
};

}  // namespace ringcast::sink
