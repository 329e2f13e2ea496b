// SPDX-License-Identifier: Apache-2.0
#include "runtime/audio_encoder.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "ringcast/error.hpp"
#include "runtime/encoder_open.hpp"

extern "C" {
#include <libavutil/channel_layout.h>
}

namespace ringcast::runtime {

namespace {

constexpr int kFallbackFrame = 1024;  // for encoders that take any number

/// Planar float as it is, else interleaved float or 16 bit.
AVSampleFormat choose_sample_format(const AVCodecContext& context) {
    for (const AVSampleFormat wanted : {AV_SAMPLE_FMT_FLTP, AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_S16}) {
        const AVSampleFormat* format = context.codec->sample_fmts;
        for (; format != nullptr && *format != AV_SAMPLE_FMT_NONE; ++format)
            if (*format == wanted) return wanted;
    }
    throw Error(ErrorCode::invalid_argument, std::string("audio.encoder=") + context.codec->name +
                                                 " takes no float and no 16 bit samples: use audio.encoder=aac");
}

void require_rate(const AVCodecContext& context, std::uint32_t rate) {
    const int* known = context.codec->supported_samplerates;
    if (known == nullptr) return;
    std::string list;
    for (; *known != 0; ++known) {
        if (*known == static_cast<int>(rate)) return;
        list += (list.empty() ? "" : ", ") + std::to_string(*known);
    }
    throw Error(ErrorCode::invalid_argument, "audio.rate=" + std::to_string(rate) + ": " + context.codec->name +
                                                 " encodes " + list + " Hz only, such as audio.rate=48000");
}

}  // namespace

AudioEncoder::AudioEncoder(const AudioOptions& options, std::uint32_t stream_index)
    : frame_(av_owned<AVFramePtr>(av_frame_alloc())), stream_index_(stream_index) {
    AVCodecContextPtr context = make_encoder(kAudioRole, options.encoder_name());
    require_rate(*context, options.rate);
    context->sample_fmt = choose_sample_format(*context);
    context->sample_rate = static_cast<int>(options.rate);
    context->time_base = {1, context->sample_rate};
    context->bit_rate = static_cast<std::int64_t>(options.bitrate);
    if (context->codec->id == AV_CODEC_ID_AAC) context->profile = FF_PROFILE_AAC_LOW;
    context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_channel_layout_default(&context->ch_layout, static_cast<int>(options.channels));
    EncoderSettings settings;
    settings.set_all(options.options);
    codec_ = open_encoder(kAudioRole, std::move(context), settings);

    stream_.media = Media::audio;
    stream_.codec = *codec_of(*codec_);
    stream_.timebase = {1, options.rate};
    stream_.sample_rate = options.rate;
    stream_.channels = options.channels;
    stream_.initial_padding = static_cast<std::uint32_t>(codec_->initial_padding);
    stream_.bitrate_bps = options.bitrate;
    stream_.extradata.assign(codec_->extradata, codec_->extradata + codec_->extradata_size);

    frame_size_ = codec_->frame_size > 0 ? codec_->frame_size : kFallbackFrame;
    fifo_ = av_owned<AVAudioFifoPtr>(
        av_audio_fifo_alloc(AV_SAMPLE_FMT_FLTP, static_cast<int>(options.channels), 4 * frame_size_));
    frame_->format = codec_->sample_fmt;
    frame_->sample_rate = codec_->sample_rate;
    frame_->nb_samples = frame_size_;
    av_channel_layout_copy(&frame_->ch_layout, &codec_->ch_layout);
    if (av_frame_get_buffer(frame_.get(), 0) < 0) throw std::bad_alloc();
}

void AudioEncoder::encode(const PlanarSamples& samples, const PacketHandler& handler) {
    if (drained_) throw Error(ErrorCode::ended, "sound came after the end of the audio encoder");
    if (samples.channels() != stream_.channels)
        throw Error(ErrorCode::invalid_argument, "the audio encoder was given " + std::to_string(samples.channels()) +
                                                     " channels, it has " + std::to_string(stream_.channels));
    const std::size_t total = samples.size();
    samples_in_ += total;
    // In portions: an hour of silence must not grow the buffer to an hour.
    const std::size_t portion = static_cast<std::size_t>(frame_size_);
    for (std::size_t done = 0; done < total;) {
        const std::size_t count = std::min(total - done, portion);
        std::array<void*, kMostChannels> planes{};
        for (std::uint32_t i = 0; i < stream_.channels; ++i)
            planes[i] = const_cast<float*>(samples.channel(i).data() + done);  // libav's fifo takes no const
        if (av_audio_fifo_write(fifo_.get(), planes.data(), static_cast<int>(count)) < 0) throw std::bad_alloc();
        done += count;
        while (av_audio_fifo_size(fifo_.get()) >= frame_size_)
            send_frame(frame_size_, handler);
    }
}

void AudioEncoder::send_frame(int samples, const PacketHandler& handler) {
    // The encoder may still hold the frame before.
    if (av_frame_make_writable(frame_.get()) < 0) throw std::bad_alloc();
    read_fifo(samples);
    frame_->nb_samples = samples;
    frame_->pts = first_pts_ + static_cast<std::int64_t>(samples_sent_);
    samples_sent_ += static_cast<std::uint64_t>(samples);
    if (const int code = avcodec_send_frame(codec_.get(), frame_.get()); code < 0)
        throw Error(ErrorCode::system,
                    std::string("audio encoder ") + codec_->codec->name + " refused samples: " + av_error_text(code));
    receive_all(handler);
}

/// The next samples into the encoder's frame, in its own format.
void AudioEncoder::read_fifo(int samples) {
    if (codec_->sample_fmt == AV_SAMPLE_FMT_FLTP) {
        av_audio_fifo_read(fifo_.get(), reinterpret_cast<void**>(frame_->extended_data), samples);
        return;
    }
    const std::size_t channels = stream_.channels;
    std::array<void*, kMostChannels> planes{};
    planar_.resize(channels * static_cast<std::size_t>(frame_size_));
    for (std::size_t c = 0; c < channels; ++c)
        planes[c] = planar_.data() + c * static_cast<std::size_t>(frame_size_);
    av_audio_fifo_read(fifo_.get(), planes.data(), samples);
    auto* floats = reinterpret_cast<float*>(frame_->data[0]);
    auto* shorts = reinterpret_cast<std::int16_t*>(frame_->data[0]);
    for (std::size_t i = 0; i < static_cast<std::size_t>(samples); ++i)
        for (std::size_t c = 0; c < channels; ++c) {
            const float value = static_cast<const float*>(planes[c])[i];
            if (codec_->sample_fmt == AV_SAMPLE_FMT_FLT)
                floats[i * channels + c] = value;
            else
                shorts[i * channels + c] =
                    static_cast<std::int16_t>(std::lrintf(std::clamp(value, -1.0F, 1.0F) * 32767));
        }
}

void AudioEncoder::drain(const PacketHandler& handler) {
    if (std::exchange(drained_, true)) return;
    if (const int rest = av_audio_fifo_size(fifo_.get()); rest > 0) send_frame(rest, handler);
    avcodec_send_frame(codec_.get(), nullptr);
    receive_all(handler);
}

void AudioEncoder::receive_all(const PacketHandler& handler) {
    while (AVPacketPtr raw = next_packet(kAudioRole, *codec_)) {
        Packet packet;
        packet.stream = stream_index_;
        packet.pts = raw->pts;
        packet.dts = raw->pts;
        packet.duration = raw->duration;
        packet.key = true;
        packet.payload = std::move(raw);
        handler(std::move(packet));
    }
}

}  // namespace ringcast::runtime
