// SPDX-License-Identifier: Apache-2.0
#include "runtime/bt709_rows.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>
#include <vector>

namespace ringcast::runtime::bt709 {
namespace {

constexpr std::array<PixelFormat, 4> kFormats{PixelFormat::rgb24, PixelFormat::bgr24, PixelFormat::rgba,
                                              PixelFormat::bgra};
using Bytes = std::vector<std::uint8_t>;

Bytes random_bytes(int count) {
    static std::minstd_rand random(7);
    Bytes bytes(static_cast<std::size_t>(count));
    for (std::uint8_t& byte : bytes)
        byte = static_cast<std::uint8_t>(random() >> 8);
    return bytes;
}

int farthest(const Bytes& a, const Bytes& b, std::size_t step = 1, std::size_t used = 1) {
    int most = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (i % step < used) most = std::max(most, std::abs(a[i] - b[i]));
    return most;
}

TEST(Bt709Rows, the_fast_code_gives_what_the_plain_code_gives_at_every_width) {
    for (const PixelFormat format : kFormats)
        for (int pairs = 1; pairs < 70; ++pairs) {
            // Exactly as many bytes as the pixels have: AddressSanitizer sees a read past the end.
            const int width = 2 * pairs;
            const Bytes upper = random_bytes(width * pixel_bytes(format));
            const Bytes lower = random_bytes(width * pixel_bytes(format));
            const auto size = static_cast<std::size_t>(width);
            std::array<Bytes, 2> y{Bytes(size), Bytes(size)};
            std::array<Bytes, 2> u{Bytes(size / 2), Bytes(size / 2)};
            std::array<Bytes, 2> v = u;
            std::array<Bytes, 2> halves{Bytes(size * 2), Bytes(size * 2)};
            for (std::size_t i = 0; i < 2; ++i) {
                const Rows& rows_of = i == 0 ? rows() : plain_rows();
                rows_of.luma(format, upper.data(), y[i].data(), width);
                rows_of.chroma(format, upper.data(), lower.data(), u[i].data(), v[i].data(), pairs);
                rows_of.halve(format, upper.data(), lower.data(), halves[i].data(), pairs);
            }
            EXPECT_EQ(y[0], y[1]) << name_of(format) << " " << width;
            EXPECT_LE(farthest(u[0], u[1]), 1) << name_of(format) << " " << width;
            EXPECT_LE(farthest(v[0], v[1]), 1) << name_of(format) << " " << width;
            EXPECT_LE(farthest(halves[0], halves[1], 4, 3), 1) << name_of(format) << " " << width;
        }
}

TEST(Bt709Rows, grey_has_no_colour_and_keeps_its_level_when_halved) {
    for (const Rows* each : {&rows(), &plain_rows()})
        for (int level = 0; level < 256; ++level) {
            const Bytes grey(64 * 3, static_cast<std::uint8_t>(level));
            Bytes u(32);
            Bytes v(32);
            Bytes halves(32 * 4);
            each->chroma(PixelFormat::bgr24, grey.data(), grey.data(), u.data(), v.data(), 32);
            EXPECT_EQ(u, Bytes(32, 128));
            EXPECT_EQ(v, Bytes(32, 128));
            each->halve(PixelFormat::bgr24, grey.data(), grey.data(), halves.data(), 32);
            EXPECT_EQ(halves[4], level);
        }
}

TEST(Bt709Rows, halving_makes_a_picture_neither_brighter_nor_darker) {
    const int width = 4096;
    const Bytes upper = random_bytes(2 * width * 4);
    const Bytes lower = random_bytes(2 * width * 4);
    Bytes halves(static_cast<std::size_t>(width) * 4);
    rows().halve(PixelFormat::bgra, upper.data(), lower.data(), halves.data(), width);
    double before = 0;
    double after = 0;
    for (std::size_t i = 0; i < upper.size(); ++i)
        if (i % 4 == 1) before += (upper[i] + lower[i]) / 2.0 / (2.0 * width);
    for (std::size_t i = 0; i < halves.size(); ++i)
        if (i % 4 == 1) after += halves[i] / static_cast<double>(width);
    EXPECT_NEAR(before, after, 0.1);
}

}  // namespace
}  // namespace ringcast::runtime::bt709
