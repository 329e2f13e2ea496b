// SPDX-License-Identifier: Apache-2.0
/// Drawing into a frame of any raw format: whole lines, opaque rectangles and tiles with transparency.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ringcast/caps.hpp"

namespace ringcast::producers {

/// A drawing in premultiplied BGRA, as cairo makes it (ARGB32 on little-endian).
struct Tile {
    int width = 0;
    int height = 0;
    std::vector<std::uint32_t> pixels;  ///< width · height
    Tile() = default;
    Tile(int w, int h) : width(w), height(h), pixels(static_cast<std::size_t>(w) * static_cast<std::size_t>(h)) {}
    [[nodiscard]] unsigned char* bytes() { return reinterpret_cast<unsigned char*>(pixels.data()); }
};

/// A view of one frame's bytes; the bytes stay the caller's. YUV is BT.709, limited range.
class Canvas {
public:
    /// `pixels` holds frame_bytes(caps) bytes; caps come from make_caps().
    Canvas(const layout::Caps& caps, std::span<std::byte> pixels);

    /// Blends a tile with its top left pixel at (x, y), clipped to the frame.
    /// x and y are made even, so that chroma of YUV formats stays in place.
    void blend(const Tile& tile, int x, int y);

    /// Pure black or white; nothing next to the rectangle changes but the chroma it shares.
    void fill(std::uint32_t x, std::uint32_t y, std::uint32_t width, std::uint32_t height, bool white);

    /// Copies one line pair of `source`, a canvas of the same format and height but wider, starting at even pixel
    /// `offset` of it. `line` is even; a missing last line is left out.
    void copy_line_pair(const Canvas& source, std::uint32_t line, std::uint32_t offset);

private:
    struct Span {  // of a tile, clipped
        int x, y, begin_x, begin_y, end_x, end_y;
    };
    void blend_rgb(const Tile& tile, const Span& span);
    void blend_luma(const Tile& tile, const Span& span);
    void blend_chroma(const Tile& tile, const Span& span);
    [[nodiscard]] std::uint8_t* at(unsigned plane, std::uint32_t line) const {
        return planes_[plane] + std::size_t{strides_[plane]} * line;
    }

    PixelFormat format_;
    std::uint32_t width_;
    std::uint32_t height_;
    unsigned pixel_bytes_;  ///< of plane 0
    bool is_yuv_;
    std::array<std::uint8_t*, layout::kMaxPlanes> planes_{};
    std::array<std::uint32_t, layout::kMaxPlanes> strides_{};
};

}  // namespace ringcast::producers
