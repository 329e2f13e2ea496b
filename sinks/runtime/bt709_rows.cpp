// SPDX-License-Identifier: Apache-2.0
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 sees it in its own AVX-512 intrinsics
#endif

#include "runtime/bt709_rows.hpp"

#include "runtime/bt709_matrix.hpp"

#if defined(__x86_64__)
#include "runtime/bt709_rows_avx2.hpp"
#include "runtime/bt709_rows_avx512.hpp"
#endif

namespace ringcast::runtime::bt709 {

namespace {

// Written for the compiler's vectoriser: bytes apart by a constant, no branch inside the loops, no alias.

template <int kStep, bool kRedFirst>
struct Plain {
    static constexpr int kRed = kRedFirst ? 0 : 2;
    static constexpr int kBlue = 2 - kRed;

    static void luma(const std::uint8_t* __restrict p, std::uint8_t* __restrict y, int width) {
        for (int i = 0; i < width; ++i)
            y[i] = static_cast<std::uint8_t>(
                (kYR * p[kStep * i + kRed] + kYG * p[kStep * i + 1] + kYB * p[kStep * i + kBlue] + kYBase) >> 8);
    }

    static int sum4(const std::uint8_t* upper, const std::uint8_t* lower, int at) {
        return upper[at] + upper[at + kStep] + lower[at] + lower[at + kStep];
    }

    static void chroma(const std::uint8_t* __restrict upper, const std::uint8_t* __restrict lower,
                       std::uint8_t* __restrict u, std::uint8_t* __restrict v, int pairs) {
        for (int i = 0; i < pairs; ++i) {
            const int r = sum4(upper, lower, 2 * kStep * i + kRed);
            const int g = sum4(upper, lower, 2 * kStep * i + 1);
            const int b = sum4(upper, lower, 2 * kStep * i + kBlue);
            u[i] = static_cast<std::uint8_t>((kUB * b - kUR * r - kUG * g + 4 * kChromaBase) >> 10);
            v[i] = static_cast<std::uint8_t>((kVR * r - kVG * g - kVB * b + 4 * kChromaBase) >> 10);
        }
    }

    static void halve(const std::uint8_t* __restrict upper, const std::uint8_t* __restrict lower,
                      std::uint8_t* __restrict pixels, int width) {
        for (int i = 0; i < width; ++i) {
            for (int c = 0; c < 3; ++c)
                pixels[4 * i + c] = static_cast<std::uint8_t>((sum4(upper, lower, 2 * kStep * i + c) + 2) >> 2);
            pixels[4 * i + 3] = 0xFF;
        }
    }
};

/// Calls `use` with the code for this format.
template <typename Use>
void with_format(PixelFormat format, const Use& use) {
    switch (format) {
        case PixelFormat::rgb24:
            return use(Plain<3, true>{});
        case PixelFormat::bgr24:
            return use(Plain<3, false>{});
        case PixelFormat::rgba:
            return use(Plain<4, true>{});
        default:
            return use(Plain<4, false>{});
    }
}

void luma_plain(PixelFormat format, const std::uint8_t* pixels, std::uint8_t* y, int width) {
    with_format(format, [&](auto code) { code.luma(pixels, y, width); });
}

void chroma_plain(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* u,
                  std::uint8_t* v, int pairs) {
    with_format(format, [&](auto code) { code.chroma(upper, lower, u, v, pairs); });
}

void halve_plain(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* pixels,
                 int width) {
    with_format(format, [&](auto code) { code.halve(upper, lower, pixels, width); });
}

constexpr Rows kPlain{luma_plain, chroma_plain, halve_plain};

#if defined(__x86_64__)
// Most of a line by the wide code, which reads and writes whole groups; the rest plainly.

template <auto kLuma>
void luma_by(PixelFormat format, const std::uint8_t* pixels, std::uint8_t* y, int width) {
    const int done = kLuma(format, pixels, y, width);
    if (done < width) luma_plain(format, pixels + done * pixel_bytes(format), y + done, width - done);
}

template <auto kChroma>
void chroma_by(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* u,
               std::uint8_t* v, int pairs) {
    const int done = kChroma(format, upper, lower, u, v, pairs);
    const int bytes = 2 * done * pixel_bytes(format);
    if (done < pairs) chroma_plain(format, upper + bytes, lower + bytes, u + done, v + done, pairs - done);
}

template <auto kHalve>
void halve_by(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* pixels,
              int width) {
    const int done = kHalve(format, upper, lower, pixels, width);
    const int bytes = 2 * done * pixel_bytes(format);
    if (done < width) halve_plain(format, upper + bytes, lower + bytes, pixels + 4 * done, width - done);
}

constexpr Rows kAvx2{luma_by<avx2::luma>, chroma_by<avx2::chroma>, halve_by<avx2::halve>};
constexpr Rows kAvx512{luma_by<avx512::luma>, chroma_by<avx512::chroma>, halve_by<avx512::halve>};

bool has_avx512() {
    return __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
           __builtin_cpu_supports("avx512vbmi") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
}
#endif

}  // namespace

std::vector<const Rows*> runnable_rows() {
    std::vector<const Rows*> all{&kPlain};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") != 0) all.push_back(&kAvx2);
    if (has_avx512()) all.push_back(&kAvx512);
#endif
    return all;
}

const Rows& rows() {
    static const Rows& fastest = *runnable_rows().back();
    return fastest;
}

}  // namespace ringcast::runtime::bt709
