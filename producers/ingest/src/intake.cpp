// SPDX-License-Identifier: Apache-2.0
#include "intake.hpp"

#include <utility>

namespace ringcast::ingest {
namespace {

/// A stream that has gone on under another number, as MPEG-TS allows.
constexpr std::chrono::seconds kGone{2};

}  // namespace

void Intake::announce_tracks() {
    const auto streams = demuxer_.streams();
    for (; announced_ < streams.size(); ++announced_) {
        const AVMediaType type = streams[announced_]->codecpar->codec_type;
        if (type == AVMEDIA_TYPE_VIDEO) splicer_.announce(Track::video);
        if (type == AVMEDIA_TYPE_AUDIO) splicer_.announce(Track::audio);
    }
}

std::optional<Track> Intake::choose(const AVPacket& packet, Splicer::Clock::time_point now) {
    const AVStream& stream = *demuxer_.streams()[static_cast<std::size_t>(packet.stream_index)];
    const AVMediaType type = stream.codecpar->codec_type;
    if (type != AVMEDIA_TYPE_VIDEO && type != AVMEDIA_TYPE_AUDIO) return std::nullopt;
    const Track track = type == AVMEDIA_TYPE_VIDEO ? Track::video : Track::audio;
    Chosen& chosen = chosen_[index_of(track)];
    if (chosen.stream != packet.stream_index) {
        if (chosen.stream >= 0 && now - chosen.seen < kGone) return std::nullopt;
        chosen = {};
        chosen.stream = packet.stream_index;
        if (mode_ == IngestMode::packets) chosen.coded = CodedTrack::make(stream);
        if (track == Track::audio) chosen.clock = std::make_unique<SoundClock>(stream);
    }
    chosen.seen = now;
    return track;
}

std::optional<Intake::Times> Intake::times_of(AVPacket& packet, const AVStream& stream, Chosen& chosen) {
    if (packet.dts == AV_NOPTS_VALUE) packet.dts = packet.pts;
    if (packet.pts == AV_NOPTS_VALUE) packet.pts = packet.dts;
    std::optional<Times> times;
    if (packet.dts != AV_NOPTS_VALUE) {
        if (!ticks_) ticks_.emplace(stream.pts_wrap_bits);
        const std::int64_t dts = ticks_->unwrap(packet.dts);
        const std::int64_t pts = ticks_->near(packet.pts, dts);
        times =
            Times{av_rescale_q(dts, stream.time_base, kNanoseconds), av_rescale_q(pts, stream.time_base, kNanoseconds)};
    }
    if (!chosen.clock) return times;
    const auto place = chosen.clock->place(packet, times ? std::optional(times->pts_ns) : std::nullopt);
    return place ? std::optional(Times{*place, *place}) : std::nullopt;
}

std::int64_t Intake::duration_of(const AVPacket& packet, const AVStream& stream, Track track) const {
    // Containers round it to milliseconds, or leave it out.
    const Rational rate = rates_[index_of(track)];
    if (rate.num > 0) return count_to_ns(1, rate);
    if (track == Track::audio && chosen_[index_of(track)].clock->duration_ns() > 0)
        return chosen_[index_of(track)].clock->duration_ns();
    return packet.duration > 0 ? av_rescale_q(packet.duration, stream.time_base, kNanoseconds) : 0;
}

void Intake::take(runtime::AVPacketPtr packet, Splicer::Clock::time_point now) {
    announce_tracks();
    const auto track = choose(*packet, now);
    if (!track) return;
    const AVStream& stream = *demuxer_.streams()[static_cast<std::size_t>(packet->stream_index)];
    Chosen& chosen = chosen_[index_of(*track)];
    const auto times = times_of(*packet, stream, chosen);
    if (!times) return;
    Sample sample;
    if (chosen.coded) {
        if (!chosen.coded->convert(packet, sample.format)) return;
    } else if (std::exchange(chosen.is_new, false) ||
               av_packet_get_side_data(packet.get(), AV_PKT_DATA_NEW_EXTRADATA, nullptr)) {
        sample.format = format_for_decoder(stream);
    }
    if (sample.format) rates_[index_of(*track)] = sample.format->fps;
    sample.track = *track;
    sample.dts_ns = times->dts_ns;
    sample.pts_ns = times->pts_ns;
    sample.duration_ns = duration_of(*packet, stream, *track);
    sample.key = *track == Track::audio || (packet->flags & AV_PKT_FLAG_KEY) != 0;
    sample.packet = std::move(packet);
    splicer_.put(std::move(sample), now);
}

}  // namespace ringcast::ingest
