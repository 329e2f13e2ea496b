// SPDX-License-Identifier: Apache-2.0
#include "coded_track.hpp"

#include <utility>

#include "coded_sound.hpp"
#include "coded_video.hpp"

namespace ringcast::ingest {

std::unique_ptr<CodedTrack> CodedTrack::make(const AVStream& stream) {
    switch (stream.codecpar->codec_id) {
        case AV_CODEC_ID_H264:
        case AV_CODEC_ID_HEVC:
            return std::make_unique<CodedVideo>(stream);
        case AV_CODEC_ID_AAC:
        case AV_CODEC_ID_OPUS:
            return std::make_unique<CodedSound>(stream);
        default:
            break;
    }
    const bool is_video = stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    throw NotCarried(std::string(is_video ? "its pictures are " : "its sound is ") +
                     avcodec_get_name(stream.codecpar->codec_id) + ", which a bus does not carry as packets (" +
                     (is_video ? "h264, hevc" : "aac, opus") + "): use --decode");
}

Rational bus_fps(AVRational rate) {
    constexpr std::int64_t kFinest = 1'000'000;
    constexpr int kMostRate = 1000;
    if (rate.num <= 0 || rate.den <= 0) return {0, 1};
    AVRational rounded{};
    av_reduce(&rounded.num, &rounded.den, rate.num, rate.den, kFinest);
    if (rounded.num <= 0 || rounded.den <= 0 || rounded.num / rounded.den > kMostRate) return {0, 1};
    return {static_cast<std::uint32_t>(rounded.num), static_cast<std::uint32_t>(rounded.den)};
}

Rational fps_of(const AVStream& stream) {
    return bus_fps(stream.avg_frame_rate);
}

std::shared_ptr<const TrackFormat> format_for_decoder(const AVStream& stream) {
    auto format = std::make_shared<TrackFormat>();
    format->parameters = runtime::av_owned<CodecParametersPtr>(avcodec_parameters_alloc());
    if (avcodec_parameters_copy(format->parameters.get(), stream.codecpar) < 0) throw std::bad_alloc();
    format->fps = fps_of(stream);
    return format;
}

}  // namespace ringcast::ingest
