// SPDX-License-Identifier: Apache-2.0
#include "canvas.hpp"

#include <algorithm>
#include <cstring>

namespace ringcast::producers {
namespace {

struct Premultiplied {
    int a, r, g, b;
};

Premultiplied unpack(std::uint32_t pixel) {
    return {static_cast<int>(pixel >> 24), static_cast<int>(pixel >> 16 & 255), static_cast<int>(pixel >> 8 & 255),
            static_cast<int>(pixel & 255)};
}

// BT.709, limited range, in 1/65536. The offset is multiplied by alpha because the colours are.
int luma(const Premultiplied& c) {
    return (11966 * c.r + 40254 * c.g + 4064 * c.b) / 65536 + 16 * c.a / 255;
}
int chroma_u(const Premultiplied& c) {
    return (-6596 * c.r - 22189 * c.g + 28784 * c.b + 128 * 65536 / 255 * c.a) / 65536;
}
int chroma_v(const Premultiplied& c) {
    return (28784 * c.r - 26145 * c.g - 2639 * c.b + 128 * 65536 / 255 * c.a) / 65536;
}

const std::uint32_t* tile_pixel(const Tile& tile, int x, int y) {
    return tile.pixels.data() + static_cast<std::ptrdiff_t>(y) * tile.width + x;
}

void over(std::uint8_t& under, int value, int alpha) {
    under = static_cast<std::uint8_t>(std::clamp(value + (under * (255 - alpha) + 127) / 255, 0, 255));
}

struct RgbOrder {
    unsigned red, blue;
};
RgbOrder order_of(PixelFormat format) {
    const bool red_first = format == PixelFormat::rgb24 || format == PixelFormat::rgba;
    return red_first ? RgbOrder{0, 2} : RgbOrder{2, 0};
}

}  // namespace

Canvas::Canvas(const layout::Caps& caps, std::span<std::byte> pixels)
    : format_(static_cast<PixelFormat>(caps.format)),
      width_(caps.width),
      height_(caps.height),
      pixel_bytes_(1),
      is_yuv_(format_ == PixelFormat::i420 || format_ == PixelFormat::nv12) {
    if (!is_yuv_) pixel_bytes_ = format_ == PixelFormat::rgba || format_ == PixelFormat::bgra ? 4 : 3;
    for (std::uint32_t plane = 0; plane < caps.plane_count; ++plane) {
        planes_[plane] = reinterpret_cast<std::uint8_t*>(pixels.data()) + caps.plane_offset[plane];
        strides_[plane] = caps.stride[plane];
    }
}

void Canvas::blend(const Tile& tile, int x, int y) {
    x &= ~1;
    y &= ~1;
    const Span span{x,
                    y,
                    std::max(x, 0),
                    std::max(y, 0),
                    std::min(x + tile.width, static_cast<int>(width_)),
                    std::min(y + tile.height, static_cast<int>(height_))};
    if (span.begin_x >= span.end_x || span.begin_y >= span.end_y) return;
    if (!is_yuv_) return blend_rgb(tile, span);
    blend_luma(tile, span);
    blend_chroma(tile, span);
}

void Canvas::blend_rgb(const Tile& tile, const Span& span) {
    const auto [red, blue] = order_of(format_);
    for (int y = span.begin_y; y < span.end_y; ++y) {
        const std::uint32_t* from = tile_pixel(tile, span.begin_x - span.x, y - span.y);
        std::uint8_t* to = at(0, static_cast<std::uint32_t>(y)) + static_cast<std::size_t>(span.begin_x) * pixel_bytes_;
        for (int x = span.begin_x; x < span.end_x; ++x, to += pixel_bytes_) {
            const auto c = unpack(*from++);
            if (c.a == 0) continue;
            over(to[red], c.r, c.a);
            over(to[1], c.g, c.a);
            over(to[blue], c.b, c.a);
        }
    }
}

void Canvas::blend_luma(const Tile& tile, const Span& span) {
    for (int y = span.begin_y; y < span.end_y; ++y) {
        const std::uint32_t* from = tile_pixel(tile, span.begin_x - span.x, y - span.y);
        std::uint8_t* to = at(0, static_cast<std::uint32_t>(y));
        for (int x = span.begin_x; x < span.end_x; ++x) {
            const auto c = unpack(*from++);
            if (c.a != 0) over(to[x], luma(c), c.a);
        }
    }
}

void Canvas::blend_chroma(const Tile& tile, const Span& span) {
    const bool interleaved = format_ == PixelFormat::nv12;
    const auto pixel = [&](int x, int y) {
        const bool inside = x < span.x + tile.width && y < span.y + tile.height;
        return inside ? unpack(*tile_pixel(tile, x - span.x, y - span.y)) : Premultiplied{};
    };
    for (int y = span.begin_y; y < span.end_y; y += 2) {
        std::uint8_t* first = at(1, static_cast<std::uint32_t>(y) / 2);
        std::uint8_t* second = interleaved ? first + 1 : at(2, static_cast<std::uint32_t>(y) / 2);
        for (int x = span.begin_x; x < span.end_x; x += 2) {
            const Premultiplied four[] = {pixel(x, y), pixel(x + 1, y), pixel(x, y + 1), pixel(x + 1, y + 1)};
            Premultiplied mean{};
            for (const auto& c : four)
                mean = {mean.a + c.a, mean.r + c.r, mean.g + c.g, mean.b + c.b};
            if (mean.a == 0) continue;
            mean = {mean.a / 4, mean.r / 4, mean.g / 4, mean.b / 4};
            const int i = interleaved ? x : x / 2;
            over(first[i], chroma_u(mean), mean.a);
            over(second[i], chroma_v(mean), mean.a);
        }
    }
}

void Canvas::fill(std::uint32_t x, std::uint32_t y, std::uint32_t width, std::uint32_t height, bool white) {
    const int high = is_yuv_ ? 235 : 255;
    const int low = is_yuv_ ? 16 : 0;
    for (std::uint32_t line = y; line < y + height; ++line) {
        std::uint8_t* to = at(0, line) + std::size_t{x} * pixel_bytes_;
        std::memset(to, white ? high : low, std::size_t{width} * pixel_bytes_);
        if (pixel_bytes_ != 4) continue;
        for (std::uint32_t i = 0; i < width; ++i)
            to[i * 4 + 3] = 255;
    }
    if (!is_yuv_ || width == 0 || height == 0) return;
    const std::uint32_t begin = x / 2;
    const std::uint32_t end = (x + width + 1) / 2;
    for (std::uint32_t line = y / 2; line < (y + height + 1) / 2; ++line) {
        const unsigned step = format_ == PixelFormat::nv12 ? 2 : 1;
        std::memset(at(1, line) + std::size_t{begin} * step, 128, std::size_t{end - begin} * step);
        if (step == 1) std::memset(at(2, line) + begin, 128, end - begin);
    }
}

void Canvas::copy_line_pair(const Canvas& source, std::uint32_t line, std::uint32_t offset) {
    for (std::uint32_t y = line; y < std::min(line + 2, height_); ++y) {
        std::memcpy(at(0, y), source.at(0, y) + std::size_t{offset} * pixel_bytes_, std::size_t{width_} * pixel_bytes_);
    }
    if (!is_yuv_) return;
    const std::size_t chroma = (width_ + 1) / 2;
    if (format_ == PixelFormat::nv12) {
        std::memcpy(at(1, line / 2), source.at(1, line / 2) + offset, chroma * 2);
        return;
    }
    std::memcpy(at(1, line / 2), source.at(1, line / 2) + offset / 2, chroma);
    std::memcpy(at(2, line / 2), source.at(2, line / 2) + offset / 2, chroma);
}

}  // namespace ringcast::producers
