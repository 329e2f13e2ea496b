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

struct Made {
    Bytes y, u, v, halves;
    Made(const Rows& rows, PixelFormat format, const Bytes& upper, const Bytes& lower, int pairs)
        : y(static_cast<std::size_t>(2 * pairs)), u(y.size() / 2), v(u), halves(y.size() * 2) {
        rows.luma(format, upper.data(), y.data(), 2 * pairs);
        rows.chroma(format, upper.data(), lower.data(), u.data(), v.data(), pairs);
        rows.halve(format, upper.data(), lower.data(), halves.data(), pairs);
    }
};

TEST(Bt709Rows, the_fast_code_gives_what_the_plain_code_gives_at_every_width) {
    for (const PixelFormat format : kFormats)
        for (int pairs = 1; pairs < 140; ++pairs) {
            // Exactly as many bytes as the pixels have: AddressSanitizer sees a read past the end.
            const Bytes upper = random_bytes(2 * pairs * pixel_bytes(format));
            const Bytes lower = random_bytes(2 * pairs * pixel_bytes(format));
            const Made plain(*runnable_rows().front(), format, upper, lower, pairs);
            for (const Rows* each : runnable_rows()) {
                const Made fast(*each, format, upper, lower, pairs);
                EXPECT_EQ(fast.y, plain.y) << name_of(format) << " " << pairs;
                EXPECT_LE(farthest(fast.u, plain.u), 1) << name_of(format) << " " << pairs;
                EXPECT_LE(farthest(fast.v, plain.v), 1) << name_of(format) << " " << pairs;
                EXPECT_LE(farthest(fast.halves, plain.halves, 4, 3), 1) << name_of(format) << " " << pairs;
            }
        }
}

TEST(Bt709Rows, grey_has_no_colour_and_keeps_its_level_when_halved) {
    for (const Rows* each : runnable_rows())
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
    double before = 0;
    for (std::size_t i = 0; i < upper.size(); ++i)
        if (i % 4 == 1) before += (upper[i] + lower[i]) / 2.0 / (2.0 * width);
    for (const Rows* each : runnable_rows()) {
        Bytes halves(static_cast<std::size_t>(width) * 4);
        each->halve(PixelFormat::bgra, upper.data(), lower.data(), halves.data(), width);
        double after = 0;
        for (std::size_t i = 0; i < halves.size(); ++i)
            if (i % 4 == 1) after += halves[i] / static_cast<double>(width);
        EXPECT_NEAR(before, after, 0.15);
    }
}

}  // namespace
}  // namespace ringcast::runtime::bt709
