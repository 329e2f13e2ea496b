// SPDX-License-Identifier: Apache-2.0
#include "sound_writer.hpp"

extern "C" {
#include <libavutil/channel_layout.h>
}

#include <algorithm>

#include "ringcast/error.hpp"

namespace ringcast::ingest {
namespace {

constexpr int kMostChannels = 8;

int channels_of(const AVFrame& frame) {
    return std::min(frame.ch_layout.nb_channels, kMostChannels);
}

}  // namespace

AudioFormat SoundWriter::format_of(const AVFrame& frame) {
    return {SampleFormat::f32, static_cast<std::uint32_t>(frame.sample_rate),
            static_cast<std::uint32_t>(channels_of(frame))};
}

void SoundWriter::open(const AVFrame& frame) {
    if (converter_ && rate_ == frame.sample_rate && channels_ == frame.ch_layout.nb_channels && format_ == frame.format)
        return;
    AVChannelLayout target{};
    if (frame.ch_layout.nb_channels <= kMostChannels) {
        av_channel_layout_copy(&target, &frame.ch_layout);
    } else {
        av_channel_layout_default(&target, kMostChannels);
    }
    AVChannelLayout source = frame.ch_layout;  // asked for as not const, and only read
    SwrContext* made = nullptr;
    const int code = swr_alloc_set_opts2(&made, &target, AV_SAMPLE_FMT_FLT, frame.sample_rate, &source,
                                         static_cast<AVSampleFormat>(frame.format), frame.sample_rate, 0, nullptr);
    av_channel_layout_uninit(&target);
    converter_.reset(made);
    if (code < 0 || swr_init(made) < 0)
        throw Error(ErrorCode::unsupported,
                    "sound of " + std::to_string(frame.ch_layout.nb_channels) + " channels cannot be converted");
    rate_ = frame.sample_rate;
    channels_ = frame.ch_layout.nb_channels;
    format_ = frame.format;
}

void SoundWriter::write(Producer& producer, const AVFrame& frame) {
    open(frame);
    const std::size_t sample = static_cast<std::size_t>(channels_of(frame)) * sizeof(float);
    samples_.resize(static_cast<std::size_t>(frame.nb_samples) * sample);
    auto* out = reinterpret_cast<std::uint8_t*>(samples_.data());
    const int made = swr_convert(converter_.get(), &out, frame.nb_samples,
                                 const_cast<const std::uint8_t**>(frame.extended_data), frame.nb_samples);
    if (made <= 0) return;
    producer.write_audio(std::span(samples_).first(static_cast<std::size_t>(made) * sample),
                         frame.best_effort_timestamp);
}

}  // namespace ringcast::ingest
