// SPDX-License-Identifier: Apache-2.0
/// What flows from the encoders through interleaver and queue to the plugin.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ringcast/caps.hpp"
#include "runtime/av_handles.hpp"

namespace ringcast::runtime {

/// Same numbers as ringcast_sink_media.
enum class Media : std::uint32_t { video = 0, audio = 1 };

/// One elementary stream of an output; everything ringcast_sink_stream needs.
struct StreamInfo {
    Media media = Media::video;
    Codec codec = Codec::h264;  ///< same numbers as ringcast_sink_codec
    Rational timebase{1, 25};   ///< seconds per tick: video fps_den/fps_num (ticks are frames), audio 1/rate
    std::uint32_t width = 0;    ///< pixels
    std::uint32_t height = 0;
    Rational fps{0, 1};
    std::uint32_t sample_rate = 0;  ///< Hz
    std::uint32_t channels = 0;
    std::uint32_t initial_padding = 0;    ///< samples the encoder put in front; first packet's pts is that much below 0
    std::uint64_t bitrate_bps = 0;        ///< target or maximum; 0 unknown
    std::vector<std::uint8_t> extradata;  ///< avcC or AudioSpecificConfig
    std::int64_t epoch_realtime_ns = 0;   ///< CLOCK_REALTIME at pts 0; 0 unknown
};

/// One encoded packet. Moves only; its bytes are never copied after the encoder.
struct Packet {
    AVPacketPtr payload;       ///< owns the bytes, in the shape sink.h asks for; its own pts fields are not used
    std::uint32_t stream = 0;  ///< index into the streams of the output
    std::int64_t pts = 0;      ///< ticks of the stream's timebase
    std::int64_t dts = 0;
    std::int64_t duration = 0;
    std::int64_t capture_time_ns = 0;  ///< CLOCK_MONOTONIC at commit; 0 unknown (audio, filled in)
    bool key = false;

    [[nodiscard]] std::span<const std::uint8_t> data() const noexcept {
        if (!payload) return {};
        return {payload->data, static_cast<std::size_t>(payload->size)};
    }
};

/// Takes each packet as an encoder finishes it; called inside encode() and drain().
using PacketHandler = std::function<void(Packet&&)>;

}  // namespace ringcast::runtime
