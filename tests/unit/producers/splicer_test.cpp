// SPDX-License-Identifier: Apache-2.0
#include "splicer.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "coded_track.hpp"
#include "tick_unwrapper.hpp"

namespace ringcast::ingest {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kFrame = 40 * kMs;
constexpr std::int64_t kBlock = 20 * kMs;

/// A source whose packets come as they are written down, on a clock of the test's.
struct Rig {
    Splicer splicer;
    Splicer::Clock::time_point now{};
    std::vector<Sample> out;

    void put(Track track, std::int64_t time_ns, bool key, std::shared_ptr<const TrackFormat> format = {}) {
        Sample sample;
        sample.track = track;
        sample.dts_ns = sample.pts_ns = time_ns;
        sample.duration_ns = track == Track::video ? kFrame : kBlock;
        sample.key = key;
        sample.format = std::move(format);
        splicer.put(std::move(sample), now);
        drain();
    }
    void video(std::int64_t time_ns, bool key = false) { put(Track::video, time_ns, key); }
    void audio(std::int64_t time_ns) { put(Track::audio, time_ns, true); }
    void drain() {
        while (auto sample = splicer.take(now))
            out.push_back(std::move(*sample));
    }
    /// `count` frames with their sound, a keyframe first, in the order of a muxer.
    void play(std::int64_t from_ns, int count) {
        for (int i = 0; i < count; ++i) {
            video(from_ns + i * kFrame, i == 0);
            audio(from_ns + i * kFrame);
            audio(from_ns + i * kFrame + kBlock);
            now += milliseconds(40);
        }
    }
    [[nodiscard]] std::vector<std::int64_t> times(Track track) const {
        std::vector<std::int64_t> times;
        for (const Sample& each : out)
            if (each.track == track) times.push_back(each.pts_ns);
        return times;
    }
};

TEST(TickUnwrapper, counts_on_where_33_and_32_bits_go_around_however_often) {
    for (const int bits : {32, 33}) {
        TickUnwrapper ticks(bits);
        const std::int64_t period = std::int64_t{1} << bits;
        const std::int64_t step = period / 7;
        for (std::int64_t time = 5; time < 4 * period; time += step)
            EXPECT_EQ(ticks.unwrap(time % period), time) << bits;
    }
}

TEST(TickUnwrapper, finds_a_pts_behind_the_wrap_near_a_dts_before_it) {
    const TickUnwrapper ticks(33);
    const std::int64_t period = std::int64_t{1} << 33;
    EXPECT_EQ(ticks.near(100, period - 50), period + 100);
    EXPECT_EQ(ticks.near(period - 50, period + 100), period - 50);
    EXPECT_EQ(ticks.near(7, 3), 7);
}

TEST(TickUnwrapper, leaves_times_alone_that_never_go_around) {
    TickUnwrapper ticks(64);
    EXPECT_EQ(ticks.unwrap(INT64_C(1) << 40), INT64_C(1) << 40);
    EXPECT_EQ(ticks.unwrap(3), 3);
}

TEST(Splicer, keeps_the_times_of_the_first_life_to_the_nanosecond) {
    Rig rig;
    rig.splicer.begin_connection();
    rig.play(95'443'717'111'111, 50);
    ASSERT_EQ(rig.times(Track::video).size(), 50U);
    EXPECT_EQ(rig.times(Track::video).front(), 95'443'717'111'111);
    EXPECT_EQ(rig.times(Track::audio).back(), 95'443'717'111'111 + 49 * kFrame + kBlock);
    EXPECT_EQ(rig.splicer.rebases(), 0U);
    EXPECT_EQ(rig.splicer.left_out(), 0U);
}

TEST(Splicer, joins_another_connection_to_the_end_with_both_tracks_shifted_alike) {
    Rig rig;
    rig.splicer.begin_connection();
    rig.play(0, 25);
    rig.splicer.begin_connection();
    rig.now += milliseconds(5000);
    // The sound of this source stands 7 ms behind its picture.
    for (int i = 0; i < 25; ++i) {
        rig.video(1'400 * kMs + i * kFrame, i == 0);
        rig.audio(1'407 * kMs + i * kFrame);
    }
    const auto video = rig.times(Track::video);
    const auto audio = rig.times(Track::audio);
    ASSERT_EQ(video.size(), 50U);
    EXPECT_EQ(video[25], 1000 * kMs) << "where the first life ended";
    EXPECT_EQ(audio[50], 1007 * kMs);
    EXPECT_EQ(rig.splicer.rebases(), 1U);
}

TEST(Splicer, takes_a_jump_back_within_a_connection_for_a_new_life_even_if_the_tracks_jump_one_after_the_other) {
    Rig rig;
    rig.splicer.begin_connection();
    rig.play(60'000 * kMs, 25);
    rig.video(0, true);
    rig.audio(61'000 * kMs);  // of the old life, still under way
    rig.audio(61'020 * kMs);
    for (int i = 1; i < 25; ++i) {
        rig.audio((i - 1) * kFrame);
        rig.audio((i - 1) * kFrame + kBlock);
        rig.video(i * kFrame);
    }
    const auto video = rig.times(Track::video);
    const auto audio = rig.times(Track::audio);
    ASSERT_EQ(video.size(), 50U);
    EXPECT_EQ(audio[51], 61'020 * kMs) << "the rest of the old life keeps its place";
    EXPECT_EQ(video[25], 61'040 * kMs);
    EXPECT_EQ(audio[52], 61'040 * kMs) << "in step";
    EXPECT_EQ(rig.splicer.rebases(), 1U);
}

TEST(Splicer, keeps_a_jump_forward_of_up_to_an_hour_and_joins_a_longer_one) {
    Rig rig;
    rig.splicer.begin_connection();
    rig.play(0, 25);
    rig.play(11'000 * kMs, 25);
    EXPECT_EQ(rig.times(Track::video)[25], 11'000 * kMs);
    EXPECT_EQ(rig.splicer.rebases(), 0U);
    rig.play(2LL * 3600 * 1000 * kMs, 25);
    EXPECT_EQ(rig.times(Track::video)[50], 12'000 * kMs);
    EXPECT_EQ(rig.times(Track::audio)[100], 12'000 * kMs);
    EXPECT_EQ(rig.splicer.rebases(), 1U);
}

TEST(Splicer, begins_at_a_keyframe_and_with_the_sound_from_there_on) {
    Rig rig;
    rig.splicer.begin_connection();
    rig.audio(0);
    rig.video(0);
    rig.video(kFrame);
    rig.audio(kFrame);
    rig.video(2 * kFrame, true);
    rig.audio(2 * kFrame);
    rig.video(3 * kFrame);
    EXPECT_EQ(rig.times(Track::video), (std::vector<std::int64_t>{2 * kFrame, 3 * kFrame}));
    EXPECT_EQ(rig.times(Track::audio), (std::vector<std::int64_t>{2 * kFrame}));
    EXPECT_EQ(rig.splicer.left_out(), 4U);
}

TEST(Splicer, waits_half_a_second_for_sound_and_loses_no_picture_by_it) {
    Rig rig;
    rig.splicer.begin_connection();
    for (int i = 0; i < 20; ++i) {
        rig.video(i * kFrame, i == 0);
        if (i == 12) {
            EXPECT_TRUE(rig.out.empty()) << "480 ms";
        }
        rig.now += milliseconds(40);
    }
    EXPECT_EQ(rig.times(Track::video).size(), 20U);
}

TEST(Splicer, sound_alone_begins_after_a_second_unless_a_picture_is_announced) {
    for (const bool is_announced : {false, true}) {
        Rig rig;
        rig.splicer.begin_connection();
        if (is_announced) rig.splicer.announce(Track::video);
        for (int i = 0; i < 100; ++i) {
            rig.audio(i * kBlock);
            rig.now += milliseconds(20);
        }
        EXPECT_EQ(rig.out.size(), is_announced ? 0U : 100U);
    }
}

TEST(Splicer, sound_goes_ahead_when_an_announced_picture_has_no_keyframe_for_long_and_the_picture_joins_at_one) {
    Rig rig;
    rig.splicer.announce(Track::video);
    for (int i = 0; i < 700; ++i, rig.now += milliseconds(20)) {
        rig.audio(i * kBlock);
        rig.video(i * kBlock);
        EXPECT_EQ(rig.splicer.lacks_keyframe(rig.now), i >= 250) << i;
    }
    EXPECT_TRUE(rig.out.empty()) << "14 s are less than some encoders take from keyframe to keyframe";
    for (int i = 700; i < 800; ++i, rig.now += milliseconds(20))
        rig.audio(i * kBlock);
    ASSERT_GT(rig.out.size(), 100U);
    EXPECT_FALSE(rig.splicer.lacks_keyframe(rig.now));
    rig.out.clear();
    rig.video(800 * kBlock);
    EXPECT_TRUE(rig.out.empty()) << "no decoder begins there";
    rig.video(802 * kBlock, true);
    rig.video(804 * kBlock);
    EXPECT_EQ(rig.out.size(), 2U);
}

TEST(Splicer, holds_no_more_than_so_much_sound_whose_times_stand_still) {
    Rig rig;
    rig.splicer.announce(Track::video);
    for (int i = 0; i < 5000; ++i)
        rig.audio(i);
    EXPECT_GE(rig.splicer.left_out(), 4000U - 1);
}

TEST(BusFps, is_one_that_a_bus_carries) {
    const auto is = [](AVRational rate, Rational wanted) {
        const Rational fps = bus_fps(rate);
        EXPECT_EQ(fps.num, wanted.num) << rate.num << "/" << rate.den;
        EXPECT_EQ(fps.den, wanted.den) << rate.num << "/" << rate.den;
    };
    is({25, 1}, {25, 1});
    is({60000, 1001}, {60000, 1001});
    is({50'000'000, 2'000'000}, {25, 1});
    is({1'000'000'000, 40'000'000}, {25, 1});
    is({0, 1}, {0, 1});
    is({-25, 1}, {0, 1});
    is({25, 0}, {0, 1});
    is({1001, 1}, {0, 1});
    is({90000, 1}, {0, 1});
    is({1, 2'000'000'000}, {0, 1});
    // As H.264 with a clock of nanoseconds says 29.97 fps.
    const Rational fine = bus_fps({1'000'000'000, 33'366'667});
    EXPECT_LE(fine.num, 1'000'000U);
    EXPECT_LE(fine.den, 1'000'000U);
    EXPECT_NEAR(static_cast<double>(fine.num) / fine.den, 29.97, 0.001);
}

TEST(Splicer, hands_on_a_description_whose_packet_had_no_place_and_both_at_the_first_packet) {
    Rig rig;
    rig.splicer.begin_connection();
    const auto sound = std::make_shared<const TrackFormat>();
    const auto picture = std::make_shared<const TrackFormat>();
    rig.put(Track::audio, 0, true, sound);
    rig.put(Track::video, kFrame, true, picture);
    rig.audio(kFrame);
    ASSERT_EQ(rig.out.size(), 2U);
    EXPECT_EQ(rig.out[0].format, picture);
    EXPECT_EQ(rig.out[0].others, sound);
    EXPECT_EQ(rig.out[1].format, sound);
}

TEST(Splicer, lets_no_time_of_a_track_stand_still_or_go_back) {
    Rig rig;
    rig.splicer.begin_connection();
    rig.play(0, 3);
    rig.video(2 * kFrame);      // rounded to the same millisecond
    rig.video(2 * kFrame - 1);  // jitter
    rig.video(3 * kFrame);
    EXPECT_EQ(rig.times(Track::video), (std::vector<std::int64_t>{0, kFrame, 2 * kFrame, 2 * kFrame + 1, 3 * kFrame}));
    EXPECT_EQ(rig.splicer.left_out(), 1U);
}

}  // namespace
}  // namespace ringcast::ingest
