// SPDX-License-Identifier: Apache-2.0
#include "audio_feed.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>

#include "ringcast/error.hpp"

namespace ringcast {
namespace {

constexpr std::chrono::seconds kMostWaiting{120};

std::int64_t room_of(std::chrono::nanoseconds depth) {
    // The rest of the ring is for readers that are a little late.
    return depth.count() / 4 * 3;
}

}  // namespace

AudioFeed::AudioFeed(Settings settings, Publish publish)
    : settings_(std::move(settings)), publish_(std::move(publish)) {}

AudioFeed::~AudioFeed() {
    {
        const std::scoped_lock lock(mutex_);
        quit_ = true;
        waiting_.clear();
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void AudioFeed::check_room(std::chrono::nanoseconds media) const {
    // Without video such a push waits itself instead of letting its sound wait.
    if (!settings_.has_video && settings_.mode != WriterMode::live) return;
    const std::scoped_lock lock(mutex_);
    const std::int64_t room = kMostWaiting.count() * std::int64_t{1'000'000'000} + room_of(settings_.depth);
    if (waiting_ns_ + media.count() <= room) return;
    throw Error(ErrorCode::too_large, "bus '" + settings_.bus + "': this push of " +
                                          std::to_string(media.count() / 1'000'000) + " ms comes on " +
                                          std::to_string(waiting_ns_ / 1'000'000) +
                                          " ms of sound that still wait for their time; at most 120 s"
                                          " may wait: write sound no further ahead of the video");
}

void AudioFeed::push(const RecordFields& fields, std::span<const std::byte> samples) {
    std::unique_lock lock(mutex_);
    const bool sleeps = settings_.mode == WriterMode::paced && !settings_.has_video;
    if (sleeps && waiting_.empty()) {
        // Nothing else could be held up by sleeping here.
        const auto when = due(fields);
        lock.unlock();
        std::this_thread::sleep_until(when);
        lock.lock();
    }
    if (waiting_.empty() && due(fields) <= Clock::now()) return publish_now(fields, samples);
    waiting_.push_back({fields, {samples.begin(), samples.end()}});
    waiting_ns_ += fields.duration_ns;
    if (settings_.mode == WriterMode::lossless) return;
    if (!thread_.joinable()) {
        // Signals belong to the model's own threads.
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        thread_ = std::thread([this] { feed(); });
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    changed_.notify_all();
}

void AudioFeed::video_reached(std::int64_t pts_ns) {
    if (settings_.mode != WriterMode::lossless) return;
    const std::scoped_lock lock(mutex_);
    video_seen_ = true;
    video_pts_ns_ = pts_ns;
    publish_due();
}

void AudioFeed::set_origin(std::int64_t origin_ns) {
    const std::scoped_lock lock(mutex_);
    origin_ns_ = origin_ns;
}

void AudioFeed::drain() {
    std::unique_lock lock(mutex_);
    if (settings_.mode != WriterMode::lossless) {
        changed_.wait(lock, [this] { return waiting_.empty(); });
        return;
    }
    while (!waiting_.empty()) {
        publish_now(waiting_.front().fields, waiting_.front().samples);
        waiting_.pop_front();
    }
    waiting_ns_ = 0;
}

std::uint64_t AudioFeed::clear() {
    std::uint64_t samples = 0;
    {
        const std::scoped_lock lock(mutex_);
        for (const Block& block : waiting_)
            samples += block.fields.sample_count;
        waiting_.clear();
        waiting_ns_ = 0;
        fresh_ns_ = 0;
    }
    changed_.notify_all();
    return samples;
}

std::chrono::nanoseconds AudioFeed::waiting() const {
    const std::scoped_lock lock(mutex_);
    return std::chrono::nanoseconds(waiting_ns_);
}

AudioFeed::Clock::time_point AudioFeed::due(const RecordFields& fields) const {
    switch (settings_.mode) {
        case WriterMode::live: {
            // Counted in media time, not by pts: a model may let its pts jump.
            const std::int64_t over = fresh_ns_ + fields.duration_ns - room_of(settings_.depth);
            return over <= 0 ? Clock::time_point::min() : fresh_since_ + std::chrono::nanoseconds(over);
        }
        case WriterMode::paced:
            return Clock::time_point(std::chrono::nanoseconds(origin_ns_ + fields.pts_ns) - settings_.lead);
        case WriterMode::lossless:
            break;
    }
    if (!settings_.has_video) return Clock::time_point::min();
    const std::int64_t horizon = (video_seen_ ? video_pts_ns_ : fields.pts_ns - fresh_ns_) + room_of(settings_.depth);
    return fields.pts_ns + fields.duration_ns <= horizon ? Clock::time_point::min() : Clock::time_point::max();
}

void AudioFeed::publish_now(const RecordFields& fields, std::span<const std::byte> samples) {
    const auto now = Clock::now();
    if (settings_.mode != WriterMode::lossless) {
        fresh_ns_ = std::max<std::int64_t>(fresh_ns_ - (now - fresh_since_).count(), 0);
    }
    fresh_since_ = now;
    fresh_ns_ += fields.duration_ns;
    publish_(fields, samples);
}

void AudioFeed::publish_due() {
    while (!waiting_.empty() && due(waiting_.front().fields) <= Clock::now()) {
        const Block block = std::move(waiting_.front());
        waiting_.pop_front();
        waiting_ns_ -= block.fields.duration_ns;
        publish_now(block.fields, block.samples);
    }
}

void AudioFeed::feed() {
    std::unique_lock lock(mutex_);
    while (!quit_) {
        publish_due();
        if (waiting_.empty()) {
            changed_.notify_all();  // drain() may wait for this
            changed_.wait(lock, [this] { return quit_ || !waiting_.empty(); });
        } else {
            changed_.wait_until(lock, due(waiting_.front().fields), [this] { return quit_ || waiting_.empty(); });
        }
    }
}

}  // namespace ringcast
