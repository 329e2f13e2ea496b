// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "ringcast/producer.hpp"
#include "runtime/av_handles.hpp"

namespace ringcast::ingest {

enum class Track : std::uint8_t { video, audio };
inline constexpr std::size_t kTracks = 2;

constexpr std::size_t index_of(Track track) {
    return static_cast<std::size_t>(track);
}
constexpr Track other(Track track) {
    return track == Track::video ? Track::audio : Track::video;
}

struct CodecParametersDeleter {
    void operator()(AVCodecParameters* parameters) const noexcept { avcodec_parameters_free(&parameters); }
};
using CodecParametersPtr = std::unique_ptr<AVCodecParameters, CodecParametersDeleter>;

/// How a track is coded: for the bus, and for a decoder of our own.
struct TrackFormat {
    PacketStream stream;            ///< packets mode
    CodecParametersPtr parameters;  ///< decode mode
    Rational fps{0, 1};             ///< pictures, packets of sound; 0/1: the stream does not say
};

/// One coded packet on its way to the bus.
struct Sample {
    Track track = Track::video;
    std::int64_t dts_ns = 0;
    std::int64_t pts_ns = 0;
    std::int64_t duration_ns = 0;
    bool key = false;
    runtime::AVPacketPtr packet;
    std::shared_ptr<const TrackFormat> format;  ///< on the first packet of a connection and where the coding changes
    std::shared_ptr<const TrackFormat> others;  ///< on the first packet of a life: the other track's, which follows
};

}  // namespace ringcast::ingest
