// SPDX-License-Identifier: Apache-2.0
/// The containers by libavformat's names, and what two sinks must agree on when they write MPEG-TS.
#pragma once

#include <cstdint>

#include "mux/muxer.hpp"

namespace ringcast::sink {

inline constexpr const char* kMp4Muxer = "mp4";
inline constexpr const char* kMatroskaMuxer = "matroska";
inline constexpr const char* kFlvMuxer = "flv";

/// MPEG-TS begins a second later than our timeline: AAC priming and reordered pictures lie below 0 on ours, and the
/// clock reference must come before the packets it times. Half of it is this shift, half the muxer's own delay
/// (2 x max_delay).
inline constexpr std::int64_t kTsShiftUs = 500'000;

[[nodiscard]] inline Muxer::Format transport_stream_format() {
    return {.name = "mpegts", .seekable = false, .max_delay_us = kTsShiftUs / 2, .options = {}};
}

}  // namespace ringcast::sink
