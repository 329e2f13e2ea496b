// SPDX-License-Identifier: Apache-2.0
/// RGB to BT.709 limited range, line by line, straight from packed pixels. libyuv's own RGB conversions know only
/// BT.601 (release 2023-01), and the output is tagged BT.709, so the matrix is ours.
#pragma once

#include <cstdint>
#include <vector>

#include "ringcast/caps.hpp"

namespace ringcast::runtime::bt709 {

/// One implementation; lines need no alignment and no bytes after their end are touched.
struct Rows {
    /// `width` luma samples; within 1 level of the exact value.
    void (*luma)(PixelFormat format, const std::uint8_t* pixels, std::uint8_t* y, int width);
    /// `pairs` chroma samples, each from the mean of two columns of two lines of 2 × `pairs` pixels.
    void (*chroma)(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* u,
                   std::uint8_t* v, int pairs);
    /// `width` pixels of four bytes, colours in the format's order, each the mean of 2x2.
    void (*halve)(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* pixels,
                  int width);
};

/// The fastest for this processor.
const Rows& rows();
/// All that this processor runs, the slowest first: that one runs everywhere.
std::vector<const Rows*> runnable_rows();

/// Bytes of a pixel of these (RGB) formats.
constexpr int pixel_bytes(PixelFormat format) {
    return format == PixelFormat::rgb24 || format == PixelFormat::bgr24 ? 3 : 4;
}
/// The format that Rows::halve() makes of another.
constexpr PixelFormat padded(PixelFormat format) {
    return format == PixelFormat::rgb24 || format == PixelFormat::rgba ? PixelFormat::rgba : PixelFormat::bgra;
}

}  // namespace ringcast::runtime::bt709
