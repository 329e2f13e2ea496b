// SPDX-License-Identifier: Apache-2.0
#include "ringcast/caps.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "ringcast/error.hpp"

namespace {
using namespace ringcast;

constexpr Rational kNtsc{30000, 1001};
constexpr std::uint64_t kUnchecked = std::numeric_limits<std::uint64_t>::max();

TEST(FrameRate, is_parsed_from_the_names_people_use) {
    EXPECT_EQ(parse_fps("25"), (Rational{25, 1}));
    EXPECT_EQ(parse_fps("29.97"), kNtsc);
    EXPECT_EQ(parse_fps("23.976"), (Rational{24000, 1001}));
    EXPECT_EQ(parse_fps("59.94"), (Rational{60000, 1001}));
    EXPECT_EQ(parse_fps("30000/1001"), kNtsc);
    EXPECT_EQ(parse_fps("12.5"), (Rational{25, 2}));
    EXPECT_EQ(parse_fps("1/2"), (Rational{1, 2}));
}

TEST(FrameRate, is_refused_when_it_is_not_one) {
    for (const char* text : {"", "0", "-25", "25fps", "fps", "25/0", "0/1", "1001", "25.", ".5", "1e3", "25/", "/25",
                             " 25", "99999999999999999999", "1/2/3", "nan"}) {
        EXPECT_EQ(parse_fps(text), std::nullopt) << "'" << text << "'";
    }
}

TEST(FrameRate, survives_the_way_to_text_and_back) {
    for (const Rational fps : {Rational{25, 1}, kNtsc, Rational{60, 1}, Rational{24000, 1001}}) {
        EXPECT_EQ(parse_fps(format_fps(fps)), fps);
    }
}

TEST(CountToNs, is_exact_to_half_a_nanosecond_for_a_day_at_29_97) {
    constexpr std::uint64_t kDay = 24ULL * 3600 * 30000 / 1001;
    std::int64_t before = -1;
    for (std::uint64_t count = 0; count <= kDay; ++count) {
        const std::int64_t ns = count_to_ns(count, kNtsc);
        // ns·30000 against count·1001·1e9: both exact in 64 bits for a day.
        const auto error =
            static_cast<std::int64_t>(ns * 30000 - static_cast<std::int64_t>(count * 1001 * 1'000'000'000));
        ASSERT_LE(std::abs(error), 15000) << "frame " << count;
        ASSERT_GT(ns, before);
        ASSERT_EQ(ns_to_count(ns, kNtsc), count);
        before = ns;
    }
}

TEST(CountToNs, meets_whole_seconds_exactly) {
    EXPECT_EQ(count_to_ns(30000, kNtsc), 1001LL * 1'000'000'000);
    EXPECT_EQ(count_to_ns(44100ULL * 86400 * 365, {44100, 1}), 86400LL * 365 * 1'000'000'000);
    EXPECT_EQ(count_to_ns(0, kNtsc), 0);
}

TEST(CountToNs, adds_up_to_no_drift_when_audio_is_cut_by_frames) {
    // What int(44100 / 29.97) samples a frame gets wrong by 1.15 s an hour.
    const std::uint64_t frames = 3600ULL * 30000 / 1001;
    const std::uint64_t samples = ns_to_count(count_to_ns(frames, kNtsc), {44100, 1});
    EXPECT_LE(std::abs(count_to_ns(samples, {44100, 1}) - count_to_ns(frames, kNtsc)), 1'000'000'000 / 44100);
}

TEST(Caps, lay_planes_tightly_with_chroma_rounded_up) {
    const auto i420 = make_caps(VideoFormat{PixelFormat::i420, 5, 3, {25, 1}});
    EXPECT_EQ(i420.plane_count, 3U);
    EXPECT_EQ(i420.stride[1], 3U);
    EXPECT_EQ(i420.plane_offset[1], 15U);
    EXPECT_EQ(i420.plane_offset[2], 21U);
    EXPECT_EQ(frame_bytes(i420), 27U);
    EXPECT_EQ(frame_bytes(make_caps(VideoFormat{PixelFormat::nv12, 640, 360, {25, 1}})), 640U * 360 * 3 / 2);
    EXPECT_EQ(frame_bytes(make_caps(VideoFormat{PixelFormat::bgr24, 7, 2, {25, 1}})), 42U);
    EXPECT_EQ(frame_bytes(make_caps(VideoFormat{PixelFormat::rgba, 16384, 16384, {25, 1}})), 1ULL << 30);
    EXPECT_EQ(sample_bytes(make_caps(AudioFormat{SampleFormat::f32, 48000, 2})), 8U);
}

TEST(Caps, refuse_values_outside_the_limits) {
    const auto video = [](std::uint32_t width, std::uint32_t height, Rational fps) {
        return make_caps(VideoFormat{PixelFormat::bgr24, width, height, fps});
    };
    EXPECT_THROW(video(0, 360, {25, 1}), Error);
    EXPECT_THROW(video(640, 16385, {25, 1}), Error);
    EXPECT_THROW(video(640, 360, {0, 1}), Error);
    EXPECT_THROW(video(640, 360, {25, 0}), Error);
    EXPECT_THROW(video(640, 360, {1001, 1}), Error);
    EXPECT_THROW(make_caps(VideoFormat{static_cast<PixelFormat>(9), 640, 360, {25, 1}}), Error);
    EXPECT_THROW(make_caps(AudioFormat{SampleFormat::s16, 7999, 1}), Error);
    EXPECT_THROW(make_caps(AudioFormat{SampleFormat::s16, 48000, 9}), Error);
    EXPECT_THROW(make_caps(AudioFormat{SampleFormat::s16, 48000, 0}), Error);
    EXPECT_THROW(make_caps(AudioFormat{static_cast<SampleFormat>(0), 48000, 1}), Error);
}

TEST(Caps, come_back_as_the_format_they_were_made_from) {
    const VideoFormat video{PixelFormat::i420, 641, 361, kNtsc};
    const auto caps = make_caps(video);
    EXPECT_EQ(video_format_of(caps, frame_bytes(caps)), video);
    const AudioFormat audio{SampleFormat::f32, 44100, 2};
    EXPECT_EQ(audio_format_of(make_caps(audio)), audio);
}

TEST(Caps, from_a_hostile_object_are_refused) {
    const auto good = make_caps(VideoFormat{PixelFormat::i420, 64, 64, {25, 1}});
    const std::uint64_t bytes = frame_bytes(good);
    ASSERT_TRUE(video_format_of(good, bytes));
    EXPECT_FALSE(video_format_of(good, bytes - 1));
    const auto broken = [&](auto change) {
        auto caps = good;
        change(caps);
        return video_format_of(caps, bytes).has_value();
    };
    EXPECT_FALSE(broken([](auto& caps) { caps.stride[0] = 63; }));
    EXPECT_FALSE(broken([](auto& caps) { caps.stride[2] = 0xffffffff; }));
    EXPECT_FALSE(broken([](auto& caps) { caps.plane_offset[1] = ~0ULL; }));
    EXPECT_FALSE(broken([](auto& caps) { caps.plane_offset[2] = ~0ULL - 511; }));
    EXPECT_FALSE(broken([](auto& caps) { caps.plane_count = 1; }));
    EXPECT_FALSE(broken([](auto& caps) { caps.plane_count = 5; }));
    EXPECT_FALSE(broken([](auto& caps) { caps.width = 0xffffffff; }));
    EXPECT_FALSE(broken([](auto& caps) { caps.format = 0; }));
    EXPECT_FALSE(broken([](auto& caps) { caps.fps_den = 0; }));
    EXPECT_FALSE(video_format_of(layout::Caps{}, kUnchecked));
    EXPECT_FALSE(audio_format_of(layout::Caps{}));
}

TEST(FormatNames, lead_back_to_their_format) {
    for (const char* name : {"rgb24", "bgr24", "rgba", "bgra", "i420", "nv12"}) {
        ASSERT_TRUE(pixel_format_from(name)) << name;
        EXPECT_EQ(name_of(*pixel_format_from(name)), name);
    }
    for (const char* name : {"s16", "f32"})
        EXPECT_EQ(name_of(sample_format_from(name).value()), name);
    EXPECT_FALSE(pixel_format_from("yuv420p"));
    EXPECT_FALSE(sample_format_from(""));
}

}  // namespace
