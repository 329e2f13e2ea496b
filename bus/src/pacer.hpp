// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <mutex>

#include "audio_feed.hpp"
#include "ringcast/producer.hpp"
#include "system.hpp"

namespace ringcast {

/// The clock of a paced producer, common to all its flows; of the other modes it does nothing.
/// Thread safety: any thread.
class Pacer {
public:
    /// `feed` is told the origin before anybody else sees it.
    Pacer(const ProducerOptions& options, AudioFeed& feed)
        : is_paced_(options.mode == WriterMode::paced), lead_(options.lead), feed_(feed) {}

    /// The clock begins with this pts, unless it has begun.
    void begin(std::int64_t pts_ns) {
        if (is_paced_) static_cast<void>(origin(pts_ns));
    }

    /// Sleeps until `lead` before the moment the first record's clock gives this pts.
    void wait(std::int64_t pts_ns) {
        if (!is_paced_) return;
        const std::int64_t due = origin(pts_ns) + pts_ns - lead_.count();
        const timespec until{due / 1'000'000'000, due % 1'000'000'000};
        if (due > monotonic_ns()) ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }

private:
    /// CLOCK_MONOTONIC of pts 0, given by the first record of any flow.
    std::int64_t origin(std::int64_t pts_ns) {
        std::int64_t origin = origin_ns_.load(std::memory_order_acquire);
        if (origin != 0) return origin;
        const std::scoped_lock lock(origin_mutex_);
        origin = origin_ns_.load(std::memory_order_relaxed);
        if (origin != 0) return origin;
        origin = monotonic_ns() - pts_ns;
        feed_.set_origin(origin);
        // Last: who sees it may push sound, which goes by the feed's.
        origin_ns_.store(origin, std::memory_order_release);
        return origin;
    }

    const bool is_paced_;
    const std::chrono::nanoseconds lead_;
    AudioFeed& feed_;
    std::mutex origin_mutex_;
    std::atomic<std::int64_t> origin_ns_{0};
};

}  // namespace ringcast
