// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "hls/segment_names.hpp"

namespace ringcast::sink {

enum class HlsMode {
    event,  ///< every segment from the first one on; viewers can start at the beginning
    live    ///< the newest few; for streams without an end
};

/// One finished segment. Times are microseconds on the output's timeline: lengths are differences of rounded
/// positions, so the rounding of one EXTINF never adds up over a day.
struct Segment {
    std::uint64_t number = 0;
    std::int64_t start_us = 0;
    std::int64_t end_us = 0;
    bool discontinuity = false;  ///< a new encoding begins here
    std::uint64_t bytes = 0;
};

/// What settles the form of a playlist for its whole life.
struct PlaylistForm {
    HlsMode mode = HlsMode::event;
    SegmentNames names{"segment-%05d", SegmentType::ts};
    std::int64_t segment_us = 2'000'000;
    std::size_t window = 6;  ///< live: so many segments are listed
};

/// A media playlist as text, written and read back. No file, no clock: it is the whole state of the sink, so that a
/// sink that was killed goes on from what it finds on the disk.
class Playlist {
public:
    /// What a playlist that was closed leaves to the next one in its folder: numbers only ever rise.
    struct Counters {
        std::uint64_t next_number = 0;
        std::uint64_t discontinuities = 0;
    };
    struct Entry {
        std::uint64_t number = 0;
        std::int64_t length_us = 0;
        std::int64_t date_ns = 0;  ///< CLOCK_REALTIME at its start; 0 unknown
        bool discontinuity = false;
        std::optional<std::uint64_t> init;  ///< number of the initialisation it needs
        std::uint64_t bytes = 0;
    };

    /// `stream` names it for players that come back.
    Playlist(PlaylistForm form, std::string stream, const Counters& counters);

    /// Another encoding follows. `epoch_realtime_ns`: wall-clock time of its position 0, 0 unknown; `init`: the number
    /// of its initialisation.
    void begin_encoding(std::int64_t epoch_realtime_ns, std::optional<std::uint64_t> init);

    /// The first segment settles TARGETDURATION, which must never change: the wanted length rounded up, or more when
    /// keyframes come so seldom that segments are longer. A later one that is longer still does not fit.
    [[nodiscard]] bool fits(const Segment& segment) const;
    void add(const Segment& segment);

    /// The playlist that follows this one within an encoding. What this one lists stays on disk as its own past does: a
    /// viewer may have just read it here.
    [[nodiscard]] Playlist next(std::string stream) const;

    void end() { ended_ = true; }

    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] std::int64_t target_duration() const noexcept { return target_duration_; }
    [[nodiscard]] const std::string& stream() const noexcept { return stream_; }
    [[nodiscard]] const PlaylistForm& form() const noexcept { return form_; }
    [[nodiscard]] const std::deque<Entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] std::string text() const;
    [[nodiscard]] Counters counters() const;

    /// The oldest segment whose file is still wanted: live, one past the window, for those who have just read it there.
    [[nodiscard]] const Entry& oldest_kept() const { return past_ ? *past_ : entries_.front(); }

    /// Bits per second as RFC 8216 (4.1) counts them: the largest of any run of segments that lasts 0.5 to 1.5 target
    /// durations, and the mean of what is listed.
    [[nodiscard]] std::uint64_t peak_bps() const;
    [[nodiscard]] std::uint64_t average_bps() const;

private:
    friend class PlaylistReader;

    void append(const Entry& entry);
    void measure_newest();

    PlaylistForm form_;
    std::string stream_;
    std::int64_t epoch_realtime_ns_ = 0;
    std::optional<std::uint64_t> init_;
    std::int64_t target_duration_ = 0;
    std::uint64_t next_number_ = 0;
    std::uint64_t discontinuity_sequence_ = 0;
    std::deque<Entry> entries_;
    std::optional<Entry> past_;
    double peak_bps_ = 0;
    std::uint64_t listed_bytes_ = 0;
    std::int64_t listed_us_ = 0;
    bool ended_ = false;
};

}  // namespace ringcast::sink
