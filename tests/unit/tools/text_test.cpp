// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>

namespace ringcast::tools {
namespace {

TEST(HumanBytes, has_one_decimal_in_binary_units) {
    EXPECT_EQ(human_bytes(0), "0 B");
    EXPECT_EQ(human_bytes(1023), "1023 B");
    EXPECT_EQ(human_bytes(1024), "1.0 KiB");
    EXPECT_EQ(human_bytes(1536), "1.5 KiB");
    EXPECT_EQ(human_bytes(82'944'000), "79.1 MiB");
    EXPECT_EQ(human_bytes(UINT64_MAX), "16.0 EiB");
}

TEST(HumanBytes, never_rounds_up_to_1024_of_a_unit) {
    EXPECT_EQ(human_bytes(1024 * 1024 - 1), "1.0 MiB");
    EXPECT_EQ(human_bytes(1024ULL * 1024 * 1024 - 1), "1.0 GiB");
}

TEST(HumanDuration, picks_the_unit_by_size) {
    EXPECT_EQ(human_duration(0), "0 µs");
    EXPECT_EQ(human_duration(842'900), "842 µs");
    EXPECT_EQ(human_duration(12'340'000), "12.3 ms");
    EXPECT_EQ(human_duration(4'200'000'000), "4.2 s");
    EXPECT_EQ(human_duration(245'000'000'000), "4 min 05 s");
    EXPECT_EQ(human_duration(8'040'000'000'000), "2 h 14 min");
    EXPECT_EQ(human_duration(273'600'000'000'000), "3 d 04 h");
}

TEST(HumanDuration, never_rounds_up_to_the_next_unit) {
    EXPECT_EQ(human_duration(999'999'999), "999.9 ms");
    EXPECT_EQ(human_duration(59'999'999'999), "59.9 s");
}

TEST(HumanDuration, shows_the_sign_and_survives_the_smallest_number) {
    EXPECT_EQ(human_duration(-12'340'000), "-12.3 ms");
    EXPECT_EQ(human_duration(INT64_MIN), "-");
}

TEST(SecondsText, rounds_to_the_nearest_microsecond) {
    EXPECT_EQ(seconds_text(0), "0.000000");
    EXPECT_EQ(seconds_text(33'366'700), "0.033367");
    EXPECT_EQ(seconds_text(12'480'000'000), "12.480000");
    EXPECT_EQ(seconds_text(1'999'999'500), "2.000000");
}

TEST(SecondsText, keeps_the_sign_and_has_no_minus_zero) {
    EXPECT_EQ(seconds_text(-21'333'333), "-0.021333");
    EXPECT_EQ(seconds_text(-1), "0.000000");
    EXPECT_EQ(seconds_text(INT64_MIN), "-9223372036.854776");
}

TEST(CapsText, shows_size_format_and_exact_rate) {
    EXPECT_EQ(caps_text(FlowKind::video, make_caps(VideoFormat{PixelFormat::bgr24, 1280, 720, {25, 1}})),
              "1280x720 bgr24 25");
    EXPECT_EQ(caps_text(FlowKind::video, make_caps(VideoFormat{PixelFormat::i420, 640, 360, {30000, 1001}})),
              "640x360 i420 30000/1001");
    EXPECT_EQ(caps_text(FlowKind::audio, make_caps(AudioFormat{SampleFormat::s16, 44100, 1})), "44100 s16 x1");
}

TEST(CapsText, calls_caps_of_a_damaged_object_invalid) {
    layout::Caps caps{};
    caps.format = 99;
    caps.width = 0xffffffff;
    EXPECT_EQ(caps_text(FlowKind::video, caps), "invalid");
    EXPECT_EQ(caps_text(FlowKind::audio, caps), "invalid");
}

TEST(DisplayWidth, counts_columns_not_bytes) {
    EXPECT_EQ(display_width("abc"), 3U);
    EXPECT_EQ(display_width("µs"), 2U);
    EXPECT_EQ(display_width("主播"), 4U);
    EXPECT_EQ(display_width("\xff\xfe"), 2U);
}

TEST(Fit, cuts_with_an_ellipsis_and_never_splits_a_character) {
    EXPECT_EQ(fit("short", 5), "short");
    EXPECT_EQ(fit("longer", 5), "long…");
    EXPECT_EQ(fit("主播间", 5), "主播…");
    EXPECT_EQ(fit("主播间", 4), "主…");
    EXPECT_EQ(fit("x", 0), "");
}

Table two_columns() {
    Table table({{"NAME", Align::left, true}, {"BYTES", Align::right}});
    table.add({{"talk", Tone::good}, {"7"}});
    table.add({{"a-rather-long-name"}, {"123456"}});
    return table;
}

TEST(Table, aligns_numbers_right_and_text_left) {
    EXPECT_EQ(two_columns().render({}),
              "NAME                 BYTES\n"
              "talk                     7\n"
              "a-rather-long-name  123456\n");
}

TEST(Table, cuts_what_may_shrink_on_a_narrow_screen) {
    EXPECT_EQ(two_columns().render({.colour = false, .width = 18}),
              "NAME         BYTES\n"
              "talk             7\n"
              "a-rather-…  123456\n");
}

TEST(Table, keeps_columns_aligned_with_wide_characters) {
    Table table({{"NAME"}, {"STATE"}});
    table.add({{"主播"}, {"live"}});
    EXPECT_EQ(table.render({}), "NAME  STATE\n主播  live\n");
}

TEST(Table, colours_only_when_the_screen_has_colour) {
    EXPECT_EQ(two_columns().render({}).find('\033'), std::string::npos);
    const std::string coloured = two_columns().render({.colour = true, .width = 0});
    EXPECT_NE(coloured.find("\033[32mtalk"), std::string::npos);
}

TEST(Labels, put_values_in_one_column) {
    Labels labels(2);
    labels.add("lag", "12.3 ms");
    labels.add("A/V skew", "0");
    EXPECT_EQ(labels.render({}), "  lag       12.3 ms\n  A/V skew  0\n");
}

TEST(Screen, has_no_colour_and_no_limit_where_stdout_is_a_file) {
    // CTest reads the output of this test through a pipe.
    const Screen screen = Screen::of_stdout();
    if (screen.width != 0) GTEST_SKIP() << "stdout is a terminal";
    EXPECT_FALSE(screen.colour);
}

}  // namespace
}  // namespace ringcast::tools
