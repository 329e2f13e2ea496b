// SPDX-License-Identifier: Apache-2.0
#include "hls/segmenter.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "mux/formats.hpp"

namespace ringcast::sink {

namespace {

// fMP4 has an edit list for what lies below 0. Only an encoding that begins elsewhere is shifted there: players take
// a gap at the begin for granted in no edit list.
constexpr std::int64_t kNearZeroUs = 1'000'000;

// One moof and mdat per segment. The tables wait for the first packets (delay_moov): their edit list takes away what
// lies below 0.
Muxer::Format muxer_format(SegmentType type) {
    if (type == SegmentType::ts) return transport_stream_format();
    return {.name = kMp4Muxer,
            .seekable = false,
            .max_delay_us = 0,
            .options = {{"movflags", "+frag_custom+delay_moov+default_base_moof+skip_trailer"}}};
}

// The muxer's constructor writes: PAT and PMT go into the first segment, ftyp into the initialisation.
SegmentWriter& begun(SegmentWriter& writer, SegmentType type, std::uint64_t number) {
    type == SegmentType::ts ? writer.begin(number) : writer.begin_init(number);
    return writer;
}

// ISO/IEC 23009-1: a media segment names its brands in a styp of its own.
constexpr std::array<std::uint8_t, 24> kSegmentTypeBox{0, 0, 0, 24, 's', 't', 'y', 'p', 'm', 's', 'd', 'h',
                                                       0, 0, 0, 0,  'm', 's', 'd', 'h', 'm', 's', 'i', 'x'};

}  // namespace

Segmenter::Segmenter(std::span<const ringcast_sink_stream* const> streams, const PlaylistForm& form,
                     SegmentWriter& writer, std::uint64_t first_number, Publish publish)
    : type_(form.names.type()),
      segment_us_(form.segment_us),
      writer_(writer),
      publish_(std::move(publish)),
      lead_stream_(lead_stream_of(streams)),
      has_other_(streams.size() > 1),
      muxer_(muxer_format(type_), streams, begun(writer, type_, first_number)),
      number_(first_number) {
    for (const auto* stream : streams) {
        timebases_.push_back({static_cast<int>(stream->timebase_num), static_cast<int>(stream->timebase_den)});
        if (stream->initial_padding == 0) continue;
        priming_ = av_rescale_q(stream->initial_padding, {1, static_cast<int>(stream->sample_rate)}, timebases_.back());
    }
}

void Segmenter::begin_segment() {
    writer_.begin(number_);
    if (type_ == SegmentType::ts) {
        muxer_.set_option("mpegts_flags", "+resend_headers");
    } else {
        writer_.write(kSegmentTypeBox);
    }
}

std::int64_t Segmenter::micros(const ringcast_sink_packet& packet, std::int64_t ticks) const {
    return av_rescale_q(ticks, timebases_.at(packet.stream), {1, 1'000'000});
}

// A decoder that starts at the first packet that holds sound fades it in over that one packet (21 ms of AAC at 48 kHz).
// With the priming in it the first segment would be longer than its EXTINF by more than a frame at 50 and 60 fps, and
// MPEG-TS, which has no edit list, would play it.
bool Segmenter::is_priming(const ringcast_sink_packet& packet) {
    if (priming_ == 0 || packet.stream == lead_stream_) return false;
    if (!priming_end_) priming_end_ = packet.pts + priming_;
    return packet.pts + packet.duration <= *priming_end_;
}

void Segmenter::packet(const ringcast_sink_packet& packet) {
    if (is_priming(packet)) return;
    const bool lead = packet.stream == lead_stream_;
    const std::int64_t pts_us = micros(packet, packet.pts);
    if (!cut_us_ && lead && start_us_ && (packet.flags & RINGCAST_SINK_PACKET_KEY) != 0 &&
        pts_us - *start_us_ >= segment_us_) {
        cut_us_ = pts_us;
    }
    if (cut_us_ && seam_is_complete(packet)) cut();
    if (cut_us_ && lead) {
        held_.emplace_back(packet);
    } else {
        write(packet);
    }
}

bool Segmenter::seam_is_complete(const ringcast_sink_packet& packet) const {
    if (!has_other_ || other_end_us_ >= *cut_us_) return true;
    const std::int64_t pts_us = micros(packet, packet.pts);
    return packet.stream == lead_stream_ ? pts_us - *cut_us_ >= kSeamPatience.count() : pts_us >= *cut_us_;
}

std::int64_t Segmenter::shift_for(std::int64_t first_us) const {
    if (type_ == SegmentType::ts) return kTsShiftUs;
    return std::abs(first_us) < kNearZeroUs ? 0 : -first_us;
}

void Segmenter::write(const ringcast_sink_packet& packet) {
    if (!shift_us_) shift_us_ = shift_for(micros(packet, packet.dts));
    muxer_.write(packet, *shift_us_);
    const std::int64_t end_us = micros(packet, packet.pts + packet.duration);
    if (packet.stream != lead_stream_) {
        other_end_us_ = std::max(other_end_us_, end_us);
        return;
    }
    if (!start_us_) start_us_ = micros(packet, packet.pts);
    lead_end_us_ = std::max(lead_end_us_, end_us);
}

// With delayed tables the first flush of the muxer writes those and nothing else.
void Segmenter::publish_init() {
    if (type_ == SegmentType::ts || std::exchange(has_init_, true)) return;
    muxer_.flush();
    writer_.publish_init();
    begin_segment();
}

void Segmenter::cut() {
    const std::int64_t at_us = *std::exchange(cut_us_, std::nullopt);
    publish_init();
    muxer_.flush();
    publish_segment(at_us);
    begin_segment();
    start_us_ = at_us;
    for (const HeldPacket& held : std::exchange(held_, {}))
        write(held.packet);
}

void Segmenter::publish_segment(std::int64_t end_us) {
    const std::uint64_t bytes = writer_.publish();
    publish_({.number = number_++, .start_us = *start_us_, .end_us = end_us, .bytes = bytes});
}

void Segmenter::end() {
    if (cut_us_) cut();
    if (!start_us_) {
        writer_.abandon();
        return;
    }
    publish_init();
    muxer_.finish();
    publish_segment(lead_end_us_);
}

}  // namespace ringcast::sink
