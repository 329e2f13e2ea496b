// SPDX-License-Identifier: Apache-2.0
/// Option values as people write them: numbers with units, sizes, choices. Pure functions; nullopt is "not that".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringcast/caps.hpp"

namespace ringcast::runtime {

struct Size {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    friend bool operator==(const Size&, const Size&) = default;
};

/// "2s" or "2frames": a span of media, in time or in pictures.
struct MediaSpan {
    std::chrono::nanoseconds time{0};
    std::uint32_t frames = 0;  ///< not 0: counts pictures, `time` is not used

    /// Whole pictures at this rate; at least one unless the span is zero.
    [[nodiscard]] std::uint32_t in_frames(Rational fps) const;
    [[nodiscard]] bool is_zero() const noexcept { return frames == 0 && time.count() == 0; }
    friend bool operator==(const MediaSpan&, const MediaSpan&) = default;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// "2s", "200ms", "1.5s", "500us", "2min". The unit is required.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
/// "3000k", "6M", "2.5M", "800000bps" bits per second. The unit is required, so that 3000 is never taken for 3 Mb/s.
std::optional<std::uint64_t> parse_bitrate(std::string_view text);
/// "2s", "200ms", "50frames", "0frames".
std::optional<MediaSpan> parse_media_span(std::string_view text);
/// "1280x720".
std::optional<Size> parse_size(std::string_view text);
/// "44100", "48000Hz", "48kHz", "44.1kHz".
std::optional<std::uint32_t> parse_sample_rate(std::string_view text);
/// "yes"/"no" (also true/false, on/off, 1/0).
std::optional<bool> parse_bool(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);
/// "k=v:k=v"; a backslash takes the next character as it stands.
std::optional<Pairs> parse_pairs(std::string_view text);

/// Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other, in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate with the smallest edit distance, when it is near enough to be what was meant; else empty.
std::string_view nearest_name(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace ringcast::runtime
