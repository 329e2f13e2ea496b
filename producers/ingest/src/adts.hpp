// SPDX-License-Identifier: Apache-2.0
/// What stands in front of AAC frames in MPEG-TS (ISO/IEC 13818-7, 6.2), and the rates AAC knows by number.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace ringcast::ingest {

inline constexpr std::uint32_t kAacFrameSamples = 1024;
inline constexpr std::size_t kAdtsHeader = 7;

/// 0 for a number that stands for none.
constexpr std::uint32_t aac_rate(std::uint32_t index) {
    constexpr std::array<std::uint32_t, 13> kRates{96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                                   22050, 16000, 12000, 11025, 8000,  7350};
    return index < kRates.size() ? kRates[index] : 0;
}

constexpr bool has_adts_header(std::span<const std::uint8_t> bytes) {
    return bytes.size() > kAdtsHeader && bytes[0] == 0xFF && (bytes[1] & 0xF6U) == 0xF0U;
}

constexpr std::uint32_t adts_rate_index(std::span<const std::uint8_t> header) {
    return header[2] >> 2U & 15U;
}

/// Bytes of the frame with its header.
constexpr std::uint32_t adts_frame_bytes(std::span<const std::uint8_t> header) {
    return (header[3] & 3U) << 11U | static_cast<std::uint32_t>(header[4]) << 3U | header[5] >> 5U;
}

}  // namespace ringcast::ingest
