// SPDX-License-Identifier: Apache-2.0
#include "runtime/video_converter.hpp"

#include <libyuv.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <numeric>
#include <string>

#include "ringcast/error.hpp"
#include "runtime/bt709_rows.hpp"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

namespace ringcast::runtime {

namespace {

constexpr std::uint8_t kBlackLuma = 16;
constexpr std::uint8_t kGreyChroma = 128;
constexpr int kLineAlignment = 64;  // what libav's and libyuv's widest code likes
constexpr std::size_t kTailBytes = 64;
constexpr int kCacheLine = 64;
constexpr int kSteps = 3;             // of put_two_lines(), between which memory is asked for more
constexpr int kMostStripeLines = 32;  // 1920 wide: 92 kB, well inside the second-level cache

int aligned(int bytes) {
    return (bytes + kLineAlignment - 1) / kLineAlignment * kLineAlignment;
}

int even(double value) {
    return static_cast<int>(std::lround(value / 2)) * 2;
}

bool is_rgb(PixelFormat format) {
    return format != PixelFormat::i420 && format != PixelFormat::nv12;
}

AVPixelFormat av_format_of(PixelFormat format) {
    switch (format) {
        case PixelFormat::rgb24:
            return AV_PIX_FMT_RGB24;
        case PixelFormat::bgr24:
            return AV_PIX_FMT_BGR24;
        case PixelFormat::rgba:
            return AV_PIX_FMT_RGB0;
        case PixelFormat::bgra:
            return AV_PIX_FMT_BGR0;
        case PixelFormat::nv12:
            return AV_PIX_FMT_NV12;
        default:
            return AV_PIX_FMT_YUV420P;
    }
}

/// Doubles the last column and the last line of a plane that came out one short of the even size.
void replicate_edges(std::uint8_t* plane, int stride, int width, int height, int full_width, int full_height) {
    for (int line = 0; full_width > width && line < height; ++line)
        plane[line * stride + width] = plane[line * stride + width - 1];
    if (full_height > height)
        std::memcpy(plane + static_cast<std::ptrdiff_t>(height) * stride,
                    plane + static_cast<std::ptrdiff_t>(height - 1) * stride, static_cast<std::size_t>(full_width));
}

}  // namespace

/// Asks for the next lines in portions between the steps of the work on the present ones, so that the memory is busy
/// all the time. The ring is cold, and the processor's own prefetcher rests while the work is on lines that are there.
class VideoConverter::Prefetch {
public:
    Prefetch(const std::uint8_t* lines, int count, std::ptrdiff_t step, int portions)
        : at_(lines), left_(count <= 0 ? 0 : count * step), portion_(left_ / portions + kCacheLine) {}
    void next() {
        const std::ptrdiff_t bytes = std::min(portion_, left_);
        for (std::ptrdiff_t i = 0; i < bytes; i += kCacheLine)
            __builtin_prefetch(at_ + i, 0, 2);
        at_ += bytes;
        left_ -= bytes;
    }

private:
    const std::uint8_t* at_;
    std::ptrdiff_t left_;
    std::ptrdiff_t portion_;
};

VideoConverter::VideoConverter(Size output, Scale scale, AVPixelFormat format)
    : output_(output), scale_(scale), format_(format) {
    if (output.width == 0 || output.height == 0 || output != even_size(output))
        throw Error(ErrorCode::invalid_argument, "an output of " + std::to_string(output.width) + "x" +
                                                     std::to_string(output.height) +
                                                     " cannot be made: it must be even");
    const int bytes = av_image_get_buffer_size(format_, aligned(static_cast<int>(output.width)),
                                               static_cast<int>(output.height), kLineAlignment);
    if (bytes < 0) throw Error(ErrorCode::invalid_argument, "pictures of this size and pixel format cannot be made");
    pool_ = av_owned<AVBufferPoolPtr>(av_buffer_pool_init(static_cast<std::size_t>(bytes) + kTailBytes, nullptr));
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
    av_image_fill_linesizes(frame->linesize, format_, aligned(frame->width));
    for (int& stride : frame->linesize)
        stride = aligned(stride);
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
    const Input input{*format, caps, reinterpret_cast<const std::uint8_t*>(payload.data())};
    const Placement placement = place(static_cast<int>(format->width), static_cast<int>(format->height));

    AVFramePtr frame = new_frame();
    fill_border(*frame, placement);
    if (format_ == AV_PIX_FMT_YUV420P)
        draw_placed(input, placement, planes_of(*frame, placement));
    else if (format_ == AV_PIX_FMT_NV12)
        draw_nv12(input, placement, *frame);
    else
        draw_by_swscale(input, placement, *frame);
    return frame;
}

VideoConverter::Planes VideoConverter::planes_of(const AVFrame& frame, const Placement& p) {
    Planes planes{{}, {frame.linesize[0], frame.linesize[1], frame.linesize[2]}, p.width, p.height};
    planes.data[0] = frame.data[0] + p.y * frame.linesize[0] + p.x;
    for (int i = 1; i < 3 && frame.data[i] != nullptr; ++i)
        planes.data[i] = frame.data[i] + p.y / 2 * frame.linesize[i] + p.x / 2;
    return planes;
}

void VideoConverter::draw_placed(const Input& input, const Placement& placement, const Planes& target) {
    const Size whole = even_size({input.format.width, input.format.height});
    const bool same_size =
        static_cast<int>(whole.width) == target.width && static_cast<int>(whole.height) == target.height;
    if (same_size)
        draw(input, 0, target);
    else
        draw_scaled(input, placement, target);
}

void VideoConverter::draw_nv12(const Input& input, const Placement& p, const AVFrame& frame) {
    Planes target = planes_of(frame, p);
    const int stride = aligned(p.width / 2);
    const std::size_t plane = static_cast<std::size_t>(stride) * static_cast<std::size_t>(p.height / 2);
    if (chroma_.size() < 2 * plane) chroma_.resize(2 * plane);
    target.data[1] = chroma_.data();
    target.data[2] = chroma_.data() + plane;
    target.stride[1] = target.stride[2] = stride;
    draw_placed(input, p, target);
    libyuv::MergeUVPlane(target.data[1], stride, target.data[2], stride,
                         frame.data[1] + p.y / 2 * frame.linesize[1] + p.x, frame.linesize[1], p.width / 2,
                         p.height / 2);
}

VideoConverter::Placement VideoConverter::place(int width, int height) const {
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

VideoConverter::Planes VideoConverter::scratch(int width, int height) {
    const int luma_stride = aligned(width);
    const int chroma_stride = aligned(width / 2);
    const std::size_t luma = static_cast<std::size_t>(luma_stride) * static_cast<std::size_t>(height);
    const std::size_t chroma = static_cast<std::size_t>(chroma_stride) * static_cast<std::size_t>(height / 2);
    if (scratch_.size() < luma + 2 * chroma) scratch_.resize(luma + 2 * chroma);
    std::uint8_t* base = scratch_.data();
    return {{base, base + luma, base + luma + chroma}, {luma_stride, chroma_stride, chroma_stride}, width, height};
}

/// Lines of the input from `first` on at their own size, padded to even, into `target` of even size.
void VideoConverter::draw(const Input& input, int first, const Planes& target) {
    if (is_rgb(input.format.format))
        draw_rgb(input, first, target);
    else
        draw_planar(input, first, target);
}

void VideoConverter::draw_rgb(const Input& input, int first, const Planes& target) {
    const PixelFormat format = input.format.format;
    const int width = static_cast<int>(input.format.width);
    const int height = static_cast<int>(input.format.height);
    const std::ptrdiff_t step = input.caps.stride[0];
    const int pixel = bt709::pixel_bytes(format);
    const std::uint8_t* upper = input.line(first);
    for (int line = 0; line < target.height; line += 2, upper += 2 * step) {
        const int left = height - first - line;
        const std::uint8_t* lower = left > 1 ? upper + step : upper;  // the last of an odd number stands twice
        Prefetch prefetch(upper + 2 * step, std::min(left - 2, 2), step, kSteps);
        put_two_lines(format, upper, lower, width / 2 * 2, target, line, prefetch);
        if (width % 2 == 0) continue;
        // The last column of an odd number stands twice, too.
        const auto last = static_cast<std::ptrdiff_t>(width - 1);
        const auto doubled = [&](const std::uint8_t* from) {
            std::array<std::uint8_t, 8> two{};
            std::memcpy(two.data(), from + last * pixel, static_cast<std::size_t>(pixel));
            std::memcpy(two.data() + pixel, from + last * pixel, static_cast<std::size_t>(pixel));
            return two;
        };
        const Planes corner{{target.data[0] + last, target.data[1] + last / 2, target.data[2] + last / 2},
                            {target.stride[0], target.stride[1], target.stride[2]},
                            2,
                            2};
        put_two_lines(format, doubled(upper).data(), doubled(lower).data(), 2, corner, line, prefetch);
    }
}

void VideoConverter::put_two_lines(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, int width,
                                   const Planes& target, int line, Prefetch& prefetch) {
    const bt709::Rows& rows = bt709::rows();
    std::uint8_t* y = target.data[0] + static_cast<std::ptrdiff_t>(line) * target.stride[0];
    const std::ptrdiff_t chroma_line = line / 2;
    prefetch.next();
    rows.luma(format, upper, y, width);
    prefetch.next();
    rows.luma(format, lower, y + target.stride[0], width);
    prefetch.next();
    rows.chroma(format, upper, lower, target.data[1] + chroma_line * target.stride[1],
                target.data[2] + chroma_line * target.stride[2], width / 2);
}

/// Half the size both ways, the commonest of all: four lines become two as they come, so that the matrix works on a
/// quarter of the pixels.
void VideoConverter::draw_halved(const Input& input, const Placement& p, const Planes& target) {
    const PixelFormat format = input.format.format;
    const std::ptrdiff_t step = input.caps.stride[0];
    const std::size_t row = static_cast<std::size_t>(target.width) * 4;
    if (rows_.size() < 2 * row) rows_.resize(2 * row);
    std::uint8_t* const halves = rows_.data();
    const std::uint8_t* source =
        input.line(p.source_y) + static_cast<std::ptrdiff_t>(p.source_x) * bt709::pixel_bytes(format);
    for (int line = 0; line < target.height; line += 2, source += 4 * step) {
        Prefetch prefetch(source + 4 * step, std::min(2 * (target.height - line) - 4, 4), step, 2 + kSteps);
        prefetch.next();
        bt709::rows().halve(format, source, source + step, halves, target.width);
        prefetch.next();
        bt709::rows().halve(format, source + 2 * step, source + 3 * step, halves + row, target.width);
        put_two_lines(bt709::padded(format), halves, halves + row, target.width, target, line, prefetch);
    }
}

void VideoConverter::draw_planar(const Input& input, int first, const Planes& target) {
    const layout::Caps& caps = input.caps;
    const int width = static_cast<int>(input.format.width);
    const int height = std::min(static_cast<int>(input.format.height) - first, target.height);
    const auto stride = [&](std::size_t i) { return static_cast<int>(caps.stride[i]); };
    const auto plane = [&](std::size_t i) {
        return input.bytes + caps.plane_offset[i] + static_cast<std::ptrdiff_t>(i == 0 ? first : first / 2) * stride(i);
    };
    if (input.format.format == PixelFormat::i420)
        libyuv::I420Copy(plane(0), stride(0), plane(1), stride(1), plane(2), stride(2), target.data[0],
                         target.stride[0], target.data[1], target.stride[1], target.data[2], target.stride[2], width,
                         height);
    else
        libyuv::NV12ToI420(plane(0), stride(0), plane(1), stride(1), target.data[0], target.stride[0], target.data[1],
                           target.stride[1], target.data[2], target.stride[2], width, height);
    // Chroma planes are rounded up, so only luma comes out short.
    replicate_edges(target.data[0], target.stride[0], width, height, target.width, target.height);
}

void VideoConverter::draw_scaled(const Input& input, const Placement& p, const Planes& target) {
    const bool halved = p.source_width == 2 * target.width && p.source_height == 2 * target.height;
    if (halved && is_rgb(input.format.format)) return draw_halved(input, p, target);

    const Size whole = even_size({input.format.width, input.format.height});
    const int width = static_cast<int>(whole.width);
    const Stripes stripes = stripes_of(p, target, static_cast<int>(whole.height));
    for (int done = 0; done < target.height; done += stripes.target_lines) {
        const int target_lines = std::min(stripes.target_lines, target.height - done);
        const int source_lines = stripes.source_lines * target_lines / stripes.target_lines;
        const int first = stripes.whole ? 0 : p.source_y + done / stripes.target_lines * stripes.source_lines;
        Planes source = scratch(width, stripes.whole ? static_cast<int>(whole.height) : source_lines);
        draw(input, first, source);
        const int above = stripes.whole ? p.source_y : 0;
        source.data[0] += above * source.stride[0] + p.source_x;
        source.data[1] += above / 2 * source.stride[1] + p.source_x / 2;
        source.data[2] += above / 2 * source.stride[2] + p.source_x / 2;
        const auto target_line = [&](int i, int line) {
            return target.data[i] + static_cast<std::ptrdiff_t>(line) * target.stride[i];
        };
        // Box means every source pixel counts when shrinking; libyuv takes bilinear where the picture grows.
        libyuv::I420Scale(source.data[0], source.stride[0], source.data[1], source.stride[1], source.data[2],
                          source.stride[2], p.source_width, source_lines, target_line(0, done), target.stride[0],
                          target_line(1, done / 2), target.stride[1], target_line(2, done / 2), target.stride[2],
                          target.width, target_lines, libyuv::kFilterBox);
    }
}

/// A picture that shrinks by p:q is the same as stripes of p lines that shrink to q each, which never leave the cache.
VideoConverter::Stripes VideoConverter::stripes_of(const Placement& p, const Planes& target, int whole_height) {
    const Stripes whole{p.source_height, target.height, true};
    const int steps = std::gcd(p.source_height, target.height) / 2;  // each of them even on both sides
    if (steps == 0 || p.source_height < target.height || p.source_y + p.source_height > whole_height) return whole;
    if (p.source_height % (2 * steps) != 0 || p.source_y % 2 != 0) return whole;
    const int source_lines = p.source_height / steps;
    const int target_lines = target.height / steps;
    if (source_lines % 2 != 0 || target_lines % 2 != 0 || source_lines > kMostStripeLines) return whole;
    const int together = std::max(1, kMostStripeLines / source_lines);
    return {source_lines * together, target_lines * together, false};
}

/// The slow path, for formats that nobody encodes live.
void VideoConverter::draw_by_swscale(const Input& input, const Placement& p, const AVFrame& frame) {
    const layout::Caps& caps = input.caps;
    const AVPixelFormat from = av_format_of(input.format.format);
    // swscale may read past the end of a line, and the ring ends somewhere.
    scratch_.resize(frame_bytes(caps) + kTailBytes);
    std::memcpy(scratch_.data(), input.bytes, frame_bytes(caps));
    const std::uint8_t* source[4] = {};
    int source_stride[4] = {};
    for (std::size_t i = 0; i < caps.plane_count; ++i) {
        const int lines_down = i == 0 ? p.source_y : p.source_y / 2;
        source_stride[i] = static_cast<int>(caps.stride[i]);
        source[i] = scratch_.data() + caps.plane_offset[i] +
                    static_cast<std::ptrdiff_t>(lines_down) * source_stride[i] +
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
    sws_setColorspaceDetails(sws_.get(), bt709, is_rgb(input.format.format) ? 1 : 0, bt709,
                             (to.flags & AV_PIX_FMT_FLAG_RGB) != 0 ? 1 : 0, 0, 1 << 16, 1 << 16);
    sws_scale(sws_.get(), source, source_stride, 0, p.source_height, target, frame.linesize);
}

}  // namespace ringcast::runtime
