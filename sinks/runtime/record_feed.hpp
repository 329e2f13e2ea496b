// SPDX-License-Identifier: Apache-2.0
/// The input side of one track: records in order, and the places where their pts do not simply go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "runtime/media_time.hpp"
#include "runtime/timeline.hpp"

namespace ringcast::runtime {

/// Backward by more than this, pts were set back; less is jitter or an overlap.
inline constexpr std::int64_t kBackwardNs = 100 * kMillisecondNs;
/// A jump further ahead than this is another clock (wall time, wrong unit), not a gap to fill.
inline constexpr std::int64_t kFarNs = 3600 * kSecondNs;

constexpr std::int64_t duration_of(const VideoRecord& record) {
    return record.duration_ns;
}
constexpr std::int64_t duration_of(const AudioRecord& record) {
    return record.sample_rate == 0 ? 0 : scale(record.sample_count, kSecondNs, record.sample_rate);
}
/// The earliest pts that can follow.
constexpr std::int64_t next_pts_of(const VideoRecord& record) {
    return record.pts_ns;
}
constexpr std::int64_t next_pts_of(const AudioRecord& record) {
    return record.pts_ns + duration_of(record);
}

/// Records wait here only at a jump, until the timeline has joined both tracks (or has waited long enough).
template <class Record>
struct RecordFeed {
    std::deque<Record> waiting;
    bool seen = false;       ///< a record of the present session was taken
    bool continues = false;  ///< `previous` stands on the present map
    Record previous{};       ///< the last record taken

    // What is known of the clock, for a track that stops coming.
    std::int64_t end_ns = 0;  ///< output end of the track when its last record was taken
    std::int64_t first_capture_ns = 0;
    std::int64_t last_capture_ns = 0;
    bool filling = false;           ///< the track is missing; the timeline fills it in
    bool cut = false;               ///< flushed: the next record joins, whatever its pts
    bool recounts = false;          ///< the next record's count need not agree with the other track's
    std::uint64_t void_before = 0;  ///< records with lower ids were flushed

    // Against the presentation clock, in output time.
    std::int64_t arrived_ns = 0;  ///< the last record
    bool came = false;            ///< since the present stall began
    std::optional<std::int64_t> late_since_ns;
    std::int64_t most_late_ns = 0;  ///< since then

    [[nodiscard]] bool jumps(const Record& record, std::uint64_t session) const {
        if (cut || record.session != session) return true;
        if (!continues) return false;
        const Int128 step = static_cast<Int128>(record.pts_ns) - next_pts_of(previous);
        return step < -kBackwardNs || step > kFarNs;
    }
    [[nodiscard]] Int128 waiting_span_ns() const {
        if (waiting.empty()) return 0;
        const Record& last = waiting.back();
        return static_cast<Int128>(last.pts_ns) + duration_of(last) - waiting.front().pts_ns;
    }
};

}  // namespace ringcast::runtime
