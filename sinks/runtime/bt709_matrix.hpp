// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ringcast::runtime::bt709 {

// Y  = 16  + 219 (0.2126 R + 0.7152 G + 0.0722 B) / 255
// Cb = 128 + 224 (B - Y') / (1.8556 · 255), Cr = 128 + 224 (R - Y') / (1.5748 · 255), in 1/256.
inline constexpr int kYR = 47, kYG = 157, kYB = 16, kYBase = (16 << 8) + 128;
inline constexpr int kUR = 26, kUG = 86, kUB = 112, kVR = 112, kVG = 102, kVB = 10, kChromaBase = (128 << 8) + 128;
static_assert(kUR + kUG == kUB && kVG + kVB == kVR, "grey has no colour");

}  // namespace ringcast::runtime::bt709
