// SPDX-License-Identifier: Apache-2.0
#include "runtime/option_values.hpp"

#include <gtest/gtest.h>

#include <array>

namespace ringcast::runtime {
namespace {

using std::chrono::nanoseconds;

TEST(OptionValues, durations_need_their_unit) {
    EXPECT_EQ(parse_duration("2s"), nanoseconds(2'000'000'000));
    EXPECT_EQ(parse_duration("200ms"), nanoseconds(200'000'000));
    EXPECT_EQ(parse_duration("1.5s"), nanoseconds(1'500'000'000));
    EXPECT_EQ(parse_duration("2min"), nanoseconds(120'000'000'000));
    EXPECT_EQ(parse_duration("0s"), nanoseconds(0));
    for (const char* wrong : {"2", "", "s", "2 s", "-2s", "2sec", "1e3s", "nans", "1.s", ".5s", "1.2.3s", "2S"})
        EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

TEST(OptionValues, bitrates_need_their_unit) {
    EXPECT_EQ(parse_bitrate("3000k"), 3'000'000U);
    EXPECT_EQ(parse_bitrate("6M"), 6'000'000U);
    EXPECT_EQ(parse_bitrate("2.5M"), 2'500'000U);
    EXPECT_EQ(parse_bitrate("64kbps"), 64'000U);
    EXPECT_EQ(parse_bitrate("800000bps"), 800'000U);
    for (const char* wrong : {"3000", "6m", "6MB", "k", "-1k", "99999999G"})
        EXPECT_FALSE(parse_bitrate(wrong)) << wrong;
}

TEST(OptionValues, a_span_is_time_or_frames) {
    EXPECT_EQ(parse_media_span("2s")->in_frames({25, 1}), 50U);
    EXPECT_EQ(parse_media_span("2s")->in_frames({30000, 1001}), 60U);
    EXPECT_EQ(parse_media_span("8frames")->in_frames({25, 1}), 8U);
    EXPECT_EQ(parse_media_span("1frame")->in_frames({25, 1}), 1U);
    EXPECT_EQ(parse_media_span("1ms")->in_frames({25, 1}), 1U) << "never less than one";
    EXPECT_EQ(parse_media_span("0frames")->in_frames({25, 1}), 0U);
    EXPECT_EQ(parse_media_span("0s")->in_frames({25, 1}), 0U);
    for (const char* wrong : {"2", "-1frames", "1.5frames", "frames"})
        EXPECT_FALSE(parse_media_span(wrong)) << wrong;
}

TEST(OptionValues, sizes_rates_and_words) {
    EXPECT_EQ(parse_size("1280x720"), (Size{1280, 720}));
    for (const char* wrong : {"1280", "1280x", "x720", "0x720", "1280x720x3", "1280*720", "-1x2"})
        EXPECT_FALSE(parse_size(wrong)) << wrong;
    EXPECT_EQ(parse_sample_rate("44.1kHz"), 44100U);
    EXPECT_EQ(parse_sample_rate("48000"), 48000U);
    EXPECT_FALSE(parse_sample_rate("44100.5"));
    EXPECT_EQ(parse_bool("yes"), true);
    EXPECT_EQ(parse_bool("off"), false);
    EXPECT_FALSE(parse_bool("Yes please"));
    EXPECT_EQ(parse_integer("-3"), -3);
    EXPECT_FALSE(parse_integer("3.0"));
    EXPECT_EQ(parse_number("20.5"), 20.5);
    EXPECT_EQ(parse_number("51"), 51.0);
    for (const char* wrong : {"", "20,5", "20k", "-1", "1e3", ".5", "5.", "1.2.3", "nan", "inf"})
        EXPECT_FALSE(parse_number(wrong)) << wrong;
}

TEST(OptionValues, pairs_keep_escaped_colons) {
    EXPECT_EQ(parse_pairs("bf=2:refs=3"), (Pairs{{"bf", "2"}, {"refs", "3"}}));
    EXPECT_EQ(parse_pairs("x264-params=a=1\\:b=2"), (Pairs{{"x264-params", "a=1:b=2"}}));
    for (const char* wrong : {"", "bf", "bf=2:", ":bf=2", "=2", "bf=2::refs=3"})
        EXPECT_FALSE(parse_pairs(wrong)) << wrong;
}

TEST(OptionValues, edit_distance_counts_a_swap_of_neighbours_as_one_slip) {
    EXPECT_EQ(edit_distance("info", "info"), 0U);
    EXPECT_EQ(edit_distance("ifno", "info"), 1U);
    EXPECT_EQ(edit_distance("tail", "tai"), 1U);
    EXPECT_EQ(edit_distance("", "ls"), 2U);
    EXPECT_EQ(edit_distance("abcd", "wxyz"), 4U);
}

TEST(OptionValues, nearest_name_is_found_when_it_is_near) {
    constexpr std::array<std::string_view, 3> kNames{"video.bitrate", "video.bufsize", "audio.bitrate"};
    EXPECT_EQ(nearest_name("video.bitrat", kNames), "video.bitrate");
    EXPECT_EQ(nearest_name("vidoe.bitrate", kNames), "video.bitrate");
    EXPECT_EQ(nearest_name("colour", kNames), "");
}

}  // namespace
}  // namespace ringcast::runtime
