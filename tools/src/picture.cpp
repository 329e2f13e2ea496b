// SPDX-License-Identifier: Apache-2.0
#include "picture.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <string>

#include "command.hpp"
#include "ringcast/caps.hpp"
#include "runtime/av_handles.hpp"
#include "runtime/av_log.hpp"
#include "runtime/pixel_formats.hpp"

namespace ringcast::tools {

namespace {

using runtime::av_error_text;
using runtime::av_format_of;
using runtime::av_owned;
using runtime::AVCodecContextPtr;
using runtime::AVFramePtr;
using runtime::AVPacketPtr;
using runtime::SwsContextPtr;

// Every chroma sample is interpolated and rounded: a snapshot is looked at closely and made once.
constexpr int kScaleFlags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;
constexpr int kNeutral = 1 << 16;  // saturation and contrast of swscale
constexpr int kJpegQuality = 2;    // 2..31, least is best

void must(int result, const char* attempt) {
    if (result < 0) throw VerbError(std::string("cannot ") + attempt + ": " + av_error_text(result));
}

AVFramePtr new_frame(int width, int height, AVPixelFormat format) {
    AVFramePtr frame = av_owned<AVFramePtr>(av_frame_alloc());
    frame->width = width;
    frame->height = height;
    frame->format = format;
    frame->color_range = AVCOL_RANGE_JPEG;
    must(av_frame_get_buffer(frame.get(), 0), "get memory for the picture");
    return frame;
}

struct Matrix {
    int id;
    int full_range;
};

void convert(const std::uint8_t* const* data, const int* stride, AVPixelFormat from, Matrix from_matrix, AVFrame& to,
             Matrix to_matrix) {
    const auto scaler = av_owned<SwsContextPtr>(sws_getContext(to.width, to.height, from, to.width, to.height,
                                                               static_cast<AVPixelFormat>(to.format), kScaleFlags,
                                                               nullptr, nullptr, nullptr));
    sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(from_matrix.id), from_matrix.full_range,
                             sws_getCoefficients(to_matrix.id), to_matrix.full_range, 0, kNeutral, kNeutral);
    must(sws_scale(scaler.get(), data, stride, 0, to.height, to.data, to.linesize), "convert the picture");
}

AVFramePtr as_rgb(const VideoFormat& format, const layout::Caps& caps, std::span<const std::byte> payload) {
    std::array<const std::uint8_t*, 4> data{};
    std::array<int, 4> stride{};
    for (std::size_t plane = 0; plane < std::min<std::size_t>(caps.plane_count, data.size()); ++plane) {
        data.at(plane) = reinterpret_cast<const std::uint8_t*>(payload.data()) + caps.plane_offset.at(plane);
        stride.at(plane) = static_cast<int>(caps.stride.at(plane));
    }
    AVFramePtr rgb = new_frame(static_cast<int>(format.width), static_cast<int>(format.height), AV_PIX_FMT_RGB24);
    const bool yuv = format.format == PixelFormat::i420 || format.format == PixelFormat::nv12;
    convert(data.data(), stride.data(), av_format_of(format.format), {SWS_CS_ITU709, yuv ? 0 : 1}, *rgb,
            {SWS_CS_ITU709, 1});
    return rgb;
}

/// JFIF pictures are BT.601 in full range, whatever the stream was.
AVFramePtr as_jfif(const AVFrame& rgb) {
    AVFramePtr yuv = new_frame(rgb.width, rgb.height, AV_PIX_FMT_YUVJ444P);
    yuv->colorspace = AVCOL_SPC_SMPTE170M;
    convert(rgb.data, rgb.linesize, AV_PIX_FMT_RGB24, {SWS_CS_ITU601, 1}, *yuv, {SWS_CS_ITU601, 1});
    return yuv;
}

std::vector<std::uint8_t> encode(AVFrame& frame, AVCodecID id) {
    const AVCodec* codec = avcodec_find_encoder(id);
    if (codec == nullptr) {
        throw VerbError(std::string("libavcodec here has no encoder for ") + avcodec_get_name(id) +
                        "; see what is missing with: ringcast doctor");
    }
    const auto context = av_owned<AVCodecContextPtr>(avcodec_alloc_context3(codec));
    context->width = frame.width;
    context->height = frame.height;
    context->pix_fmt = static_cast<AVPixelFormat>(frame.format);
    context->color_range = AVCOL_RANGE_JPEG;
    context->time_base = {1, 1};
    if (id == AV_CODEC_ID_MJPEG) {
        context->flags |= AV_CODEC_FLAG_QSCALE;
        context->global_quality = frame.quality = kJpegQuality * FF_QP2LAMBDA;
    }
    must(avcodec_open2(context.get(), codec, nullptr), "open the picture encoder");
    must(avcodec_send_frame(context.get(), &frame), "encode the picture");
    must(avcodec_send_frame(context.get(), nullptr), "encode the picture");
    const auto packet = av_owned<AVPacketPtr>(av_packet_alloc());
    must(avcodec_receive_packet(context.get(), packet.get()), "encode the picture");
    return {packet->data, packet->data + packet->size};
}

}  // namespace

std::optional<PictureFormat> picture_format_of(std::string_view file_name) {
    std::string lower(file_name);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (lower.ends_with(".png")) return PictureFormat::png;
    if (lower.ends_with(".jpg") || lower.ends_with(".jpeg")) return PictureFormat::jpg;
    return std::nullopt;
}

std::vector<std::uint8_t> encode_picture(const layout::Caps& caps, std::span<const std::byte> payload,
                                         PictureFormat format) {
    const auto video = video_format_of(caps, payload.size());
    if (!video || payload.size() > std::numeric_limits<int>::max()) {
        throw VerbError("the frame's caps do not fit its bytes; the bus is damaged");
    }
    const runtime::AvLogCapture quiet;
    AVFramePtr rgb = as_rgb(*video, caps, payload);
    if (format == PictureFormat::png) return encode(*rgb, AV_CODEC_ID_PNG);
    return encode(*as_jfif(*rgb), AV_CODEC_ID_MJPEG);
}

}  // namespace ringcast::tools
