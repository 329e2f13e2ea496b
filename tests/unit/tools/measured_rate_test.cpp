// SPDX-License-Identifier: Apache-2.0
#include "measured_rate.hpp"

#include <gtest/gtest.h>

namespace ringcast::tools {
namespace {

constexpr std::int64_t kBeatNs = 40'000'000;

TEST(NewestRate, counts_frames_over_their_capture_times) {
    std::vector<Beat> beats;
    for (std::uint64_t i = 0; i < 10; ++i)
        beats.push_back({i, static_cast<std::int64_t>(i) * kBeatNs, 1});
    EXPECT_DOUBLE_EQ(newest_rate(beats).value(), 25.0);
}

TEST(NewestRate, leaves_out_what_is_older_than_a_second) {
    // A burst of 1000 long ago says nothing about the pace now.
    std::vector<Beat> beats{{0, 0, 1}, {1000, 1, 1}};
    for (std::uint64_t i = 0; i < 5; ++i) {
        beats.push_back({1001 + i, 10'000'000'000 + static_cast<std::int64_t>(i) * 100'000'000, 1});
    }
    EXPECT_DOUBLE_EQ(newest_rate(beats).value(), 10.0);
}

TEST(NewestRate, does_not_mix_sessions) {
    EXPECT_EQ(newest_rate({{500, 0, 1}, {0, kBeatNs, 2}}), std::nullopt);
}

TEST(NewestRate, is_unknown_with_one_record_or_none) {
    EXPECT_EQ(newest_rate({}), std::nullopt);
    EXPECT_EQ(newest_rate({{3, 5, 1}}), std::nullopt);
}

TEST(NewestRate, is_unknown_when_counts_or_times_stand_still) {
    EXPECT_EQ(newest_rate({{0, 7, 1}, {1, 7, 1}}), std::nullopt);
    EXPECT_EQ(newest_rate({{4, 7, 1}, {4, 9, 1}}), std::nullopt);
    EXPECT_EQ(newest_rate({{0, INT64_MIN, 1}, {1, INT64_MAX, 1}}), std::nullopt);
}

}  // namespace
}  // namespace ringcast::tools
