// SPDX-License-Identifier: Apache-2.0
/// Merges the encoded packets of both tracks into one order.
///
/// strict   files and HLS: packets leave in dts order (video first when equal). A packet leaves when the other track
/// has
///          reached its dts or has ended.
/// bounded  live: the lower dts first where both wait, but a packet leaves as soon as the other track is at most
///          `trail_ns` behind it. Video never waits for sound that is merely in step.
///
/// dts rises strictly within a track, in both. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "ringcast/caps.hpp"
#include "runtime/timeline.hpp"

namespace ringcast::runtime {

enum class InterleaveMode { strict, bounded };

struct InterleaverOptions {
    InterleaveMode mode = InterleaveMode::strict;
    Rational video_timebase{1, 25};  ///< seconds per tick of dts
    Rational audio_timebase{1, 48000};
    std::int64_t trail_ns = 60'000'000;  ///< bounded: how far one track may be behind the other
    std::int64_t max_hold_ns =
        1'000'000'000;  ///< bounded: a packet leaves at the latest when its track is this far past it
};

/// Decides which track leaves next; knows dts only.
class InterleaveOrder {
public:
    explicit InterleaveOrder(const InterleaverOptions& options);

    /// False: dts does not rise, the packet must not be queued.
    [[nodiscard]] bool on_packet(Track track, std::int64_t dts);
    void on_end(Track track);
    /// True: it lies before `count` units of 1/`rate` s.
    [[nodiscard]] bool is_before(Track track, std::int64_t dts, std::int64_t count, std::uint32_t rate) const;

    /// The track whose first packet leaves now; nothing: wait. `front_*`: dts of the first queued packet.
    [[nodiscard]] std::optional<Track> next(std::optional<std::int64_t> front_video,
                                            std::optional<std::int64_t> front_audio) const;

private:
    struct State {
        std::optional<std::int64_t> newest;  ///< dts of the last packet that came
        bool ended = false;
    };
    /// Exact order of two dts: negative, 0 or positive, shifted by `b_plus_ns`.
    [[nodiscard]] int compare(Track a, std::int64_t dts_a, Track b, std::int64_t dts_b, std::int64_t b_plus_ns) const;
    [[nodiscard]] bool may_leave(Track track, std::int64_t dts) const;
    [[nodiscard]] const Rational& timebase(Track track) const;
    [[nodiscard]] const State& state(Track track) const { return states_[static_cast<std::size_t>(track)]; }

    InterleaverOptions options_;
    std::array<State, 2> states_{};
};

template <class Packet>
class Interleaver {
public:
    explicit Interleaver(const InterleaverOptions& options) : order_(options) {}

    /// False: dts does not rise within its track; the packet is refused.
    [[nodiscard]] bool push(Track track, std::int64_t dts, Packet packet) {
        if (!order_.on_packet(track, dts)) return false;
        queue(track).emplace_back(dts, std::move(packet));
        return true;
    }

    /// No further packet of this track.
    void end(Track track) { order_.on_end(track); }

    /// What waits of this track from `count` units of 1/`rate` s on is left out.
    void cut(Track track, std::int64_t count, std::uint32_t rate) {
        Queue& packets = queue(track);
        while (!packets.empty() && !order_.is_before(track, packets.back().first, count, rate))
            packets.pop_back();
    }

    /// The packet that leaves now; nothing: more input is needed (or, after both ends, all have left).
    std::optional<Packet> pop() {
        const auto track = order_.next(front(Track::video), front(Track::audio));
        if (!track) return std::nullopt;
        std::optional<Packet> packet(std::move(queue(*track).front().second));
        queue(*track).pop_front();
        return packet;
    }

    [[nodiscard]] std::size_t size() const { return queues_[0].size() + queues_[1].size(); }

private:
    using Queue = std::deque<std::pair<std::int64_t, Packet>>;
    Queue& queue(Track track) { return queues_[static_cast<std::size_t>(track)]; }
    std::optional<std::int64_t> front(Track track) {
        const Queue& packets = queue(track);
        return packets.empty() ? std::nullopt : std::optional(packets.front().first);
    }

    InterleaveOrder order_;
    std::array<Queue, 2> queues_;
};

}  // namespace ringcast::runtime
