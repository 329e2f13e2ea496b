// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringcast::sink {

/// "segment-00000.ts"; five digits at least.
std::string segment_name(std::uint64_t number);
/// The way back; none for any other spelling.
std::optional<std::uint64_t> segment_number(std::string_view name);

inline constexpr const char* kPlaylistName = "index.m3u8";

/// One finished segment. Times are microseconds on the output's timeline: lengths are differences of rounded
/// positions, so the rounding of one EXTINF never adds up over a day.
struct Segment {
    std::uint64_t number = 0;
    std::int64_t start_us = 0;
    std::int64_t end_us = 0;
    bool discontinuity = false;  ///< a new encoding begins here
};

/// The text of an event playlist: every segment from the first one on, closed by end(). No file, no clock.
class Playlist {
public:
    /// `segment_us` is the wanted segment length; `epoch_realtime_ns` the wall-clock time of position 0, 0 unknown.
    Playlist(std::int64_t segment_us, std::int64_t epoch_realtime_ns)
        : segment_us_(segment_us), epoch_realtime_ns_(epoch_realtime_ns) {}

    /// The first segment also settles TARGETDURATION, which must never change: the wanted length rounded up, or more
    /// when keyframes come so seldom that segments are longer. Returns false when a later one does not fit into it.
    bool add(const Segment& segment);

    void end() { ended_ = true; }

    [[nodiscard]] bool empty() const noexcept { return target_duration_ == 0; }
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] std::int64_t target_duration() const noexcept { return target_duration_; }
    [[nodiscard]] std::string text() const;

private:
    std::int64_t segment_us_;
    std::int64_t epoch_realtime_ns_;
    std::int64_t target_duration_ = 0;
    std::uint64_t media_sequence_ = 0;
    std::string entries_;
    bool ended_ = false;
};

}  // namespace ringcast::sink
