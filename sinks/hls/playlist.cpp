// SPDX-License-Identifier: Apache-2.0
#include "hls/playlist.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <ctime>

namespace ringcast::sink {

namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

std::int64_t rounded_up(std::int64_t us) {
    return (us + kMicrosPerSecond - 1) / kMicrosPerSecond;
}
std::int64_t rounded(std::int64_t us) {
    return (us + kMicrosPerSecond / 2) / kMicrosPerSecond;
}

// Only pass formats whose result fits: lines here are short.
template <typename... Values>
std::string line(const char* format, Values... values) {
    std::array<char, 96> text{};
    std::snprintf(text.data(), text.size(), format, values...);
    return text.data();
}

std::string program_date_time(std::int64_t realtime_ns) {
    const auto seconds = static_cast<std::time_t>(realtime_ns / 1'000'000'000);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    const auto millis = static_cast<int>(realtime_ns / 1'000'000 % 1000);
    return line("#EXT-X-PROGRAM-DATE-TIME:%s.%03dZ\n", text.data(), millis);
}

}  // namespace

std::string segment_name(std::uint64_t number) {
    return line("segment-%05" PRIu64 ".ts", number);
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
    constexpr std::string_view prefix = "segment-";
    constexpr std::string_view suffix = ".ts";
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
    const std::string_view digits = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    // Only the spelling the sink itself writes: not segment-1.ts, not segment-000000001.ts.
    if (error != std::errc{} || end != digits.data() + digits.size() || segment_name(number) != name) {
        return std::nullopt;
    }
    return number;
}

bool Playlist::add(const Segment& segment) {
    const std::int64_t length_us = segment.end_us - segment.start_us;
    const bool first = empty();
    if (first) {
        target_duration_ = std::max({std::int64_t{1}, rounded_up(segment_us_), rounded(length_us)});
        media_sequence_ = segment.number;
    }
    if (segment.discontinuity && !first) entries_ += "#EXT-X-DISCONTINUITY\n";
    if (first && epoch_realtime_ns_ != 0) {
        entries_ += program_date_time(epoch_realtime_ns_ + segment.start_us * 1000);
    }
    entries_ +=
        line("#EXTINF:%" PRId64 ".%06" PRId64 ",\n", length_us / kMicrosPerSecond, length_us % kMicrosPerSecond);
    entries_ += segment_name(segment.number) + "\n";
    return rounded(length_us) <= target_duration_;
}

std::string Playlist::text() const {
    // EVENT playlists start at the live edge in most players unless EXT-X-START says otherwise.
    return "#EXTM3U\n#EXT-X-VERSION:3\n" + line("#EXT-X-TARGETDURATION:%" PRId64 "\n", target_duration_) +
           line("#EXT-X-MEDIA-SEQUENCE:%" PRIu64 "\n", media_sequence_) +
           "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-START:TIME-OFFSET=0\n" + entries_ +
           (ended_ ? "#EXT-X-ENDLIST\n" : "");
}

}  // namespace ringcast::sink
