// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "sample.hpp"

namespace ringcast::ingest {

/// Lays the lives of a source one behind the other on the timeline of the bus (docs/timing.md).
///
/// The first life keeps its own times. Each further one - another connection, or times that are set back within one -
/// begins where the one before ended, both tracks shifted by one amount. A life begins at a keyframe, and waits with it
/// for its sound for half a second, so that sinks learn of both tracks at once. Sound goes ahead alone when no
/// keyframe comes for long. A jump forward within a life is kept.
/// Pure: the time is told. One thread.
class Splicer {
public:
    using Clock = std::chrono::steady_clock;

    /// What comes from now on is of another connection.
    void begin_connection();
    /// The source has said that it has this track.
    void announce(Track track) { announced_[index_of(track)] = true; }

    /// Times as the source gave them, unwrapped.
    void put(Sample sample, Clock::time_point now);
    /// The next packet for the bus, its times on the bus. Call until nullopt, and from time to time without put(): a
    /// track that does not come is waited for no longer.
    std::optional<Sample> take(Clock::time_point now);

    /// Sound has waited for some seconds for the first keyframe of announced pictures.
    [[nodiscard]] bool lacks_keyframe(Clock::time_point now) const;
    [[nodiscard]] std::uint64_t rebases() const noexcept { return rebases_; }
    /// Packets that had no place: before a keyframe, before the picture, of a time that does not rise.
    [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }

private:
    struct Line {
        std::optional<std::int64_t> source_dts_ns;  ///< newest of this life
        std::int64_t bus_dts_ns = INT64_MIN;        ///< newest on the bus
        std::int64_t bus_end_ns = INT64_MIN;
        bool is_new = true;  ///< has come to the present life
    };

    [[nodiscard]] Line& line(Track track) { return lines_[index_of(track)]; }
    void begin_life();
    void hold(Sample sample, Clock::time_point now);
    [[nodiscard]] bool may_open(Clock::time_point now) const;
    void open();
    void emit(Sample sample);
    void leave_out(Sample& sample);
    [[nodiscard]] std::shared_ptr<const TrackFormat> first_format(Track track) const;

    std::array<Line, kTracks> lines_;
    std::array<bool, kTracks> announced_{};
    std::deque<Sample> held_;   ///< of the life that begins; from its keyframe on
    std::deque<Sample> ready_;  ///< times on the bus
    bool is_open_ = false;
    bool has_key_ = false;  ///< a keyframe has come in the present life
    bool has_written_ = false;
    std::array<bool, kTracks> has_held_{};
    std::array<std::shared_ptr<const TrackFormat>, kTracks> due_format_;  ///< came with a packet that was left out
    Clock::time_point held_since_{};
    std::int64_t offset_ns_ = 0;
    std::uint64_t rebases_ = 0;
    std::uint64_t left_out_ = 0;
};

}  // namespace ringcast::ingest
