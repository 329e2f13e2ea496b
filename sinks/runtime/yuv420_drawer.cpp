// SPDX-License-Identifier: Apache-2.0
#include "runtime/yuv420_drawer.hpp"

#include <libyuv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "runtime/bt709_rows.hpp"

namespace ringcast::runtime {

namespace {

constexpr int kLineAlignment = 64;  // what libav's and libyuv's widest code likes
constexpr int kCacheLine = 64;
constexpr int kBlock = 256;           // columns that are worked on before the next: two lines of them stay at hand
constexpr int kSteps = 3;             // of the work on a block
constexpr int kMostStripeLines = 32;  // 1920 wide: 92 kB, well inside the second-level cache

/// Doubles the last column and the last line of a plane that came out one short of the even size.
void replicate_edges(std::uint8_t* plane, int stride, int width, int height, int full_width, int full_height) {
    for (int line = 0; full_width > width && line < height; ++line)
        plane[line * stride + width] = plane[line * stride + width - 1];
    if (full_height > height)
        std::memcpy(plane + static_cast<std::ptrdiff_t>(height) * stride,
                    plane + static_cast<std::ptrdiff_t>(height - 1) * stride, static_cast<std::size_t>(full_width));
}

int even_width(const RawPicture& picture) {
    return static_cast<int>((picture.format.width + 1U) & ~1U);
}

int even_height(const RawPicture& picture) {
    return static_cast<int>((picture.format.height + 1U) & ~1U);
}

/// What begins at this (even) place.
Planes at(const Planes& planes, int x, int y) {
    Planes part = planes;
    for (int i = 0; i < 3; ++i) {
        const int shift = i == 0 ? 0 : 1;
        part.data[i] += std::ptrdiff_t{y >> shift} * planes.stride[i] + (x >> shift);
    }
    return part;
}

}  // namespace

int aligned_line(int bytes) {
    return (bytes + kLineAlignment - 1) / kLineAlignment * kLineAlignment;
}

/// Asks for the next lines in small portions between the steps of the work on the present ones. The ring is cold, and
/// the processor's own prefetcher rests while the work is on lines that are there; more than a few requests at once
/// block.
class Yuv420Drawer::Prefetch {
public:
    /// For the `count` lines from `lines` on, while work goes over `width` columns in blocks.
    Prefetch(const std::uint8_t* lines, int count, std::ptrdiff_t step, int width)
        : at_(lines), left_(count <= 0 ? 0 : count * step), portion_(left_ / (kSteps * blocks(width)) + kCacheLine) {}
    void next() {
        const std::ptrdiff_t bytes = std::min(portion_, left_);
        for (std::ptrdiff_t i = 0; i < bytes; i += kCacheLine)
            __builtin_prefetch(at_ + i, 0, 3);
        at_ += bytes;
        left_ -= bytes;
    }

private:
    static int blocks(int width) { return (width + kBlock - 1) / kBlock; }

    const std::uint8_t* at_;
    std::ptrdiff_t left_;
    std::ptrdiff_t portion_;
};

void Yuv420Drawer::draw(const RawPicture& picture, const Placement& placement, const Planes& target) {
    const bool same_size = even_width(picture) == target.width && even_height(picture) == target.height;
    if (same_size)
        draw_lines(picture, 0, target);
    else
        draw_scaled(picture, placement, target);
}

Planes Yuv420Drawer::scratch(int width, int height) {
    const int luma_stride = aligned_line(width);
    const int chroma_stride = aligned_line(width / 2);
    const std::size_t luma = static_cast<std::size_t>(luma_stride) * static_cast<std::size_t>(height);
    const std::size_t chroma = static_cast<std::size_t>(chroma_stride) * static_cast<std::size_t>(height / 2);
    if (scratch_.size() < luma + 2 * chroma) scratch_.resize(luma + 2 * chroma);
    std::uint8_t* base = scratch_.data();
    return {{base, base + luma, base + luma + chroma}, {luma_stride, chroma_stride, chroma_stride}, width, height};
}

/// Lines of the input from `first` on at their own size, padded to even, into `target` of even size.
void Yuv420Drawer::draw_lines(const RawPicture& picture, int first, const Planes& target) {
    if (picture.is_rgb())
        draw_rgb(picture, first, target);
    else
        draw_planar(picture, first, target);
}

void Yuv420Drawer::draw_rgb(const RawPicture& picture, int first, const Planes& target) {
    const PixelFormat format = picture.format.format;
    const int width = static_cast<int>(picture.format.width);
    const int height = static_cast<int>(picture.format.height);
    const std::ptrdiff_t step = picture.caps.stride[0];
    const int pixel = bt709::pixel_bytes(format);
    const std::uint8_t* upper = picture.line(first);
    for (int line = 0; line < target.height; line += 2, upper += 2 * step) {
        const int left = height - first - line;
        const std::uint8_t* lower = left > 1 ? upper + step : upper;  // the last of an odd number stands twice
        Prefetch prefetch(upper + 2 * step, std::min(left - 2, 2), step, width);
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

void Yuv420Drawer::put_two_lines(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, int width,
                                 const Planes& target, int line, Prefetch& prefetch) {
    for (int x = 0; x < width; x += kBlock) {
        const std::ptrdiff_t skipped = std::ptrdiff_t{x} * bt709::pixel_bytes(format);
        put_block(format, upper + skipped, lower + skipped, std::min(kBlock, width - x), at(target, x, line), prefetch);
    }
}

/// Two lines of a few columns.
void Yuv420Drawer::put_block(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, int width,
                             const Planes& target, Prefetch& prefetch) {
    const bt709::Rows& rows = bt709::rows();
    prefetch.next();
    rows.luma(format, upper, target.data[0], width);
    prefetch.next();
    rows.luma(format, lower, target.data[0] + target.stride[0], width);
    prefetch.next();
    rows.chroma(format, upper, lower, target.data[1], target.data[2], width / 2);
}

/// Half the size both ways, the commonest of all: four lines become two as they come, so that the matrix works on a
/// quarter of the pixels.
void Yuv420Drawer::draw_halved(const RawPicture& picture, const Placement& p, const Planes& target) {
    const PixelFormat format = picture.format.format;
    const std::ptrdiff_t step = picture.caps.stride[0];
    std::array<std::uint8_t, std::size_t{4} * kBlock> upper{};
    std::array<std::uint8_t, std::size_t{4} * kBlock> lower{};
    const std::uint8_t* source =
        picture.line(p.source_y) + static_cast<std::ptrdiff_t>(p.source_x) * bt709::pixel_bytes(format);
    for (int line = 0; line < target.height; line += 2, source += 4 * step) {
        Prefetch prefetch(source + 4 * step, std::min(2 * (target.height - line) - 4, 4), step, target.width);
        for (int x = 0; x < target.width; x += kBlock) {
            const int width = std::min(kBlock, target.width - x);
            const std::uint8_t* from = source + std::ptrdiff_t{2} * x * bt709::pixel_bytes(format);
            bt709::rows().halve(format, from, from + step, upper.data(), width);
            bt709::rows().halve(format, from + 2 * step, from + 3 * step, lower.data(), width);
            put_block(bt709::padded(format), upper.data(), lower.data(), width, at(target, x, line), prefetch);
        }
    }
}

void Yuv420Drawer::draw_planar(const RawPicture& picture, int first, const Planes& target) {
    const layout::Caps& caps = picture.caps;
    const int width = static_cast<int>(picture.format.width);
    const int height = std::min(static_cast<int>(picture.format.height) - first, target.height);
    const auto stride = [&](std::size_t i) { return static_cast<int>(caps.stride[i]); };
    const auto plane = [&](std::size_t i) {
        return picture.bytes + caps.plane_offset[i] +
               static_cast<std::ptrdiff_t>(i == 0 ? first : first / 2) * stride(i);
    };
    if (picture.format.format == PixelFormat::i420)
        libyuv::I420Copy(plane(0), stride(0), plane(1), stride(1), plane(2), stride(2), target.data[0],
                         target.stride[0], target.data[1], target.stride[1], target.data[2], target.stride[2], width,
                         height);
    else
        libyuv::NV12ToI420(plane(0), stride(0), plane(1), stride(1), target.data[0], target.stride[0], target.data[1],
                           target.stride[1], target.data[2], target.stride[2], width, height);
    // Chroma planes are rounded up, so only luma comes out short.
    replicate_edges(target.data[0], target.stride[0], width, height, target.width, target.height);
}

void Yuv420Drawer::draw_scaled(const RawPicture& picture, const Placement& p, const Planes& target) {
    const bool halved = p.source_width == 2 * target.width && p.source_height == 2 * target.height;
    if (halved && picture.is_rgb()) return draw_halved(picture, p, target);

    const int whole_height = even_height(picture);
    const Stripes stripes = stripes_of(p, target, whole_height);
    for (int done = 0; done < target.height; done += stripes.target_lines) {
        const int target_lines = std::min(stripes.target_lines, target.height - done);
        const int source_lines = stripes.source_lines * target_lines / stripes.target_lines;
        const int first = stripes.whole ? 0 : p.source_y + done / stripes.target_lines * stripes.source_lines;
        Planes source = scratch(even_width(picture), stripes.whole ? whole_height : source_lines);
        draw_lines(picture, first, source);
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
Yuv420Drawer::Stripes Yuv420Drawer::stripes_of(const Placement& p, const Planes& target, int whole_height) {
    const Stripes whole{p.source_height, target.height, true};
    const int steps = std::gcd(p.source_height, target.height) / 2;  // each of them even on both sides
    if (steps == 0 || p.source_height < target.height || p.source_y + p.source_height > whole_height) return whole;
    if (p.source_height % (2 * steps) != 0 || p.source_y % 2 != 0) return whole;
    const int source_lines = p.source_height / steps;
    const int target_lines = target.height / steps;
    if (source_lines % 2 != 0 || target_lines % 2 != 0) return whole;
    if (source_lines <= 0 || source_lines > kMostStripeLines) return whole;
    const int together = std::max(1, kMostStripeLines / source_lines);
    return {source_lines * together, target_lines * together, false};
}

}  // namespace ringcast::runtime
