// SPDX-License-Identifier: Apache-2.0
#include "test_media.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "plugin_driver.hpp"

namespace ringcast::test {

namespace {

struct FormatCloser {
    void operator()(AVFormatContext* context) const { avformat_close_input(&context); }
};
struct CodecFreer {
    void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct PacketFreer {
    void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FrameFreer {
    void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
using FormatPtr = std::unique_ptr<AVFormatContext, FormatCloser>;
using CodecPtr = std::unique_ptr<AVCodecContext, CodecFreer>;
using PacketPtr = std::unique_ptr<AVPacket, PacketFreer>;
using FramePtr = std::unique_ptr<AVFrame, FrameFreer>;

FormatPtr open(const std::string& url) {
    AVFormatContext* context = nullptr;
    if (avformat_open_input(&context, url.c_str(), nullptr, nullptr) < 0) throw std::runtime_error("no media: " + url);
    FormatPtr format(context);
    if (avformat_find_stream_info(context, nullptr) < 0) throw std::runtime_error("no streams: " + url);
    return format;
}

void each_packet(AVFormatContext& format, const std::function<void(AVPacket&)>& handle) {
    const PacketPtr packet(av_packet_alloc());
    while (av_read_frame(&format, packet.get()) >= 0) {
        handle(*packet);
        av_packet_unref(packet.get());
    }
}

CodecPtr open_decoder(const AVStream& stream) {
    CodecPtr codec(avcodec_alloc_context3(avcodec_find_decoder(stream.codecpar->codec_id)));
    avcodec_parameters_to_context(codec.get(), stream.codecpar);
    codec->pkt_timebase = stream.time_base;
    codec->thread_count = 1;
    if (avcodec_open2(codec.get(), nullptr, nullptr) < 0) throw std::runtime_error("no decoder");
    return codec;
}

std::uint64_t checksum(const AVFrame& frame) {
    std::uint64_t sum = 14695981039346656037u;  // FNV-1a
    for (int y = 0; y < frame.height; ++y) {
        for (int x = 0; x < frame.width; ++x) {
            sum = (sum ^ frame.data[0][y * frame.linesize[0] + x]) * 1099511628211u;
        }
    }
    return sum;
}

void take_frames(AVCodecContext& codec, const AVStream& stream, Decoded& out) {
    const FramePtr frame(av_frame_alloc());
    while (avcodec_receive_frame(&codec, frame.get()) >= 0) {
        if (codec.codec_type == AVMEDIA_TYPE_VIDEO) {
            out.pictures.push_back(checksum(*frame));
            continue;
        }
        if (out.samples.empty()) out.first_sample_pts = static_cast<double>(frame->pts) * av_q2d(stream.time_base);
        const auto* samples = reinterpret_cast<const float*>(frame->data[0]);
        out.samples.insert(out.samples.end(), samples, samples + frame->nb_samples);
    }
}

void run_ffmpeg(const MediaSettings& settings, const std::filesystem::path& file) {
    const std::string count = std::to_string(settings.frames);
    const std::string seconds = "'" + count + "/(" + settings.fps + ")'";
    std::string command = "ffmpeg -v error -nostdin -y";
    if (settings.video) command += " -f lavfi -i testsrc2=size=320x180:rate=" + settings.fps;
    if (settings.audio) {
        command +=
            " -f lavfi -i \"aevalsrc='0.5*sin(2*PI*440*t)|0.5*sin(2*PI*440*t)':s=" + std::to_string(settings.rate) +
            ":d=$(awk \"BEGIN{printf \\\"%.9f\\\", " + count + "/(" + settings.fps + ")}\")\"";
    }
    command += settings.video ? " -frames:v " + count : "";
    command += " -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -sc_threshold 0 -g " +
               std::to_string(settings.gop) + " -c:a aac -b:a 128k " + file.string();
    if (std::system(command.c_str()) != 0) throw std::runtime_error("cannot run: " + command);
}

MediaStream describe(const AVStream& in, AVRational fps) {
    MediaStream out;
    const AVCodecParameters& par = *in.codecpar;
    out.extradata.assign(par.extradata, par.extradata + par.extradata_size);
    ringcast_sink_stream& d = out.description;
    d.size = sizeof d;
    const bool video = par.codec_type == AVMEDIA_TYPE_VIDEO;
    d.media = video ? RINGCAST_SINK_VIDEO : RINGCAST_SINK_AUDIO;
    d.codec = video ? RINGCAST_SINK_H264 : RINGCAST_SINK_AAC;
    d.timebase_num = static_cast<std::uint32_t>(video ? fps.den : 1);
    d.timebase_den = static_cast<std::uint32_t>(video ? fps.num : par.sample_rate);
    d.width = static_cast<std::uint32_t>(par.width);
    d.height = static_cast<std::uint32_t>(par.height);
    d.fps_num = static_cast<std::uint32_t>(fps.num);
    d.fps_den = static_cast<std::uint32_t>(fps.den);
    d.sample_rate = static_cast<std::uint32_t>(par.sample_rate);
    d.channels = static_cast<std::uint32_t>(par.ch_layout.nb_channels);
    d.initial_padding = video ? 0 : 1024;
    d.epoch_realtime_ns = 1'700'000'000'123'000'000;
    return out;
}

AVRational parse_rate(const std::string& text) {
    const std::size_t slash = text.find('/');
    return {std::stoi(text), slash == std::string::npos ? 1 : std::stoi(text.substr(slash + 1))};
}

MediaPacket copy_packet(const AVPacket& in, AVRational from, const ringcast_sink_stream& stream) {
    const AVRational to{static_cast<int>(stream.timebase_num), static_cast<int>(stream.timebase_den)};
    MediaPacket out;
    out.data.assign(in.data, in.data + in.size);
    out.dts_us = av_rescale_q(in.dts, from, {1, 1'000'000});
    ringcast_sink_packet& d = out.description;
    d.size = sizeof d;
    d.stream = static_cast<std::uint32_t>(in.stream_index);
    d.flags = (in.flags & AV_PKT_FLAG_KEY) != 0 ? RINGCAST_SINK_PACKET_KEY : 0;
    d.pts = av_rescale_q(in.pts, from, to);
    d.dts = av_rescale_q(in.dts, from, to);
    d.duration = stream.media == RINGCAST_SINK_VIDEO ? 1 : 1024;
    return out;
}

}  // namespace

ringcast_sink_packet MediaPacket::view() const {
    ringcast_sink_packet packet = description;
    packet.data = data.data();
    packet.data_size = data.size();
    return packet;
}

TestMedia make_media(const MediaSettings& settings) {
    const TemporaryFolder folder;
    const auto file = folder / "source.mp4";
    run_ffmpeg(settings, file);
    const FormatPtr format = open(file);
    TestMedia media;
    for (unsigned i = 0; i < format->nb_streams; ++i) {
        media.streams.push_back(describe(*format->streams[i], parse_rate(settings.fps)));
    }
    for (MediaStream& stream : media.streams) {
        stream.description.extradata = stream.extradata.data();
        stream.description.extradata_size = stream.extradata.size();
    }
    each_packet(*format, [&](const AVPacket& packet) {
        const auto index = static_cast<std::size_t>(packet.stream_index);
        media.packets.push_back(
            copy_packet(packet, format->streams[index]->time_base, media.streams[index].description));
        if (media.streams[index].description.media == RINGCAST_SINK_VIDEO) ++media.video_frames;
    });
    std::ranges::stable_sort(media.packets, {}, &MediaPacket::dts_us);
    return media;
}

ReadMedia read_media(const std::string& url) {
    const FormatPtr format = open(url);
    ReadMedia media;
    media.start = static_cast<double>(format->start_time) / AV_TIME_BASE;
    media.duration = static_cast<double>(format->duration) / AV_TIME_BASE;
    each_packet(*format, [&](const AVPacket& packet) {
        const AVStream& stream = *format->streams[packet.stream_index];
        const double tick = av_q2d(stream.time_base);
        const bool video = stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
        (video ? media.video : media.audio)
            .push_back({video, (packet.flags & AV_PKT_FLAG_KEY) != 0, static_cast<double>(packet.pts) * tick,
                        static_cast<double>(packet.duration) * tick});
    });
    return media;
}

Decoded decode_media(const std::string& url) {
    const FormatPtr format = open(url);
    std::vector<CodecPtr> codecs;
    for (unsigned i = 0; i < format->nb_streams; ++i)
        codecs.push_back(open_decoder(*format->streams[i]));
    Decoded out;
    each_packet(*format, [&](const AVPacket& packet) {
        AVCodecContext& codec = *codecs[static_cast<std::size_t>(packet.stream_index)];
        avcodec_send_packet(&codec, &packet);
        take_frames(codec, *format->streams[packet.stream_index], out);
    });
    for (std::size_t i = 0; i < codecs.size(); ++i) {
        avcodec_send_packet(codecs[i].get(), nullptr);
        take_frames(*codecs[i], *format->streams[i], out);
    }
    return out;
}

std::vector<std::uint64_t> decode_pictures(const TestMedia& media) {
    const ringcast_sink_stream& stream = media.streams.front().description;
    CodecPtr codec(avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264)));
    codec->extradata = static_cast<std::uint8_t*>(av_mallocz(stream.extradata_size + AV_INPUT_BUFFER_PADDING_SIZE));
    std::memcpy(codec->extradata, stream.extradata, stream.extradata_size);
    codec->extradata_size = static_cast<int>(stream.extradata_size);
    codec->thread_count = 1;
    if (avcodec_open2(codec.get(), nullptr, nullptr) < 0) throw std::runtime_error("no decoder");
    Decoded out;
    const AVStream unused{};
    const PacketPtr packet(av_packet_alloc());
    for (const MediaPacket& each : media.packets) {
        if (each.description.stream != 0) continue;
        av_new_packet(packet.get(), static_cast<int>(each.data.size()));
        std::memcpy(packet->data, each.data.data(), each.data.size());
        avcodec_send_packet(codec.get(), packet.get());
        av_packet_unref(packet.get());
        take_frames(*codec, unused, out);
    }
    avcodec_send_packet(codec.get(), nullptr);
    take_frames(*codec, unused, out);
    return out.pictures;
}

double quietest_window(const std::vector<float>& samples, int rate) {
    const auto window = static_cast<std::size_t>(rate / 200);
    double quietest = 1;
    for (std::size_t at = 0; at + window <= samples.size(); at += window) {
        double sum = 0;
        for (std::size_t i = at; i < at + window; ++i)
            sum += static_cast<double>(samples[i]) * samples[i];
        quietest = std::min(quietest, std::sqrt(sum / static_cast<double>(window)));
    }
    return quietest;
}

double largest_step(const std::vector<float>& samples) {
    double largest = 0;
    for (std::size_t i = 1; i < samples.size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(samples[i]) - samples[i - 1]));
    }
    return largest;
}

}  // namespace ringcast::test
