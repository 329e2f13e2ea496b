// SPDX-License-Identifier: Apache-2.0
#include "mux/muxer.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
}

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

constexpr int kIoBufferSize = 64 * 1024;

std::string av_text(int error) {
    char text[AV_ERROR_MAX_STRING_SIZE] = {};
    av_strerror(error, text, sizeof text);
    return text;
}

AVCodecID codec_id(std::uint32_t codec) {
    switch (codec) {
        case RINGCAST_SINK_H264:
            return AV_CODEC_ID_H264;
        case RINGCAST_SINK_H265:
            return AV_CODEC_ID_HEVC;
        case RINGCAST_SINK_AAC:
            return AV_CODEC_ID_AAC;
        case RINGCAST_SINK_OPUS:
            return AV_CODEC_ID_OPUS;
        default:
            return AV_CODEC_ID_NONE;
    }
}

struct Dictionary {
    AVDictionary* entries = nullptr;

    Dictionary() = default;
    Dictionary(const Dictionary&) = delete;
    Dictionary& operator=(const Dictionary&) = delete;
    ~Dictionary() { av_dict_free(&entries); }
};

void fill_video(AVStream& out, const ringcast_sink_stream& in) {
    AVCodecParameters& par = *out.codecpar;
    par.codec_type = AVMEDIA_TYPE_VIDEO;
    par.width = static_cast<int>(in.width);
    par.height = static_cast<int>(in.height);
    par.format = 0;  // AV_PIX_FMT_YUV420P: muxers only look whether it is known
    out.avg_frame_rate = {static_cast<int>(in.fps_num), static_cast<int>(in.fps_den)};
    out.r_frame_rate = out.avg_frame_rate;
}

void fill_audio(AVStream& out, const ringcast_sink_stream& in) {
    AVCodecParameters& par = *out.codecpar;
    par.codec_type = AVMEDIA_TYPE_AUDIO;
    par.sample_rate = static_cast<int>(in.sample_rate);
    av_channel_layout_default(&par.ch_layout, static_cast<int>(in.channels));
    par.frame_size = in.codec == RINGCAST_SINK_AAC ? 1024 : 0;
    par.initial_padding = static_cast<int>(in.initial_padding);
}

void check_codec(const AVOutputFormat& format, const ringcast_sink_stream& stream) {
    const AVCodecID id = codec_id(stream.codec);
    if (id != AV_CODEC_ID_NONE && avformat_query_codec(&format, id, FF_COMPLIANCE_NORMAL) != 0) return;
    throw SinkError(RINGCAST_SINK_E_UNSUPPORTED,
                    std::string(format.long_name) + " cannot carry " +
                        (id == AV_CODEC_ID_NONE ? "codec number " + std::to_string(stream.codec)
                                                : std::string(avcodec_get_name(id))) +
                        ": record to .mp4 or .mkv, or use " +
                        (stream.media == RINGCAST_SINK_VIDEO ? "video.codec=h264" : "audio.codec=aac"));
}

}  // namespace

void check_codecs(const char* format, std::span<const ringcast_sink_stream* const> streams) {
    const AVOutputFormat* found = av_guess_format(format, nullptr, nullptr);
    if (found == nullptr) throw SinkError(RINGCAST_SINK_E_INTERNAL, std::string("libavformat has no muxer ") + format);
    for (const ringcast_sink_stream* stream : streams)
        check_codec(*found, *stream);
}

Muxer::Muxer(const Format& format, std::span<const ringcast_sink_stream* const> streams, ByteSink& out)
    : out_(out), packet_(av_packet_alloc()) {
    AVFormatContext* context = nullptr;
    check(avformat_alloc_output_context2(&context, nullptr, format.name, nullptr), "open the muxer");
    context_.reset(context);
    auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBufferSize));
    io_.reset(avio_alloc_context(buffer, kIoBufferSize, 1, this, nullptr, &Muxer::on_write,
                                 format.seekable ? &Muxer::on_seek : nullptr));
    if (!io_ || !packet_) throw SinkError(RINGCAST_SINK_E_INTERNAL, "out of memory");
    context_->pb = io_.get();
    context_->flags |= AVFMT_FLAG_CUSTOM_IO;
    context_->flush_packets = 1;
    context_->max_delay = format.max_delay_us;
    for (const auto* stream : streams)
        add_stream(*stream);

    Dictionary options;
    for (const auto& [key, value] : format.options)
        av_dict_set(&options.entries, key, value.c_str(), 0);
    check(avformat_write_header(context_.get(), &options.entries), "write the header");
    if (const auto* unknown = av_dict_get(options.entries, "", nullptr, AV_DICT_IGNORE_SUFFIX)) {
        throw SinkError(RINGCAST_SINK_E_INTERNAL, std::string("libavformat knows no muxer option ") + unknown->key);
    }
}

void Muxer::add_stream(const ringcast_sink_stream& stream) {
    const AVCodecID id = codec_id(stream.codec);
    check_codec(*context_->oformat, stream);
    AVStream* out = avformat_new_stream(context_.get(), nullptr);
    if (out == nullptr) throw SinkError(RINGCAST_SINK_E_INTERNAL, "out of memory");
    out->codecpar->codec_id = id;
    out->codecpar->bit_rate = static_cast<std::int64_t>(stream.bitrate_bps);
    const AVRational timebase{static_cast<int>(stream.timebase_num), static_cast<int>(stream.timebase_den)};
    out->time_base = timebase;
    timebases_.push_back(timebase);
    if (stream.media == RINGCAST_SINK_VIDEO) {
        fill_video(*out, stream);
        // libavformat's own choice is hev1, which Apple's players refuse.
        const bool mp4 = std::string_view(context_->oformat->name) == "mp4";
        if (mp4 && id == AV_CODEC_ID_HEVC) out->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
    } else {
        fill_audio(*out, stream);
    }
    if (stream.extradata_size == 0) return;
    auto* extradata = static_cast<std::uint8_t*>(av_mallocz(stream.extradata_size + AV_INPUT_BUFFER_PADDING_SIZE));
    if (extradata == nullptr) throw SinkError(RINGCAST_SINK_E_INTERNAL, "out of memory");
    std::memcpy(extradata, stream.extradata, stream.extradata_size);
    out->codecpar->extradata = extradata;
    out->codecpar->extradata_size = static_cast<int>(stream.extradata_size);
}

void Muxer::write(const ringcast_sink_packet& packet, std::int64_t shift_us) {
    if (packet.stream >= timebases_.size()) {
        throw SinkError(RINGCAST_SINK_E_INTERNAL, "packet of stream " + std::to_string(packet.stream) +
                                                      ", but headers() named only " +
                                                      std::to_string(timebases_.size()));
    }
    // A copy into libav's own memory: muxers keep packets (mp4 fragments, PES) after the host's bytes are gone.
    check(av_new_packet(packet_.get(), static_cast<int>(packet.data_size)), "copy a packet");
    std::memcpy(packet_->data, packet.data, packet.data_size);
    const AVRational timebase = timebases_[packet.stream];
    const AVRational target = context_->streams[packet.stream]->time_base;
    const std::int64_t shift = av_rescale_q(shift_us, {1, AV_TIME_BASE}, target);
    packet_->stream_index = static_cast<int>(packet.stream);
    packet_->pts = av_rescale_q(packet.pts, timebase, target) + shift;
    packet_->dts = av_rescale_q(packet.dts, timebase, target) + shift;
    packet_->duration = av_rescale_q(packet.duration, timebase, target);
    if ((packet.flags & RINGCAST_SINK_PACKET_KEY) != 0) packet_->flags |= AV_PKT_FLAG_KEY;
    const int result = av_write_frame(context_.get(), packet_.get());
    av_packet_unref(packet_.get());
    check(result, "write a packet");
}

void Muxer::flush() {
    check(av_write_frame(context_.get(), nullptr), "flush");
    avio_flush(io_.get());
    check(io_->error, "flush");
}

void Muxer::set_option(const char* name, const char* value) {
    check(av_opt_set(context_->priv_data, name, value, 0), name);
}

void Muxer::finish() {
    check(av_write_trailer(context_.get()), "write the trailer");
    avio_flush(io_.get());
    check(io_->error, "write the trailer");
}

void Muxer::check(int result, const char* attempt) {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    if (result < 0) {
        throw SinkError(RINGCAST_SINK_E_INTERNAL,
                        std::string("libavformat could not ") + attempt + ": " + av_text(result));
    }
}

int Muxer::on_write(void* self, std::uint8_t* data, int size) {
    auto& muxer = *static_cast<Muxer*>(self);
    try {
        muxer.out_.write({data, static_cast<std::size_t>(size)});
        return size;
    } catch (...) {
        muxer.failure_ = std::current_exception();
        return AVERROR_EXTERNAL;
    }
}

std::int64_t Muxer::on_seek(void* self, std::int64_t offset, int whence) {
    if (whence != SEEK_SET) return AVERROR(ENOSYS);
    auto& muxer = *static_cast<Muxer*>(self);
    try {
        muxer.out_.seek(offset);
        return offset;
    } catch (...) {
        muxer.failure_ = std::current_exception();
        return AVERROR_EXTERNAL;
    }
}

}  // namespace ringcast::sink
