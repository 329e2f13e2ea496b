// SPDX-License-Identifier: Apache-2.0
#include "runtime/bt709_rows.hpp"

#include "runtime/bt709_matrix.hpp"

#if defined(__x86_64__)
#include "runtime/bt709_rows_avx2.hpp"
#endif

namespace ringcast::runtime::bt709 {

namespace {

struct Pixel {
    int r, g, b;
};

Pixel pixel_at(PixelFormat format, const std::uint8_t* at) {
    const bool red_first = padded(format) == PixelFormat::rgba;
    return red_first ? Pixel{at[0], at[1], at[2]} : Pixel{at[2], at[1], at[0]};
}

void luma_plain(PixelFormat format, const std::uint8_t* pixels, std::uint8_t* y, int width) {
    const int step = pixel_bytes(format);
    for (int i = 0; i < width; ++i, pixels += step) {
        const Pixel p = pixel_at(format, pixels);
        y[i] = static_cast<std::uint8_t>((kYR * p.r + kYG * p.g + kYB * p.b + kYBase) >> 8);
    }
}

void chroma_plain(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* u,
                  std::uint8_t* v, int pairs) {
    const int step = pixel_bytes(format);
    for (int i = 0; i < pairs; ++i, upper += 2 * step, lower += 2 * step) {
        Pixel sum{0, 0, 0};
        for (const std::uint8_t* at : {upper, upper + step, lower, lower + step}) {
            const Pixel p = pixel_at(format, at);
            sum = {sum.r + p.r, sum.g + p.g, sum.b + p.b};
        }
        u[i] = static_cast<std::uint8_t>(((kUB * sum.b - kUR * sum.r - kUG * sum.g) / 4 + kChromaBase) >> 8);
        v[i] = static_cast<std::uint8_t>(((kVR * sum.r - kVG * sum.g - kVB * sum.b) / 4 + kChromaBase) >> 8);
    }
}

void halve_plain(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* pixels,
                 int width) {
    const int step = pixel_bytes(format);
    for (int i = 0; i < width; ++i, upper += 2 * step, lower += 2 * step, pixels += 4) {
        for (int c = 0; c < 3; ++c)
            pixels[c] = static_cast<std::uint8_t>((upper[c] + upper[step + c] + lower[c] + lower[step + c] + 2) >> 2);
        pixels[3] = 0xFF;
    }
}

constexpr Rows kPlain{luma_plain, chroma_plain, halve_plain};

#if defined(__x86_64__)
// Most of a line by the wide code, which reads and writes whole groups; the rest plainly.

void luma_wide(PixelFormat format, const std::uint8_t* pixels, std::uint8_t* y, int width) {
    const int done = avx2::luma(format, pixels, y, width);
    luma_plain(format, pixels + done * pixel_bytes(format), y + done, width - done);
}

void chroma_wide(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* u,
                 std::uint8_t* v, int pairs) {
    const int done = avx2::chroma(format, upper, lower, u, v, pairs);
    const int bytes = 2 * done * pixel_bytes(format);
    chroma_plain(format, upper + bytes, lower + bytes, u + done, v + done, pairs - done);
}

void halve_wide(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* pixels,
                int width) {
    const int done = avx2::halve(format, upper, lower, pixels, width);
    const int bytes = 2 * done * pixel_bytes(format);
    halve_plain(format, upper + bytes, lower + bytes, pixels + 4 * done, width - done);
}

constexpr Rows kWide{luma_wide, chroma_wide, halve_wide};
#endif

}  // namespace

const Rows& plain_rows() {
    return kPlain;
}

const Rows& rows() {
#if defined(__x86_64__)
    static const bool wide = __builtin_cpu_supports("avx2") != 0;
    if (wide) return kWide;
#endif
    return kPlain;
}

}  // namespace ringcast::runtime::bt709
