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

/// Packets between the pipeline thread and the sink thread, bounded in media time.
///
/// The bound is soft: push() always takes the packet, and the pipeline asks is_full() before it reads more from the
/// ring. So a slow peer holds back the reading of its own sink, and nobody ever waits with a packet in hand.
/// Thread safety: one pushing and one popping thread; the rest from any thread.
class PacketQueue {
public:
    /// `on_room` is called from the popping thread, without a lock held, when a full queue has room again.
    PacketQueue(std::chrono::nanoseconds capacity, std::function<void()> on_room);

    /// Empties the queue and begins a new output of these streams (their order is Packet::stream).
    void begin(std::span<const StreamInfo> streams);
    void push(Packet&& packet);
    /// No packet follows in this output: pop() gives what is queued, then nothing.
    void end();
    /// The popping thread takes no more in this output: what is queued and what comes is discarded, counted.
    void abandon();

    /// Waits for a packet; nothing when the output ended and all is popped, or when it was abandoned.
    std::optional<Packet> pop();

    [[nodiscard]] bool is_full() const;
    [[nodiscard]] std::chrono::nanoseconds media_time() const;
    [[nodiscard]] std::uint64_t discarded_video() const;  ///< packets lost to abandon(), all outputs so far

private:
    struct Stream {
        Rational timebase{1, 1};
        std::size_t queued = 0;
        std::int64_t oldest_dts = 0;  // of the packets queued
        std::int64_t newest_end = 0;
    };

    void forget(const Packet& packet);
    void discard_all();
    [[nodiscard]] std::chrono::nanoseconds media_time_locked() const;

    const std::chrono::nanoseconds capacity_;
    const std::function<void()> on_room_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Packet> packets_;
    std::array<Stream, 2> streams_{};
    bool ended_ = true;
    bool abandoned_ = false;
    bool was_full_ = false;
    std::uint64_t discarded_video_ = 0;
};

}  // namespace ringcast::runtime
