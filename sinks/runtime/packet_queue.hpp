// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>

#include "runtime/packet.hpp"

namespace ringcast::runtime {

struct QueueLimit {
    std::chrono::nanoseconds capacity = std::chrono::seconds(4);
    /// For a peer that is far away: what it does not take in time is dropped, and nobody ever waits for it.
    bool drops = false;
};

/// Packets between the pipeline thread and the sink thread, bounded in media time.
///
/// push() always takes the packet. Without `drops` the bound is soft: the pipeline asks is_full() before it reads more
/// from the ring, so a slow place holds back the reading of its own sink, and nobody waits with a packet in hand. With
/// `drops` the queue is never full: at its bound both tracks are dropped up to a keyframe, and while there is no
/// connection nothing is kept, so that what a peer gets is never older than the bound.
///
/// Decoding starts at a keyframe: after begin_at_keyframe() and after a drop, what comes before one is left out, and
/// so is sound that belongs to earlier pictures. What is left out is counted.
/// Thread safety: one pushing and one popping thread; the rest from any thread.
class PacketQueue {
public:
    /// `on_room` is called from the popping thread, `want_keyframe` from the pushing one, both without a lock held:
    /// a full queue has room again; the queue was cut and holds no keyframe.
    PacketQueue(QueueLimit limit, std::function<void()> on_room, std::function<void()> want_keyframe);

    /// Empties the queue and begins a new output of these streams (their order is Packet::stream).
    void begin(std::span<const StreamInfo> streams);
    void push(Packet&& packet);
    /// No packet follows in this output: pop() gives what is queued, then nothing.
    void end();
    /// The popping thread takes no more in this output: what is queued and what comes is discarded, counted.
    void abandon();

    /// There is a connection that packets go to. True: it has to begin at a keyframe that is still to come.
    [[nodiscard]] bool open();
    /// The connection is gone. What comes next begins at a keyframe.
    void close();
    /// The next packet that is popped is a keyframe.
    void begin_at_keyframe();

    /// Waits for a packet. Nothing: is_over(), nudge() was called, or a full queue held none that is wanted.
    std::optional<Packet> pop();
    /// Ends a pop() that waits, or the next one that would.
    void nudge();
    /// The output ended and all is popped, or it was abandoned.
    [[nodiscard]] bool is_over() const;

    [[nodiscard]] bool drops() const noexcept { return limit_.drops; }
    [[nodiscard]] bool is_full() const;
    [[nodiscard]] std::chrono::nanoseconds media_time() const;
    [[nodiscard]] std::uint64_t discarded_video() const;  ///< packets never popped, all outputs so far
    /// The peer was too slow for the bound, in this output or an earlier one.
    [[nodiscard]] bool has_overflowed_since(std::chrono::steady_clock::time_point begin) const;

private:
    struct Stream {
        Rational timebase{1, 1};
        std::size_t queued = 0;
        std::int64_t oldest_dts = 0;  // of the packets queued
        std::int64_t newest_end = 0;
    };

    [[nodiscard]] bool is_wanted(const Packet& packet);
    [[nodiscard]] bool cut();
    [[nodiscard]] bool has_room() const;
    void leave_out_unwanted();
    void discard_front();
    void discard_all();
    void forget_front();
    [[nodiscard]] std::int64_t end_ns(const Packet& packet) const;
    [[nodiscard]] std::chrono::nanoseconds media_time_locked() const;

    const QueueLimit limit_;
    const std::function<void()> on_room_;
    const std::function<void()> want_keyframe_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Packet> packets_;
    std::array<Stream, 2> streams_{};
    bool ended_ = true;
    bool abandoned_ = false;
    bool nudged_ = false;
    bool away_ = false;                   // drops: no connection
    bool need_key_ = false;               // nothing before the next keyframe is of use
    std::int64_t begins_ns_ = INT64_MIN;  // dts of the keyframe that decoding began at: sound before it is left out
    bool was_full_ = false;
    std::uint64_t discarded_video_ = 0;
    std::optional<std::chrono::steady_clock::time_point> overflowed_at_;
};

}  // namespace ringcast::runtime
