// SPDX-License-Identifier: Apache-2.0
#include "runtime/bt709_rows.hpp"

// The loops are written for the compiler's vectoriser: 16-bit lanes, no branch, no alias. This file is built with -O3,
// and on x86 twice, the wider one chosen at run time.
#if defined(__x86_64__)
#define RINGCAST_ROWS_AVX2 1
#endif

namespace ringcast::runtime::bt709 {

namespace {

using Lane = std::uint16_t;

// Y  = 16  + 219 (0.2126 R + 0.7152 G + 0.0722 B) / 255
// Cb = 128 + 224 (B - Y') / (1.8556 · 255), Cr = 128 + 224 (R - Y') / (1.5748 · 255), in 1/256.
// Each sum fits 16 bits without a sign: 16-bit arithmetic modulo 2^16 gives the right result.
constexpr Lane kYR = 47, kYG = 157, kYB = 16, kYBase = (16 << 8) + 128;
constexpr Lane kUR = 26, kUG = 86, kUB = 112, kVR = 112, kVG = 102, kVB = 10, kChromaBase = (128 << 8) + 128;
static_assert(kUR + kUG == kUB && kVG + kVB == kVR, "grey has no colour");

[[gnu::always_inline]] inline void luma_loop(const std::uint8_t* __restrict r, const std::uint8_t* __restrict g,
                                             const std::uint8_t* __restrict b, std::uint8_t* __restrict y, int width) {
    for (int i = 0; i < width; ++i)
        y[i] = static_cast<std::uint8_t>(static_cast<Lane>(kYR * r[i] + kYG * g[i] + kYB * b[i] + kYBase) >> 8);
}

[[gnu::always_inline]] inline Lane mean4(const std::uint8_t* upper, const std::uint8_t* lower, int i) {
    return static_cast<Lane>(static_cast<Lane>(upper[2 * i] + upper[2 * i + 1] + lower[2 * i] + lower[2 * i + 1] + 2) >>
                             2);
}

[[gnu::always_inline]] inline void chroma_loop(const RgbRow& upper, const RgbRow& lower, std::uint8_t* __restrict u,
                                               std::uint8_t* __restrict v, int pairs) {
    const std::uint8_t* __restrict r0 = upper.r;
    const std::uint8_t* __restrict g0 = upper.g;
    const std::uint8_t* __restrict b0 = upper.b;
    const std::uint8_t* __restrict r1 = lower.r;
    const std::uint8_t* __restrict g1 = lower.g;
    const std::uint8_t* __restrict b1 = lower.b;
    for (int i = 0; i < pairs; ++i) {
        const Lane r = mean4(r0, r1, i);
        const Lane g = mean4(g0, g1, i);
        const Lane b = mean4(b0, b1, i);
        u[i] = static_cast<std::uint8_t>(static_cast<Lane>(kUB * b - kUR * r - kUG * g + kChromaBase) >> 8);
        v[i] = static_cast<std::uint8_t>(static_cast<Lane>(kVR * r - kVG * g - kVB * b + kChromaBase) >> 8);
    }
}

void luma_plain(const RgbRow& rgb, std::uint8_t* y, int width) {
    luma_loop(rgb.r, rgb.g, rgb.b, y, width);
}

void chroma_plain(const RgbRow& upper, const RgbRow& lower, std::uint8_t* u, std::uint8_t* v, int pairs) {
    chroma_loop(upper, lower, u, v, pairs);
}

using LumaFunction = void (*)(const RgbRow&, std::uint8_t*, int);
using ChromaFunction = void (*)(const RgbRow&, const RgbRow&, std::uint8_t*, std::uint8_t*, int);

#ifdef RINGCAST_ROWS_AVX2
[[gnu::target("avx2")]] void luma_avx2(const RgbRow& rgb, std::uint8_t* y, int width) {
    luma_loop(rgb.r, rgb.g, rgb.b, y, width);
}

[[gnu::target("avx2")]] void chroma_avx2(const RgbRow& upper, const RgbRow& lower, std::uint8_t* u, std::uint8_t* v,
                                         int pairs) {
    chroma_loop(upper, lower, u, v, pairs);
}

const LumaFunction kLuma = __builtin_cpu_supports("avx2") ? luma_avx2 : luma_plain;
const ChromaFunction kChroma = __builtin_cpu_supports("avx2") ? chroma_avx2 : chroma_plain;
#else
constexpr LumaFunction kLuma = luma_plain;
constexpr ChromaFunction kChroma = chroma_plain;
#endif

}  // namespace

void luma_row(const RgbRow& rgb, std::uint8_t* y, int width) {
    kLuma(rgb, y, width);
}

void chroma_row(const RgbRow& upper, const RgbRow& lower, std::uint8_t* u, std::uint8_t* v, int pairs) {
    kChroma(upper, lower, u, v, pairs);
}

}  // namespace ringcast::runtime::bt709
