// SPDX-License-Identifier: Apache-2.0
#include "hls/segmenter.hpp"

#include <algorithm>
#include <utility>

namespace ringcast::sink {

namespace {

// The container's timeline begins a second in: AAC priming and reordered frames lie below 0 on ours, and the clock
// reference must come before the packets it times. Half of it is shift, half the muxer's own delay (2 x max_delay).
constexpr std::int64_t kShiftUs = 500'000;
constexpr int kMaxDelayUs = 250'000;

// Sound this late is not coming: the cut is made without it.
constexpr std::int64_t kSeamPatienceUs = 500'000;

std::uint32_t lead_stream_of(std::span<const ringcast_sink_stream* const> streams) {
    const auto video = std::ranges::find(streams, std::uint32_t{RINGCAST_SINK_VIDEO},
                                         [](const ringcast_sink_stream* stream) { return stream->media; });
    return video == streams.end() ? 0 : static_cast<std::uint32_t>(video - streams.begin());
}

SegmentWriter& begun(SegmentWriter& writer, std::uint64_t number) {
    writer.begin(number);
    return writer;
}

}  // namespace

Segmenter::Segmenter(std::span<const ringcast_sink_stream* const> streams, std::int64_t segment_us,
                     SegmentWriter& writer, std::uint64_t first_number, Publish publish)
    : segment_us_(segment_us),
      writer_(writer),
      publish_(std::move(publish)),
      lead_stream_(lead_stream_of(streams)),
      has_other_(streams.size() > 1),
      muxer_({.name = "mpegts", .seekable = false, .max_delay_us = kMaxDelayUs, .options = {}}, streams,
             begun(writer, first_number)),
      number_(first_number) {
    for (const auto* stream : streams) {
        timebases_.push_back({static_cast<int>(stream->timebase_num), static_cast<int>(stream->timebase_den)});
    }
}

std::int64_t Segmenter::micros(const ringcast_sink_packet& packet, std::int64_t ticks) const {
    return av_rescale_q(ticks, timebases_.at(packet.stream), {1, 1'000'000});
}

void Segmenter::packet(const ringcast_sink_packet& packet) {
    const bool lead = packet.stream == lead_stream_;
    const std::int64_t pts_us = micros(packet, packet.pts);
    if (!cut_us_ && lead && start_us_ && (packet.flags & RINGCAST_SINK_PACKET_KEY) != 0 &&
        pts_us - *start_us_ >= segment_us_) {
        cut_us_ = pts_us;
    }
    if (cut_us_ && seam_is_complete(packet)) cut();
    if (cut_us_ && lead) {
        hold(packet);
    } else {
        write(packet);
    }
}

bool Segmenter::seam_is_complete(const ringcast_sink_packet& packet) const {
    if (!has_other_ || other_end_us_ >= *cut_us_) return true;
    const std::int64_t pts_us = micros(packet, packet.pts);
    return packet.stream == lead_stream_ ? pts_us - *cut_us_ >= kSeamPatienceUs : pts_us >= *cut_us_;
}

void Segmenter::hold(const ringcast_sink_packet& packet) {
    held_.push_back({packet, {packet.data, packet.data + packet.data_size}});
    held_.back().packet.data = held_.back().data.data();
}

void Segmenter::write(const ringcast_sink_packet& packet) {
    muxer_.write(packet, kShiftUs);
    const std::int64_t end_us = micros(packet, packet.pts + packet.duration);
    if (packet.stream != lead_stream_) {
        other_end_us_ = std::max(other_end_us_, end_us);
        return;
    }
    if (!start_us_) start_us_ = micros(packet, packet.pts);
    lead_end_us_ = std::max(lead_end_us_, end_us);
}

void Segmenter::cut() {
    const std::int64_t at_us = *std::exchange(cut_us_, std::nullopt);
    muxer_.flush();
    publish_segment(at_us);
    writer_.begin(number_);
    muxer_.set_option("mpegts_flags", "+resend_headers");
    start_us_ = at_us;
    for (const HeldPacket& held : std::exchange(held_, {}))
        write(held.packet);
}

void Segmenter::publish_segment(std::int64_t end_us) {
    writer_.publish();
    publish_({.number = number_++, .start_us = *start_us_, .end_us = end_us});
}

void Segmenter::end() {
    if (cut_us_) cut();
    if (!start_us_) {
        writer_.abandon();
        return;
    }
    muxer_.finish();
    publish_segment(lead_end_us_);
}

}  // namespace ringcast::sink
