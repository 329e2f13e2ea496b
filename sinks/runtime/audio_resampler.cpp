// SPDX-License-Identifier: Apache-2.0
#include "runtime/audio_resampler.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "ringcast/error.hpp"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
}

namespace ringcast::runtime {

namespace {

constexpr std::uint64_t kChunkSamples = 48000;  // bounds what one swr call is given, and the silence kept for it

AVSampleFormat to_av(SampleFormat format) {
    return format == SampleFormat::f32 ? AV_SAMPLE_FMT_FLT : AV_SAMPLE_FMT_S16;
}

std::size_t bytes_per_sample(const AudioFormat& format) {
    return (format.format == SampleFormat::f32 ? sizeof(float) : sizeof(std::int16_t)) * format.channels;
}

/// round(count × to / from) without overflow for years of audio.
std::uint64_t scaled_count(std::uint64_t count, std::uint32_t from, std::uint32_t to) {
    const std::uint64_t whole = count / from * to;
    const std::uint64_t rest = count % from * to;
    return whole + (rest + from / 2) / from;
}

/// One voice on several loudspeakers keeps its level on each; libswresample would take 3 dB off.
void keep_level_of_mono(SwrContext* swr, std::uint32_t output_channels) {
    std::array<double, kMostChannels> matrix{};
    if (output_channels > 2) return;
    std::fill_n(matrix.begin(), output_channels, 1.0);
    swr_set_matrix(swr, matrix.data(), 1);
}

}  // namespace

void PlanarSamples::resize(std::size_t samples) {
    for (auto& channel : channels_)
        channel.resize(samples);
}

void PlanarSamples::append(const PlanarSamples& more) {
    for (std::size_t i = 0; i < channels_.size(); ++i)
        channels_[i].insert(channels_[i].end(), more.channels_[i].begin(), more.channels_[i].end());
}

void PlanarSamples::drop_front(std::size_t samples) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(samples, size()));
    for (auto& channel : channels_)
        channel.erase(channel.begin(), channel.begin() + count);
}

AudioResampler::AudioResampler(std::uint32_t output_rate, std::uint32_t output_channels)
    : output_rate_(output_rate), output_channels_(output_channels) {}

void AudioResampler::start(const AudioFormat& input, PlanarSamples& out) {
    if (open_) finish(out);
    if (!swr_ || input != input_) {
        AVChannelLayout in_layout{};
        AVChannelLayout out_layout{};
        av_channel_layout_default(&in_layout, static_cast<int>(input.channels));
        av_channel_layout_default(&out_layout, static_cast<int>(output_channels_));
        SwrContext* raw = nullptr;
        const int code = swr_alloc_set_opts2(&raw, &out_layout, AV_SAMPLE_FMT_FLTP, static_cast<int>(output_rate_),
                                             &in_layout, to_av(input.format), static_cast<int>(input.rate), 0, nullptr);
        swr_.reset(raw);
        input_ = input;
        if (code < 0 || raw == nullptr) throw std::bad_alloc();
        if (input.channels == 1) keep_level_of_mono(raw, output_channels_);
        // Fewer loudspeakers: the weights of a sum add up to one, so that full scale stays full scale.
        av_opt_set_double(raw, "rematrix_maxval", 1.0, 0);
    }
    // Also clears what an earlier segment left in the filter.
    if (const int code = swr_init(swr_.get()); code < 0)
        throw Error(ErrorCode::unsupported, "audio of " + std::to_string(input.rate) + " Hz, " +
                                                std::to_string(input.channels) +
                                                " channels cannot be resampled: " + av_error_text(code));
    open_ = true;
    input_samples_ = 0;
    output_samples_ = 0;
}

void AudioResampler::push(std::span<const std::byte> interleaved, PlanarSamples& out) {
    const std::size_t step = bytes_per_sample(input_);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(interleaved.data());
    std::uint64_t samples = interleaved.size() / step;
    while (samples > 0) {
        const std::uint64_t part = std::min(samples, kChunkSamples);
        convert(bytes, part, out);
        bytes += part * step;
        samples -= part;
    }
}

void AudioResampler::push_silence(std::uint64_t input_samples, PlanarSamples& out) {
    const std::size_t step = bytes_per_sample(input_);
    while (input_samples > 0) {
        const std::uint64_t part = std::min(input_samples, kChunkSamples);
        if (silence_.size() < part * step) silence_.resize(part * step);
        convert(silence_.data(), part, out);
        input_samples -= part;
    }
}

void AudioResampler::convert(const std::uint8_t* input, std::uint64_t samples, PlanarSamples& out) {
    if (!open_) throw Error(ErrorCode::invalid_argument, "audio came before the resampler was started");
    const int in_count = static_cast<int>(samples);
    const int room = std::max(0, swr_get_out_samples(swr_.get(), in_count));
    const std::size_t before = out.size();
    out.resize(before + static_cast<std::size_t>(room));
    std::array<std::uint8_t*, kMostChannels> planes{};
    for (std::uint32_t i = 0; i < output_channels_; ++i)
        planes[i] = reinterpret_cast<std::uint8_t*>(out.channel_data(i) + before);
    std::array<const std::uint8_t*, 1> source{input};
    const int given =
        swr_convert(swr_.get(), planes.data(), room, input != nullptr ? source.data() : nullptr, in_count);
    out.resize(before + static_cast<std::size_t>(std::max(0, given)));
    if (given < 0) throw Error(ErrorCode::system, "audio cannot be resampled: " + av_error_text(given));
    input_samples_ += samples;
    output_samples_ += static_cast<std::uint64_t>(given);
}

std::uint64_t AudioResampler::natural_output() const noexcept {
    return input_.rate == 0 ? 0 : scaled_count(input_samples_, input_.rate, output_rate_);
}

std::uint64_t AudioResampler::finish(std::uint64_t total_output, PlanarSamples& out) {
    if (!open_) return 0;
    const std::uint64_t already = output_samples_;
    // One call gives back what the filter holds, but is bounded by libswresample's own estimate of it.
    for (std::uint64_t before = ~already; before != output_samples_ && output_samples_ < total_output;) {
        before = output_samples_;
        if (input_samples_ > 0) convert(nullptr, 0, out);
    }
    open_ = false;
    const std::uint64_t wanted = std::max(total_output, already);
    // What the flush gave too much or too little: at most the filter's delay, or what the caller asks beyond the input.
    out.resize(out.size() - static_cast<std::size_t>(output_samples_ - already) +
               static_cast<std::size_t>(wanted - already));
    output_samples_ = wanted;
    return wanted;
}

}  // namespace ringcast::runtime
