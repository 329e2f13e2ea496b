// SPDX-License-Identifier: Apache-2.0
#include "runtime/video_converter.hpp"

#include <libyuv.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#include "ringcast/error.hpp"
#include "runtime/pixel_formats.hpp"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

namespace ringcast::runtime {

namespace {

constexpr std::uint8_t kBlackLuma = 16;
constexpr std::uint8_t kGreyChroma = 128;
constexpr std::size_t kTailBytes = 64;

int even(double value) {
    return static_cast<int>(std::lround(value / 2)) * 2;
}

/// As swscale is to read them: whatever the fourth byte of a pixel is, nothing shines through.
AVPixelFormat opaque_av_format(PixelFormat format) {
    if (format == PixelFormat::rgba) return AV_PIX_FMT_RGB0;
    if (format == PixelFormat::bgra) return AV_PIX_FMT_BGR0;
    return av_format_of(format);
}

}  // namespace

VideoConverter::VideoConverter(Size output, Scale scale, AVPixelFormat format)
    : output_(output), scale_(scale), format_(format) {
    if (output.width == 0 || output.height == 0 || output != even_size(output))
        throw Error(ErrorCode::invalid_argument, "an output of " + std::to_string(output.width) + "x" +
                                                     std::to_string(output.height) +
                                                     " cannot be made: it must be even");
    const int bytes = av_image_get_buffer_size(format_, aligned_line(static_cast<int>(output.width)),
                                               static_cast<int>(output.height), aligned_line(1));
    if (bytes < 0) throw Error(ErrorCode::invalid_argument, "pictures of this size and pixel format cannot be made");
    picture_bytes_ = static_cast<std::size_t>(bytes) + kTailBytes;
    pool_ = av_owned<AVBufferPoolPtr>(av_buffer_pool_init(picture_bytes_, nullptr));
}

AVFramePtr VideoConverter::new_frame() {
    AVFramePtr frame = av_owned<AVFramePtr>(av_frame_alloc());
    frame->buf[0] = av_buffer_pool_get(pool_.get());
    if (frame->buf[0] == nullptr) throw std::bad_alloc();
    frame->width = static_cast<int>(output_.width);
    frame->height = static_cast<int>(output_.height);
    frame->format = format_;
    frame->color_range = AVCOL_RANGE_MPEG;
    frame->colorspace = AVCOL_SPC_BT709;
    frame->color_primaries = AVCOL_PRI_BT709;
    frame->color_trc = AVCOL_TRC_BT709;
    frame->sample_aspect_ratio = {1, 1};
    av_image_fill_linesizes(frame->linesize, format_, aligned_line(frame->width));
    for (int& stride : frame->linesize)
        stride = aligned_line(stride);
    av_image_fill_pointers(frame->data, format_, frame->height, frame->buf[0]->data, frame->linesize);
    return frame;
}

void VideoConverter::fill_black(const AVFrame& frame) const {
    std::uint8_t* const data[4] = {frame.data[0], frame.data[1], frame.data[2], frame.data[3]};
    const std::ptrdiff_t strides[4] = {frame.linesize[0], frame.linesize[1], frame.linesize[2], frame.linesize[3]};
    av_image_fill_black(const_cast<std::uint8_t**>(data), strides, format_, AVCOL_RANGE_MPEG, frame.width,
                        frame.height);
}

AVFramePtr VideoConverter::black() {
    AVFramePtr frame = new_frame();
    fill_black(*frame);
    return frame;
}

AVFramePtr VideoConverter::convert(const layout::Caps& caps, std::span<const std::byte> payload) {
    const auto format = video_format_of(caps, payload.size());
    // libyuv counts strides and sizes in int; caps that fit a payload below this limit cannot overflow one.
    if (!format || payload.size() > std::numeric_limits<int>::max()) return nullptr;
    const RawPicture picture{*format, caps, reinterpret_cast<const std::uint8_t*>(payload.data())};
    const Placement placement = place(static_cast<int>(format->width), static_cast<int>(format->height));

    AVFramePtr frame = new_frame();
    fill_border(*frame, placement);
    if (format_ == AV_PIX_FMT_YUV420P)
        drawer_.draw(picture, placement, planes_of(*frame, placement));
    else if (format_ == AV_PIX_FMT_NV12)
        draw_nv12(picture, placement, *frame);
    else
        draw_by_swscale(picture, placement, *frame);
    return frame;
}

Planes VideoConverter::planes_of(const AVFrame& frame, const Placement& p) {
    Planes planes{{}, {frame.linesize[0], frame.linesize[1], frame.linesize[2]}, p.width, p.height};
    planes.data[0] = frame.data[0] + p.y * frame.linesize[0] + p.x;
    for (int i = 1; i < 3 && frame.data[i] != nullptr; ++i)
        planes.data[i] = frame.data[i] + p.y / 2 * frame.linesize[i] + p.x / 2;
    return planes;
}

void VideoConverter::draw_nv12(const RawPicture& picture, const Placement& p, const AVFrame& frame) {
    Planes target = planes_of(frame, p);
    const int stride = aligned_line(p.width / 2);
    const std::size_t plane = static_cast<std::size_t>(stride) * static_cast<std::size_t>(p.height / 2);
    if (chroma_.size() < 2 * plane) chroma_.resize(2 * plane);
    target.data[1] = chroma_.data();
    target.data[2] = chroma_.data() + plane;
    target.stride[1] = target.stride[2] = stride;
    drawer_.draw(picture, p, target);
    libyuv::MergeUVPlane(target.data[1], stride, target.data[2], stride,
                         frame.data[1] + p.y / 2 * frame.linesize[1] + p.x, frame.linesize[1], p.width / 2,
                         p.height / 2);
}

Placement VideoConverter::place(int width, int height) const {
    const int out_width = static_cast<int>(output_.width);
    const int out_height = static_cast<int>(output_.height);
    Placement p{0, 0, width, height, 0, 0, out_width, out_height};
    const Size whole = even_size({static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)});
    if (whole == output_ || scale_ == Scale::stretch) return p;

    const double by_width = static_cast<double>(out_width) / width;
    const double by_height = static_cast<double>(out_height) / height;
    if (scale_ == Scale::fit) {
        const double factor = std::min(by_width, by_height);
        p.width = std::clamp(even(width * factor), 2, out_width);
        p.height = std::clamp(even(height * factor), 2, out_height);
        p.x = (out_width - p.width) / 4 * 2;
        p.y = (out_height - p.height) / 4 * 2;
    } else {
        const double factor = std::max(by_width, by_height);
        p.source_width = std::clamp(static_cast<int>(std::lround(out_width / factor)), 1, width);
        p.source_height = std::clamp(static_cast<int>(std::lround(out_height / factor)), 1, height);
        p.source_x = (width - p.source_width) / 4 * 2;
        p.source_y = (height - p.source_height) / 4 * 2;
    }
    return p;
}

void VideoConverter::fill_border(const AVFrame& frame, const Placement& p) const {
    if (p.width == frame.width && p.height == frame.height) return;
    if (format_ != AV_PIX_FMT_YUV420P) return fill_black(frame);
    const auto fill = [&](int x, int y, int width, int height) {
        if (width <= 0 || height <= 0) return;
        libyuv::I420Rect(frame.data[0], frame.linesize[0], frame.data[1], frame.linesize[1], frame.data[2],
                         frame.linesize[2], x, y, width, height, kBlackLuma, kGreyChroma, kGreyChroma);
    };
    fill(0, 0, frame.width, p.y);
    fill(0, p.y + p.height, frame.width, frame.height - p.y - p.height);
    fill(0, p.y, p.x, p.height);
    fill(p.x + p.width, p.y, frame.width - p.x - p.width, p.height);
}

/// The slow path, for formats that nobody encodes live.
void VideoConverter::draw_by_swscale(const RawPicture& picture, const Placement& p, const AVFrame& frame) {
    const layout::Caps& caps = picture.caps;
    const AVPixelFormat from = opaque_av_format(picture.format.format);
    // swscale may read past the end of a line, and the ring ends somewhere.
    copy_.resize(frame_bytes(caps) + kTailBytes);
    std::memcpy(copy_.data(), picture.bytes, frame_bytes(caps));
    const std::uint8_t* source[4] = {};
    int source_stride[4] = {};
    for (std::size_t i = 0; i < caps.plane_count; ++i) {
        const int lines_down = i == 0 ? p.source_y : p.source_y / 2;
        source_stride[i] = static_cast<int>(caps.stride[i]);
        source[i] = copy_.data() + caps.plane_offset[i] + static_cast<std::ptrdiff_t>(lines_down) * source_stride[i] +
                    av_image_get_linesize(from, p.source_x, static_cast<int>(i));
    }
    const AVPixFmtDescriptor& to = *av_pix_fmt_desc_get(format_);
    std::uint8_t* target[4] = {};
    for (int i = 0; i < 4 && frame.data[i] != nullptr; ++i) {
        const int lines_down = i == 1 || i == 2 ? p.y >> to.log2_chroma_h : p.y;
        target[i] = frame.data[i] + static_cast<std::ptrdiff_t>(lines_down) * frame.linesize[i] +
                    av_image_get_linesize(format_, p.x, i);
    }
    sws_.reset(sws_getCachedContext(sws_.release(), p.source_width, p.source_height, from, p.width, p.height, format_,
                                    SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, nullptr, nullptr, nullptr));
    if (!sws_) throw Error(ErrorCode::unsupported, "swscale makes no such pictures from those of this bus");
    const int* bt709 = sws_getCoefficients(SWS_CS_ITU709);
    sws_setColorspaceDetails(sws_.get(), bt709, picture.is_rgb() ? 1 : 0, bt709,
                             (to.flags & AV_PIX_FMT_FLAG_RGB) != 0 ? 1 : 0, 0, 1 << 16, 1 << 16);
    sws_scale(sws_.get(), source, source_stride, 0, p.source_height, target, frame.linesize);
}

}  // namespace ringcast::runtime
