// SPDX-License-Identifier: Apache-2.0
/// The work on 32 bytes at a time for processors with AVX2. Private to bt709_rows.cpp.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "runtime/bt709_matrix.hpp"
#include "runtime/bt709_rows.hpp"

namespace ringcast::runtime::bt709 {

namespace avx2 {

#define RINGCAST_AVX2 [[gnu::target("avx2"), gnu::always_inline]] inline

/// Four bytes for every pixel, in the format's order; the fourth byte of a pixel counts nothing.
RINGCAST_AVX2 __m256i weights(PixelFormat format, int r, int g, int b) {
    const bool red_first = padded(format) == PixelFormat::rgba;
    const auto byte = [](int value) { return static_cast<std::uint32_t>(value) & 0xFFU; };
    return _mm256_set1_epi32(
        static_cast<int>(byte(red_first ? r : b) | byte(g) << 8U | byte(red_first ? b : r) << 16U));
}

/// Eight pixels as 32-bit words. Reads no byte beyond them.
template <int kStep>
RINGCAST_AVX2 __m256i load8(const std::uint8_t* pixels) {
    if constexpr (kStep == 4) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pixels));
    // The second load begins 4 bytes early, so that it ends with the pixels.
    const __m256i spread = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1,  //
                                            4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels + 8));
    return _mm256_shuffle_epi8(_mm256_set_m128i(high, low), spread);
}

/// Eight sums of weight × (pixel − 128), in the order 0 1 2 3 8 9 10 11 | 4 5 6 7 12 13 14 15 with the next eight.
RINGCAST_AVX2 __m256i weighted16(__m256i first, __m256i second, __m256i weight) {
    const __m256i centre = _mm256_set1_epi8(-128);  // unsigned weights want signed pixels: 157 does not fit a sign
    return _mm256_hadd_epi16(_mm256_maddubs_epi16(weight, _mm256_xor_si256(first, centre)),
                             _mm256_maddubs_epi16(weight, _mm256_xor_si256(second, centre)));
}

template <int kStep>
[[gnu::target("avx2")]] int luma_of(PixelFormat format, const std::uint8_t* pixels, std::uint8_t* y, int width) {
    const __m256i weight = weights(format, kYR, kYG, kYB);
    const __m256i base = _mm256_set1_epi16(static_cast<std::int16_t>(kYBase + 128 * (kYR + kYG + kYB)));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const int done = width / 32 * 32;
    for (int i = 0; i < done; i += 32, pixels += 32 * kStep) {
        const __m256i a = weighted16(load8<kStep>(pixels), load8<kStep>(pixels + 8 * kStep), weight);
        const __m256i b = weighted16(load8<kStep>(pixels + 16 * kStep), load8<kStep>(pixels + 24 * kStep), weight);
        const __m256i packed = _mm256_packus_epi16(_mm256_srli_epi16(_mm256_add_epi16(a, base), 8),
                                                   _mm256_srli_epi16(_mm256_add_epi16(b, base), 8));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), _mm256_permutevar8x32_epi32(packed, order));
    }
    return done;
}

/// The mean of the pixels of two lines; rounding up moves all colours alike, so it gives grey no colour.
template <int kStep>
RINGCAST_AVX2 __m256i mean8(const std::uint8_t* upper, const std::uint8_t* lower) {
    return _mm256_avg_epu8(load8<kStep>(upper), load8<kStep>(lower));
}

template <int kStep>
[[gnu::target("avx2")]] int chroma_of(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower,
                                      std::uint8_t* u, std::uint8_t* v, int pairs) {
    const __m256i of_u = weights(format, -kUR, -kUG, kUB);
    const __m256i of_v = weights(format, kVR, -kVG, -kVB);
    const __m256i base = _mm256_set1_epi16(static_cast<std::int16_t>(kChromaBase));
    const int done = pairs / 8 * 8;
    for (int i = 0; i < done; i += 8, upper += 16 * kStep, lower += 16 * kStep) {
        const __m256i a = mean8<kStep>(upper, lower);
        const __m256i b = mean8<kStep>(upper + 8 * kStep, lower + 8 * kStep);
        // Halved before two neighbours are added: the sum of two does not fit 16 bits.
        const __m256i us =
            _mm256_srai_epi16(_mm256_hadd_epi16(_mm256_maddubs_epi16(a, of_u), _mm256_maddubs_epi16(b, of_u)), 1);
        const __m256i vs =
            _mm256_srai_epi16(_mm256_hadd_epi16(_mm256_maddubs_epi16(a, of_v), _mm256_maddubs_epi16(b, of_v)), 1);
        const __m256i sums = _mm256_srli_epi16(_mm256_add_epi16(_mm256_hadd_epi16(us, vs), base), 8);
        const __m256i bytes = _mm256_packus_epi16(sums, sums);
        const __m128i both = _mm_unpacklo_epi16(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(u + i), both);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(v + i), _mm_unpackhi_epi64(both, both));
    }
    return done;
}

template <int kStep>
[[gnu::target("avx2")]] int halve_of(const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* pixels,
                                     int width) {
    const int done = width / 8 * 8;
    const __m256i one = _mm256_set1_epi8(1);
    for (int i = 0; i < done; i += 8, upper += 16 * kStep, lower += 16 * kStep) {
        const __m256 a = _mm256_castsi256_ps(mean8<kStep>(upper, lower));
        const __m256 b = _mm256_castsi256_ps(mean8<kStep>(upper + 8 * kStep, lower + 8 * kStep));
        const __m256i even = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
        const __m256i odd = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xDD));
        // Down this time, because the mean of the lines went up.
        const __m256i mean =
            _mm256_sub_epi8(_mm256_avg_epu8(even, odd), _mm256_and_si256(_mm256_xor_si256(even, odd), one));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(pixels + 4 * i), _mm256_permute4x64_epi64(mean, 0xD8));
    }
    return done;
}

// Each returns how many samples (pairs, pixels) from the left it made.

inline int luma(PixelFormat format, const std::uint8_t* pixels, std::uint8_t* y, int width) {
    return pixel_bytes(format) == 3 ? luma_of<3>(format, pixels, y, width) : luma_of<4>(format, pixels, y, width);
}

inline int chroma(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* u,
                  std::uint8_t* v, int pairs) {
    return pixel_bytes(format) == 3 ? chroma_of<3>(format, upper, lower, u, v, pairs)
                                    : chroma_of<4>(format, upper, lower, u, v, pairs);
}

inline int halve(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* pixels,
                 int width) {
    return pixel_bytes(format) == 3 ? halve_of<3>(upper, lower, pixels, width)
                                    : halve_of<4>(upper, lower, pixels, width);
}

#undef RINGCAST_AVX2

}  // namespace avx2
}  // namespace ringcast::runtime::bt709
