// SPDX-License-Identifier: Apache-2.0
#include "runtime/passed_video.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "ringcast/error.hpp"

namespace ringcast::runtime {

namespace {

constexpr std::uint32_t kTicksPerFrame = 4;
constexpr std::uint32_t kFinest = 90'000;  // ticks per second of the stream sent, at least
constexpr Rational kUnknownRate{25, 1};
constexpr std::uint32_t kMostRate = 1'000'000;           // numerator: 60000/1001 and the like, and no overflow
constexpr std::int64_t kWobbleNs = 10 * kMillisecondNs;  // as for samples, see docs/timing.md
constexpr std::int64_t kPicturesDiedNs = 2000 * kMillisecondNs;
constexpr std::uint32_t kAudioStream = static_cast<std::uint32_t>(Media::audio);

Rational fps_of(const PassedStream& stream) {
    const Rational fps = stream.format.fps;
    const bool known = fps.num > 0 && fps.num <= kMostRate && fps.den > 0 && fps.num / fps.den <= 1000;
    return known ? fps : kUnknownRate;
}

AVPacketPtr copy_of(std::span<const std::byte> payload) {
    AVPacketPtr packet = av_owned<AVPacketPtr>(av_packet_alloc());
    if (av_new_packet(packet.get(), static_cast<int>(payload.size())) < 0) throw std::bad_alloc();
    std::memcpy(packet->data, payload.data(), payload.size());
    return packet;
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

PassedVideo::PassedVideo(PassedStreams streams)
    : streams_(std::move(streams)), stream_(video_info(*streams_.video)), grid_(ticks_of(streams_), 48000) {}

Rational PassedVideo::ticks_of(const PassedStreams& streams) {
    const Rational fps = fps_of(*streams.video);
    return {fps.num * kTicksPerFrame, fps.den};
}

std::optional<StreamInfo> PassedVideo::passed_audio() const {
    if (!streams_.audio) return std::nullopt;
    StreamInfo info;
    info.media = Media::audio;
    info.codec = streams_.audio->format.codec;
    info.sample_rate = streams_.audio->format.rate;
    info.channels = streams_.audio->format.channels;
    info.timebase = {1, info.sample_rate};
    info.extradata = streams_.audio->config;
    return info;
}

ReadStatus PassedVideo::read(FlowReader& flow, const Timeline& /*timeline*/) {
    read_.reset();
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
    if (!streams_.audio || record.stream_id != streams_.audio->id) return;
    sounds_.push_back(
        {id_of(record.index), record.pts_ns, record.duration_ns, record.session, copy_of(record.payload)});
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
    packet.payload = copy_of(record.payload);
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

void PassedVideo::flush(std::uint64_t id) {
    std::erase_if(sounds_, [&](const Sound& sound) { return sound.id < id; });
}

/// Sound leaves up to the end of the picture that leaves with it, so that a stall holds both. When pictures have
/// stopped coming for good, the sound goes on without them.
void PassedVideo::encode(const EmitFrame& frame, const PacketHandler& handler) {
    if (frame.kind != FrameKind::fresh) {
        const std::int64_t end_ns = grid_.tick_to_ns(frame.tick + 1);
        if (shift_ns_ && end_ns - picture_end_ns_ > kPicturesDiedNs) send_sounds(end_ns, handler);
        return;
    }
    const auto found = std::find_if(packets_.begin(), packets_.end(),
                                    [&](const Unsent& packet) { return packet.record.id == frame.id; });
    if (found == packets_.end()) return;
    // Those before it that were never named are void.
    forget_before(frame.id);
    shift_ns_ = grid_.tick_to_ns(frame.tick) - frame.bus_pts_ns;
    Unsent& packet = packets_.front();
    shift_session_ = packet.record.session;
    const std::int64_t duration_ns = std::max<std::int64_t>(packet.record.duration_ns, 0);
    picture_end_ns_ = std::max(grid_.tick_to_ns(frame.tick) + duration_ns, grid_.tick_to_ns(frame.tick + 1));
    send(packet, handler);
    send_sounds(picture_end_ns_, handler);
}

void PassedVideo::send(Unsent& packet, const PacketHandler& handler) {
    packet.sent = true;
    if (sends_from_key_ && !packet.key) {
        ++dropped_;
        return;
    }
    sends_from_key_ = false;
    Packet out;
    out.stream = static_cast<std::uint32_t>(Media::video);
    out.dts = std::max(video_ticks(packet.record.pts_ns + *shift_ns_), last_dts_ + 1);
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

/// Sound goes with the pictures of its session: it takes their shift. What is left of a session whose pictures are all
/// sent stands nowhere any more.
void PassedVideo::send_sounds(std::int64_t until_ns, const PacketHandler& handler) {
    const auto is_awaited = [&](std::uint64_t session) {
        return session == session_ || std::any_of(packets_.begin(), packets_.end(), [&](const Unsent& packet) {
                   return !packet.sent && packet.record.session == session;
               });
    };
    while (!sounds_.empty()) {
        const bool now = sounds_.front().session == shift_session_;
        if (now ? sounds_.front().pts_ns + *shift_ns_ >= until_ns : is_awaited(sounds_.front().session)) return;
        Sound sound = std::move(sounds_.front());
        sounds_.pop_front();
        if (now) send_sound(std::move(sound), handler);
    }
}

void PassedVideo::send_sound(Sound&& sound, const PacketHandler& handler) {
    const std::int64_t rate = streams_.audio->format.rate;
    Packet out;
    out.stream = kAudioStream;
    out.pts = scale(sound.pts_ns + *shift_ns_, rate, kSecondNs);
    out.duration = std::max<std::int64_t>(scale(sound.duration_ns, rate, kSecondNs), 1);
    out.key = true;
    // Times in whole milliseconds, as FLV has them, wobble: what nearly joins does join.
    const std::int64_t wobble = scale(kWobbleNs, rate, kSecondNs);
    if (sound_end_ && std::abs(out.pts - *sound_end_) <= wobble) out.pts = *sound_end_;
    if (out.pts < sound_end_.value_or(0)) return;  // before the first picture, or before a join
    out.dts = out.pts;
    sound_end_ = out.pts + out.duration;
    out.payload = std::move(sound.payload);
    handler(std::move(out));
}

void PassedVideo::drain(const PacketHandler& handler) {
    if (shift_ns_) send_sounds(INT64_MAX, handler);
}

void PassedVideo::adjust(TimelineCounters& counters) const {
    counters.frames = sent_;
    counters.repeated_frames = 0;
    counters.dropped_frames = dropped_;
    if (streams_.audio) counters.silence_samples = 0;
}

std::int64_t PassedVideo::video_ticks(std::int64_t ns) const {
    return scale(ns, stream_.timebase.den, kSecondNs);
}

}  // namespace ringcast::runtime
