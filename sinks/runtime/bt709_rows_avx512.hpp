// SPDX-License-Identifier: Apache-2.0
/// The work on 64 bytes at a time for processors with AVX-512 VBMI and VNNI. Private to bt709_rows.cpp.
#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/bt709_matrix.hpp"
#include "runtime/bt709_rows.hpp"

namespace ringcast::runtime::bt709::avx512 {

#define RINGCAST_AVX512 [[gnu::target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vnni")]]
#define RINGCAST_AVX512_INLINE RINGCAST_AVX512 [[gnu::always_inline]] inline

enum class Order { as_they_stand, even_before_odd };

/// Where the four bytes of each of 16 pixels come from: the colours in the format's order, then green again.
template <int kStep, Order kOrder>
constexpr std::array<std::uint8_t, 64> places() {
    std::array<std::uint8_t, 64> bytes{};
    for (std::size_t i = 0; i < 16; ++i) {
        const std::size_t pixel = kOrder == Order::as_they_stand ? i : i % 8 * 2 + i / 8;
        for (std::size_t c = 0; c < 4; ++c)
            bytes[4 * i + c] = static_cast<std::uint8_t>(kStep * pixel + (c == 3 ? 1 : c));
    }
    return bytes;
}

template <int kStep, Order kOrder>
RINGCAST_AVX512_INLINE __m512i load16(const std::uint8_t* pixels) {
    static constexpr std::array<std::uint8_t, 64> kPlaces = places<kStep, kOrder>();
    constexpr __mmask64 kBytes = ~__mmask64{0} >> (64 - 16 * kStep);  // none beyond the pixels
    return _mm512_permutexvar_epi8(_mm512_loadu_si512(kPlaces.data()), _mm512_maskz_loadu_epi8(kBytes, pixels));
}

/// Weights of signed bytes; the green that stands twice takes what does not fit the first.
RINGCAST_AVX512_INLINE __m512i weights(PixelFormat format, int r, int g, int more_g, int b) {
    const bool red_first = padded(format) == PixelFormat::rgba;
    const auto byte = [](int value) { return static_cast<std::uint32_t>(value) & 0xFFU; };
    return _mm512_set1_epi32(static_cast<int>(byte(red_first ? r : b) | byte(g) << 8U | byte(red_first ? b : r) << 16U |
                                              byte(more_g) << 24U));
}

template <int kStep>
RINGCAST_AVX512 int luma_of(PixelFormat format, const std::uint8_t* pixels, std::uint8_t* y, int width) {
    const __m512i weight = weights(format, kYR, 127, kYG - 127, kYB);
    const __m512i base = _mm512_set1_epi32(kYBase);
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const int done = width / 64 * 64;
    for (int i = 0; i < done; i += 64, pixels += 64 * kStep) {
        __m512i sums[4];
        for (int k = 0; k < 4; ++k) {
            const __m512i sixteen = load16<kStep, Order::as_they_stand>(pixels + 16 * kStep * k);
            sums[k] = _mm512_srli_epi32(_mm512_dpbusd_epi32(base, sixteen, weight), 8);
        }
        const __m512i packed =
            _mm512_packus_epi16(_mm512_packus_epi32(sums[0], sums[1]), _mm512_packus_epi32(sums[2], sums[3]));
        _mm512_storeu_si512(y + i, _mm512_permutexvar_epi32(order, packed));
    }
    return done;
}

template <int kStep>
RINGCAST_AVX512 int chroma_of(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* u,
                              std::uint8_t* v, int pairs) {
    const __m512i of_u = weights(format, -kUR, -kUG, 0, kUB);
    const __m512i of_v = weights(format, kVR, -kVG, 0, -kVB);
    const __m512i base = _mm512_set1_epi32(2 * kChromaBase);  // of two pixels; two columns are added
    const int done = pairs / 8 * 8;
    for (int i = 0; i < done; i += 8, upper += 16 * kStep, lower += 16 * kStep) {
        const __m512i a = load16<kStep, Order::even_before_odd>(upper);
        const __m512i b = load16<kStep, Order::even_before_odd>(lower);
        const __m512i us = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(base, a, of_u), b, of_u);
        const __m512i vs = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(base, a, of_v), b, of_v);
        const __m512i sums = _mm512_add_epi32(_mm512_shuffle_i64x2(us, vs, 0x44), _mm512_shuffle_i64x2(us, vs, 0xEE));
        const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_srli_epi32(sums, 10));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(u + i), bytes);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(v + i), _mm_unpackhi_epi64(bytes, bytes));
    }
    return done;
}

template <int kStep>
RINGCAST_AVX512 int halve_of(const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* pixels, int width) {
    const int done = width / 8 * 8;
    const __m256i one = _mm256_set1_epi8(1);
    for (int i = 0; i < done; i += 8, upper += 16 * kStep, lower += 16 * kStep) {
        const __m512i mean =
            _mm512_avg_epu8(load16<kStep, Order::even_before_odd>(upper), load16<kStep, Order::even_before_odd>(lower));
        const __m256i even = _mm512_castsi512_si256(mean);
        const __m256i odd = _mm512_extracti64x4_epi64(mean, 1);
        // Down this time, because the mean of the lines went up.
        const __m256i down = _mm256_and_si256(_mm256_xor_si256(even, odd), one);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(pixels + 4 * i),
                            _mm256_sub_epi8(_mm256_avg_epu8(even, odd), down));
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

#undef RINGCAST_AVX512
#undef RINGCAST_AVX512_INLINE

}  // namespace ringcast::runtime::bt709::avx512
