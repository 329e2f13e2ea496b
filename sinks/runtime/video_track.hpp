// SPDX-License-Identifier: Apache-2.0
/// The picture side of a timeline: which record is shown at which output tick.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "runtime/media_time.hpp"
#include "runtime/timeline.hpp"

namespace ringcast::runtime {

/// Records are placed in order; ticks are queued without hole and popped one by one. A queued hole of any length is one
/// span, so memory follows the number of records, not the length of the output.
class VideoTrack {
public:
    explicit VideoTrack(const OutputGrid& grid) : grid_(grid) {}

    /// From now on `pts_ns` stands at `tick`; the ticks before it are filled.
    void join(std::int64_t tick, std::int64_t pts_ns);

    /// False: the record's tick is taken already; it is dropped and counted. A hole before it is filled: with the last
    /// picture, or when there is none with this one if `show_early`, else with the slate.
    bool place(const VideoRecord& record, bool show_early);
    [[nodiscard]] bool has_place(const VideoRecord& record) const { return assign(record).tick >= next_tick_; }

    /// Shows the last popped picture for so many ticks more, before all that is queued; what comes later is shifted.
    void hold(std::int64_t ticks);
    void shift(std::int64_t ticks);  ///< only of what comes later; the hole is filled when it comes
    /// What stands in from now on where there was a picture: repeat or stall_slate.
    void set_fill(FrameKind kind) { fill_ = kind; }
    void void_queued();  ///< takes back all that is queued

    void fill_to(std::int64_t tick);  ///< repeats the last picture (or the slate); nothing when the end is past it
    void cut_to(std::int64_t tick);   ///< takes back queued ticks from there on

    [[nodiscard]] std::int64_t end_tick() const { return next_tick_; }
    /// Where the last picture ends by its own duration; at least end_tick().
    [[nodiscard]] std::int64_t nominal_end() const;
    [[nodiscard]] std::int64_t end_ns() const { return grid_.tick_to_ns(next_tick_); }
    [[nodiscard]] std::int64_t pts_to_ns(std::int64_t pts_ns) const;  ///< output time of a bus pts
    [[nodiscard]] std::int64_t pts_at(std::int64_t output_ns) const;  ///< the way back
    [[nodiscard]] bool has_picture() const { return has_picture_; }
    [[nodiscard]] std::uint64_t last_id() const { return last_id_; }  ///< of the last record that got a tick
    [[nodiscard]] std::size_t held() const { return held_; }          ///< fresh pictures queued
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
    void count_drop() { ++dropped_; }

    [[nodiscard]] std::optional<std::int64_t> front_tick() const;
    [[nodiscard]] bool front_is_fresh() const { return spans_.front().kind == FrameKind::fresh; }
    [[nodiscard]] std::int64_t front_capture_ns() const { return spans_.front().capture_time_ns; }
    EmitFrame pop();
    [[nodiscard]] std::int64_t popped_tick() const { return spans_.empty() ? next_tick_ : spans_.front().tick; }
    [[nodiscard]] std::uint64_t needed_from() const { return popped_id_; }

private:
    struct Span {
        FrameKind kind;
        std::uint64_t id;
        std::int64_t tick;
        std::int64_t count;
        std::int64_t capture_time_ns;
        std::int64_t first_tick;
        std::int64_t first_pts_ns;
    };
    struct Assignment {
        std::int64_t tick;
        Int128 offset;  ///< pts since the map's, in units of 1 / (tick_den) ticks
    };

    [[nodiscard]] Assignment assign(const VideoRecord& record) const;
    void append(FrameKind kind, std::uint64_t id, std::int64_t count, std::int64_t capture_time_ns);
    [[nodiscard]] FrameKind fill_kind() const { return has_picture_ ? fill_ : FrameKind::slate; }

    OutputGrid grid_;
    std::int64_t map_tick_ = 0;  // pts map_pts_ns_ stands at this tick
    std::int64_t map_pts_ns_ = 0;
    std::optional<Assignment> previous_;  // of the last record, for the hysteresis
    std::int64_t last_end_tick_ = 0;      // the last record's tick plus its duration
    std::int64_t next_tick_ = 0;          // end of what is queued
    std::deque<Span> spans_;
    std::size_t held_ = 0;
    bool has_picture_ = false;
    FrameKind fill_ = FrameKind::repeat;
    std::uint64_t last_id_ = 0;
    std::uint64_t popped_id_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace ringcast::runtime
