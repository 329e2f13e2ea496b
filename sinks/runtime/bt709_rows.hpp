// SPDX-License-Identifier: Apache-2.0
/// RGB to BT.709 limited range, line by line. libyuv's own RGB conversions know only BT.601 (release 2023-01), and the
/// output is tagged BT.709, so the matrix is ours; libyuv separates the channels.
#pragma once

#include <cstdint>

namespace ringcast::runtime::bt709 {

/// One line of each colour.
struct RgbRow {
    const std::uint8_t* r;
    const std::uint8_t* g;
    const std::uint8_t* b;
};

/// `width` luma samples; within 1 level of the exact value.
void luma_row(const RgbRow& rgb, std::uint8_t* y, int width);

/// `pairs` chroma samples, each from the mean of two columns of two lines; both lines hold 2 × `pairs` samples.
void chroma_row(const RgbRow& upper, const RgbRow& lower, std::uint8_t* u, std::uint8_t* v, int pairs);

}  // namespace ringcast::runtime::bt709
