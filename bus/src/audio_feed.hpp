// SPDX-License-Identifier: Apache-2.0
/// Sound on its way into the ring: what would push unread sound out waits in private memory until its time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "flow_memory.hpp"
#include "ringcast/producer.hpp"

namespace ringcast {

/// A speech may be longer than the ring is deep, and one thread may write it before the first frame. So:
///   live      as much as the ring holds at once, the rest as the clock makes room;
///   paced     by pts, `lead` ahead of the clock;
///   lossless  by the pts of the video, the ring's depth ahead of it.
/// In live and paced mode a thread of its own does that; it exists only while something waits.
/// Thread safety: all calls from any thread; `publish` is called under the lock of this object, in order.
class AudioFeed {
public:
    /// One block, at most 100 ms, pts and counts already fixed.
    using Publish = std::function<void(const RecordFields&, std::span<const std::byte>)>;

    struct Settings {
        std::string bus;  ///< for errors
        WriterMode mode = WriterMode::live;
        std::chrono::nanoseconds depth{};  ///< of the ring, in media time
        std::chrono::nanoseconds lead{};   ///< paced
        bool has_video = false;            ///< without it lossless does not wait here, and paced sleeps in push()
    };

    AudioFeed(Settings settings, Publish publish);
    /// What still waits is given up: the producer did not end().
    ~AudioFeed();
    AudioFeed(const AudioFeed&) = delete;
    AudioFeed& operator=(const AudioFeed&) = delete;

    /// Throws Error(too_large) when more than 120 s would wait; nothing of the push is lost then but all of it refused.
    void check_room(std::chrono::nanoseconds media) const;
    void push(const RecordFields& fields, std::span<const std::byte> samples);
    /// Lossless: the video has come this far.
    void video_reached(std::int64_t pts_ns);
    /// Paced: the clock on which pts 0 lies at `origin_ns` (CLOCK_MONOTONIC), as the first record of any flow set it.
    void set_origin(std::int64_t origin_ns);
    /// Publishes all that waits, by the clock in live and paced mode, at once in lossless.
    void drain();
    /// Nothing is published while the result lives.
    [[nodiscard]] std::unique_lock<std::mutex> pause() { return std::unique_lock(mutex_); }
    /// Gives up what waits (flush), and what was published counts as played. Returns the samples given up.
    std::uint64_t clear();
    /// Media time the ring holds from now on. Call it while paused.
    void set_depth(std::chrono::nanoseconds depth) { settings_.depth = depth; }
    [[nodiscard]] std::chrono::nanoseconds waiting() const;

private:
    struct Block {
        RecordFields fields;
        std::vector<std::byte> samples;
    };
    using Clock = std::chrono::steady_clock;

    /// When this block may go: min() for now, max() for not before something happens.
    [[nodiscard]] Clock::time_point due(const RecordFields& fields) const;
    void publish_now(const RecordFields& fields, std::span<const std::byte> samples);
    void publish_due();
    void feed();

    Settings settings_;
    const Publish publish_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Block> waiting_;
    std::int64_t waiting_ns_ = 0;
    std::int64_t fresh_ns_ = 0;  // live: media published and, by the clock, not yet played at `fresh_since_`
    Clock::time_point fresh_since_{};
    std::int64_t origin_ns_ = 0;  // paced
    std::int64_t video_pts_ns_ = 0;
    bool video_seen_ = false;
    bool quit_ = false;
    std::thread thread_;
};

}  // namespace ringcast
