// SPDX-License-Identifier: Apache-2.0
#include "runtime/passed_video.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ringcast/error.hpp"

namespace ringcast::runtime {

namespace {

constexpr std::uint32_t kAnyRate = 48000;  // the grid is asked for ticks only
constexpr std::uint32_t kFinest = 90'000;  // ticks per second of the stream sent, at least
constexpr Rational kUnknownRate{25, 1};
constexpr std::uint32_t kMostRate = 1'000'000;  // numerator: 60000/1001 and the like, and no overflow

Rational fps_of(const PassedStream& stream) {
    const Rational fps = stream.format.fps;
    const bool known = fps.num > 0 && fps.num <= kMostRate && fps.den > 0 && fps.num / fps.den <= 1000;
    return known ? fps : kUnknownRate;
}

bool has_start_code(std::span<const std::byte> payload) {
    static constexpr std::byte kCode[] = {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};
    return payload.size() > 5 && std::memcmp(payload.data(), kCode, sizeof kCode) == 0;
}

StreamInfo video_info(const PassedStream& stream) {
    StreamInfo info;
    info.media = Media::video;
    info.codec = stream.format.codec;
    info.width = stream.format.width;
    info.height = stream.format.height;
    info.fps = fps_of(stream);
    // A whole number of ticks to the frame, and fine enough for packets that do not keep to the rate.
    const std::uint32_t fine = (kFinest + info.fps.num - 1) / info.fps.num;
    info.timebase = {1, info.fps.num * fine};
    info.extradata = stream.config;
    return info;
}

}  // namespace

PassedVideo::PassedVideo(PassedStreams streams, PassedAudio* sound)
    : streams_(std::move(streams)),
      stream_(video_info(*streams_.video)),
      sound_(sound),
      grid_(ticks_of(streams_), kAnyRate) {}

Rational PassedVideo::ticks_of(const PassedStreams& streams) {
    const Rational fps = fps_of(*streams.video);
    return {fps.num * kTicksPerPicture, fps.den};
}

ReadStatus PassedVideo::read(FlowReader& flow, const Timeline& /*timeline*/) {
    read_.reset();
    read_sound_.reset();
    const ReadStatus status = flow.try_read([&](const Record& record) { take(record); });
    const ReadCounts counts = flow.counts();
    if (counts.overrun + counts.aborted != std::exchange(lost_, counts.overrun + counts.aborted)) {
        // Lost before this record: it may still be a keyframe.
        reads_from_key_ = !(read_ && read_->key);
        if (reads_from_key_ && read_) ++dropped_;
        if (reads_from_key_) read_.reset();
    }
    return status;
}

void PassedVideo::take(const Record& record) {
    next_id_ = id_of(record.index) + 1;
    if ((record.flags & layout::kFlagConfig) != 0) {
        const bool had_audio = streams_.audio.has_value();
        changed_ = streams_.take(record) || had_audio != streams_.audio.has_value() || changed_;
        return;
    }
    if (record.stream_id == streams_.video->id) return take_video(record);
    if (sound_ != nullptr && !changed_) read_sound_ = sound_->take(record);
}

void PassedVideo::take_video(const Record& record) {
    if (has_start_code(record.payload))
        throw Error(ErrorCode::unsupported,
                    "the packets of this bus have start codes (Annex B): the producer must write 4-byte lengths");
    const bool key = (record.flags & layout::kFlagKey) != 0;
    if (std::exchange(session_, record.session) != record.session) reads_from_key_ = true;
    if (changed_ || (reads_from_key_ && !key)) {
        ++dropped_;
        return;
    }
    reads_from_key_ = false;
    Unsent packet;
    packet.record.id = id_of(record.index);
    packet.record.pts_ns = record.dts_ns;
    packet.record.duration_ns = record.duration_ns;
    packet.record.capture_time_ns = record.capture_time_ns;
    packet.record.session = record.session;
    packet.record.discontinuity = (record.flags & layout::kFlagDiscontinuity) != 0;
    packet.record.explicit_pts = true;
    packet.delay_ns = record.pts_ns - record.dts_ns;
    packet.key = key;
    packet.payload = copy_payload(record);
    read_ = std::move(packet);
}

void PassedVideo::tell(Timeline& timeline) {
    if (!read_) return;
    if (timeline.on_video(read_->record)) {
        packets_.push_back(std::move(*read_));
    } else {
        reads_from_key_ = true;
        ++dropped_;
    }
    read_.reset();
}

void PassedVideo::forget_before(std::uint64_t id) {
    while (!packets_.empty() && packets_.front().record.id < id) {
        // A flush or a join made it void; what follows was coded on top of it.
        if (!packets_.front().sent) {
            sends_from_key_ = true;
            ++dropped_;
        }
        packets_.pop_front();
    }
}

void PassedVideo::encode(const EmitFrame& frame, const PacketHandler& handler) {
    if (frame.kind != FrameKind::fresh) return;
    const auto found = std::find_if(packets_.begin(), packets_.end(),
                                    [&](const Unsent& packet) { return packet.record.id == frame.id; });
    if (found == packets_.end()) return;
    // Those before it that were never named are void.
    forget_before(frame.id);
    send(packets_.front(), grid_.tick_to_ns(frame.tick) - frame.bus_pts_ns, handler);
}

void PassedVideo::send(Unsent& packet, std::int64_t shift_ns, const PacketHandler& handler) {
    packet.sent = true;
    if (sends_from_key_ && !packet.key) {
        ++dropped_;
        return;
    }
    sends_from_key_ = false;
    Packet out;
    out.stream = static_cast<std::uint32_t>(Media::video);
    out.dts = std::max(video_ticks(packet.record.pts_ns + shift_ns), last_dts_ + 1);
    out.pts = out.dts + video_ticks(packet.delay_ns);
    out.duration = video_ticks(packet.record.duration_ns);
    if (out.duration <= 0) out.duration = stream_.timebase.den * std::int64_t{stream_.fps.den} / stream_.fps.num;
    out.capture_time_ns = packet.record.capture_time_ns;
    out.key = packet.key;
    out.payload = std::move(packet.payload);
    last_dts_ = out.dts;
    ++sent_;
    handler(std::move(out));
}

void PassedVideo::adjust(TimelineCounters& counters) const {
    counters.frames = sent_;
    counters.repeated_frames = 0;
    counters.dropped_frames = dropped_;
}

std::int64_t PassedVideo::video_ticks(std::int64_t ns) const {
    return scale(ns, stream_.timebase.den, kSecondNs);
}

}  // namespace ringcast::runtime
