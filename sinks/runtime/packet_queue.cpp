// SPDX-License-Identifier: Apache-2.0
#include "runtime/packet_queue.hpp"

#include <algorithm>
#include <utility>

#include "runtime/media_time.hpp"

namespace ringcast::runtime {
namespace {

bool is_video(const Packet& packet) {
    return packet.stream == static_cast<std::uint32_t>(Media::video);
}

}  // namespace

PacketQueue::PacketQueue(QueueLimit limit, std::function<void()> on_room, std::function<void()> want_keyframe)
    : limit_(limit), on_room_(std::move(on_room)), want_keyframe_(std::move(want_keyframe)) {}

void PacketQueue::begin(std::span<const StreamInfo> streams) {
    const std::scoped_lock lock(mutex_);
    packets_.clear();
    streams_ = {};
    for (std::size_t i = 0; i < std::min(streams.size(), streams_.size()); ++i) {
        streams_[i].timebase = streams[i].timebase;
    }
    ended_ = false;
    abandoned_ = false;
    away_ = limit_.drops;
    need_key_ = false;
    begins_ns_ = INT64_MIN;
    was_full_ = false;
}

void PacketQueue::push(Packet&& packet) {
    bool want_keyframe = false;
    {
        const std::scoped_lock lock(mutex_);
        if (abandoned_ || away_ || packet.stream >= streams_.size()) {
            if (is_video(packet)) ++discarded_video_;
            need_key_ = need_key_ || away_;
            return;
        }
        Stream& stream = streams_[packet.stream];
        if (stream.queued == 0) stream.oldest_dts = packet.dts;
        ++stream.queued;
        stream.newest_end = packet.dts + packet.duration;
        packets_.push_back(std::move(packet));
        // Nothing to take before the keyframe comes: kept, it would only count as time.
        if (limit_.drops) leave_out_unwanted();
        if (media_time_locked() >= limit_.capacity) {
            if (limit_.drops)
                want_keyframe = cut();
            else
                was_full_ = true;
        }
    }
    // Under the lock the other thread would wake up only to wait for it.
    changed_.notify_one();
    if (want_keyframe) want_keyframe_();
}

/// The peer takes less than comes. A keyframe in the newer half of what is queued is young enough to go on at; else all
/// goes, and decoding waits for one: true.
bool PacketQueue::cut() {
    overflowed_at_ = std::chrono::steady_clock::now();
    need_key_ = true;
    auto youngest = std::find_if(packets_.rbegin(), packets_.rend(),
                                 [](const Packet& packet) { return is_video(packet) && packet.key; });
    if (youngest == packets_.rend()) {
        discard_all();
        return true;
    }
    const auto kept = static_cast<std::size_t>(youngest - packets_.rbegin()) + 1;
    while (packets_.size() > kept)
        discard_front();
    if (media_time_locked() <= limit_.capacity / 2) return false;
    discard_all();
    return true;
}

void PacketQueue::end() {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
}

void PacketQueue::abandon() {
    bool room = false;
    {
        const std::scoped_lock lock(mutex_);
        abandoned_ = true;
        discard_all();
        room = std::exchange(was_full_, false);
        changed_.notify_all();
    }
    if (room) on_room_();
}

bool PacketQueue::open() {
    const std::scoped_lock lock(mutex_);
    away_ = false;
    return need_key_;
}

void PacketQueue::close() {
    const std::scoped_lock lock(mutex_);
    need_key_ = true;
    away_ = limit_.drops;
    if (away_) discard_all();
}

void PacketQueue::begin_at_keyframe() {
    const std::scoped_lock lock(mutex_);
    need_key_ = true;
}

std::optional<Packet> PacketQueue::pop() {
    std::optional<Packet> packet;
    bool room = false;
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] {
            leave_out_unwanted();
            return !packets_.empty() || has_room() || ended_ || abandoned_ || nudged_;
        });
        nudged_ = false;
        if (!packets_.empty()) {
            packet = std::move(packets_.front());
            forget_front();
        }
        room = has_room();
        if (room) was_full_ = false;
    }
    if (room) on_room_();
    return packet;
}

/// A quarter of room, so that a full queue does not wake the pipeline for every packet.
bool PacketQueue::has_room() const {
    return was_full_ && media_time_locked() < limit_.capacity * 3 / 4;
}

void PacketQueue::nudge() {
    const std::scoped_lock lock(mutex_);
    nudged_ = true;
    changed_.notify_all();
}

bool PacketQueue::is_over() const {
    const std::scoped_lock lock(mutex_);
    return abandoned_ || (ended_ && packets_.empty());
}

void PacketQueue::leave_out_unwanted() {
    while (!packets_.empty() && !is_wanted(packets_.front()))
        discard_front();
}

bool PacketQueue::is_wanted(const Packet& packet) {
    if (!need_key_) return is_video(packet) || end_ns(packet) > begins_ns_;
    if (!is_video(packet) || !packet.key) return false;
    need_key_ = false;
    const Rational& timebase = streams_[packet.stream].timebase;
    begins_ns_ = scale(packet.dts, kSecondNs * timebase.num, timebase.den);
    return true;
}

std::int64_t PacketQueue::end_ns(const Packet& packet) const {
    const Rational& timebase = streams_[packet.stream].timebase;
    return scale(packet.dts + packet.duration, kSecondNs * timebase.num, timebase.den);
}

void PacketQueue::discard_front() {
    if (is_video(packets_.front())) ++discarded_video_;
    forget_front();
}

void PacketQueue::discard_all() {
    while (!packets_.empty())
        discard_front();
}

void PacketQueue::forget_front() {
    const Packet& packet = packets_.front();
    Stream& stream = streams_[packet.stream];
    --stream.queued;
    stream.oldest_dts = packet.dts + packet.duration;
    packets_.pop_front();
}

bool PacketQueue::is_full() const {
    const std::scoped_lock lock(mutex_);
    return was_full_;
}

std::chrono::nanoseconds PacketQueue::media_time() const {
    const std::scoped_lock lock(mutex_);
    return media_time_locked();
}

std::chrono::nanoseconds PacketQueue::media_time_locked() const {
    std::chrono::nanoseconds longest{0};
    for (const Stream& stream : streams_) {
        if (stream.queued == 0) continue;
        const std::int64_t span_ns =
            scale(stream.newest_end - stream.oldest_dts, kSecondNs * stream.timebase.num, stream.timebase.den);
        longest = std::max(longest, std::chrono::nanoseconds(span_ns));
    }
    return longest;
}

std::uint64_t PacketQueue::discarded_video() const {
    const std::scoped_lock lock(mutex_);
    return discarded_video_;
}

bool PacketQueue::has_overflowed_since(std::chrono::steady_clock::time_point begin) const {
    const std::scoped_lock lock(mutex_);
    return overflowed_at_ >= begin;
}

}  // namespace ringcast::runtime
