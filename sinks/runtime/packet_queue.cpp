// SPDX-License-Identifier: Apache-2.0
#include "runtime/packet_queue.hpp"

#include <algorithm>
#include <utility>

#include "runtime/media_time.hpp"

namespace ringcast::runtime {

PacketQueue::PacketQueue(std::chrono::nanoseconds capacity, std::function<void()> on_room)
    : capacity_(capacity), on_room_(std::move(on_room)) {}

void PacketQueue::begin(std::span<const StreamInfo> streams) {
    const std::scoped_lock lock(mutex_);
    packets_.clear();
    streams_ = {};
    for (std::size_t i = 0; i < std::min(streams.size(), streams_.size()); ++i) {
        streams_[i].timebase = streams[i].timebase;
    }
    ended_ = false;
    abandoned_ = false;
    was_full_ = false;
}

void PacketQueue::push(Packet&& packet) {
    const std::scoped_lock lock(mutex_);
    const bool video = packet.stream == static_cast<std::uint32_t>(Media::video);
    if (abandoned_ || packet.stream >= streams_.size()) {
        if (video) ++discarded_video_;
        return;
    }
    Stream& stream = streams_[packet.stream];
    if (stream.queued == 0) stream.oldest_dts = packet.dts;
    ++stream.queued;
    stream.newest_end = packet.dts + packet.duration;
    packets_.push_back(std::move(packet));
    was_full_ = was_full_ || media_time_locked() >= capacity_;
    changed_.notify_one();
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

std::optional<Packet> PacketQueue::pop() {
    std::optional<Packet> packet;
    bool room = false;
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !packets_.empty() || ended_ || abandoned_; });
        if (packets_.empty()) return std::nullopt;
        packet = std::move(packets_.front());
        packets_.pop_front();
        forget(*packet);
        // A quarter of room, so that a full queue does not wake the pipeline for every packet.
        room = was_full_ && media_time_locked() < capacity_ * 3 / 4;
        if (room) was_full_ = false;
    }
    if (room) on_room_();
    return packet;
}

void PacketQueue::forget(const Packet& packet) {
    Stream& stream = streams_[packet.stream];
    --stream.queued;
    stream.oldest_dts = packet.dts + packet.duration;
}

void PacketQueue::discard_all() {
    for (const Packet& packet : packets_) {
        if (packet.stream == static_cast<std::uint32_t>(Media::video)) ++discarded_video_;
    }
    packets_.clear();
    for (Stream& stream : streams_)
        stream.queued = 0;
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

}  // namespace ringcast::runtime
