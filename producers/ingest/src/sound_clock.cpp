// SPDX-License-Identifier: Apache-2.0
#include "sound_clock.hpp"

#include <algorithm>

#include "adts.hpp"

namespace ringcast::ingest {

SoundClock::SoundClock(const AVStream& stream)
    : parser_(av_parser_init(stream.codecpar->codec_id)),
      context_(runtime::av_owned<runtime::AVCodecContextPtr>(avcodec_alloc_context3(nullptr))) {
    if (avcodec_parameters_to_context(context_.get(), stream.codecpar) < 0) throw std::bad_alloc();
    // MPEG-TS does not say it, and has several packets behind one time stamp.
    constexpr int kOpusRate = 48000;
    if (context_->codec_id == AV_CODEC_ID_OPUS) context_->sample_rate = kOpusRate;
}

std::int64_t SoundClock::duration_ns() const noexcept {
    return context_->sample_rate > 0 ? count_to_ns(last_, {static_cast<std::uint32_t>(context_->sample_rate), 1}) : 0;
}

/// libavcodec's parser does not tell AAC's rate.
void SoundClock::measure(const AVPacket& packet) {
    last_ = 0;
    const std::span<const std::uint8_t> bytes(packet.data, static_cast<std::size_t>(packet.size));
    if (context_->codec_id == AV_CODEC_ID_AAC) {
        if (has_adts_header(bytes)) context_->sample_rate = static_cast<int>(aac_rate(adts_rate_index(bytes)));
        last_ = kAacFrameSamples;
    } else if (parser_) {
        std::uint8_t* out = nullptr;
        int size = 0;
        av_parser_parse2(parser_.get(), context_.get(), &out, &size, packet.data, packet.size, AV_NOPTS_VALUE,
                         AV_NOPTS_VALUE, 0);
        last_ = static_cast<std::uint32_t>(std::max(parser_->duration, 0));
    }
}

std::optional<std::int64_t> SoundClock::place(const AVPacket& packet, std::optional<std::int64_t> stamped_ns) {
    if (stamped_ns) {
        stamp_ns_ = stamped_ns;
        samples_ = 0;
    }
    const bool is_known = context_->sample_rate > 0;
    const Rational rate{static_cast<std::uint32_t>(std::max(context_->sample_rate, 1)), 1};
    const std::int64_t since_ns = is_known ? count_to_ns(samples_, rate) : 0;
    measure(packet);
    samples_ += last_;
    if (!stamp_ns_) return std::nullopt;
    return *stamp_ns_ + since_ns;
}

}  // namespace ringcast::ingest
