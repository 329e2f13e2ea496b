// SPDX-License-Identifier: Apache-2.0
// What the timeline does with what is missing, doubled, early or late inside a session.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>

#include "timeline_rig.hpp"

namespace ringcast::runtime::test {
namespace {

/// Input pts in tenths of a tick of the 25 fps output; what is shown.
struct Cadence {
    const char* name;
    std::vector<int> tenths;
    const char* pictures;
    std::uint64_t dropped;
};
std::ostream& operator<<(std::ostream& out, const Cadence& one) {
    return out << one.name;
}

class TimelineCadence : public ::testing::TestWithParam<Cadence> {};

TEST_P(TimelineCadence, shows_each_picture_at_its_nearest_tick) {
    Rig rig;
    rig.timeline.start_at(0);
    for (const int tenth : GetParam().tenths)
        rig.video(tenth * 4 * kMs);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), GetParam().pictures);
    EXPECT_EQ(rig.timeline.counters().dropped_frames, GetParam().dropped);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TimelineCadence,
    ::testing::Values(Cadence{"same_rate", {0, 10, 20, 30}, "1 2 3 4", 0},
                      Cadence{"jitter_within_a_tick", {0, 12, 18, 33, 40}, "1 2 3 4 5", 0},
                      Cadence{"half_rate_repeats", {0, 20, 40}, "1 1r 2 2r 3", 0},
                      Cadence{"double_rate_drops_the_frames_between", {0, 5, 10, 15, 20, 25}, "1 3 5", 3},
                      Cadence{"equal_pts", {0, 10, 10, 10, 20}, "1 2 5", 2},
                      Cadence{"slightly_backward_is_a_doubled_tick", {0, 10, 20, 15, 30}, "1 2 3 5", 1},
                      Cadence{"between_two_ticks_does_not_flip", {5, 15, 25, 35, 45}, "1 2 3 4 5", 0},
                      Cadence{"between_two_ticks_with_jitter", {5, 16, 24, 36, 44, 55}, "1 2 3 4 5 6", 0},
                      Cadence{"hole_of_two_ticks", {0, 10, 40, 50}, "1 2 2r*2 3 4", 0},
                      Cadence{"three_of_five", {0, 17, 33, 50, 67, 83, 100}, "1 1r 2 3 3r 4 4r 5 6 6r 7", 0}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(Timeline, slightly_slow_source_repeats_once_per_slipped_tick) {
    // 24.9 in, 25 out: one tick in 250 is missing; the hysteresis must not make more of it.
    Rig rig;
    rig.fps = {249, 10};
    rig.frames(0, 249 * 4 + 1);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 1001);
    EXPECT_EQ(rig.timeline.counters().repeated_frames, 4U);
    EXPECT_EQ(rig.timeline.counters().dropped_frames, 0U);
}

TEST(Timeline, no_picture_of_a_slow_source_is_more_than_six_tenths_of_a_tick_off) {
    Rig rig;
    rig.fps = {249, 10};
    rig.frames(0, 1000);
    std::int64_t worst = 0;  // in 1/249 ticks
    for (std::int64_t i = 0; i < 1000; ++i) {
        const std::int64_t off = rig.output.tick_of(static_cast<std::uint64_t>(i) + 1) * 249 - i * 250;
        worst = std::max(worst, std::abs(off));
    }
    EXPECT_LE(worst, 149);
    EXPECT_GT(worst, 125) << "it keeps its side beyond the half tick";
}

TEST(Timeline, slightly_fast_source_drops_once_per_doubled_tick) {
    Rig rig;
    rig.fps = {251, 10};
    rig.frames(0, 251 * 4 + 1);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 1001);
    EXPECT_EQ(rig.timeline.counters().dropped_frames, 4U);
    EXPECT_EQ(rig.timeline.counters().repeated_frames, 0U);
}

TEST(Timeline, discontinuity_takes_the_nearest_tick_again) {
    Rig rig;
    rig.timeline.start_at(0);
    rig.video(22 * kMs);  // nearest: tick 1
    rig.video(58 * kMs);  // in step with the one before: tick 2, though 1 is nearer
    VideoRecord jump;
    jump.id = ++rig.video_id;
    jump.pts_ns = 139 * kMs;  // 3.475: nearest 3; in step it would be 4
    jump.session = rig.session;
    jump.discontinuity = true;
    rig.timeline.on_video(jump);
    rig.drain();
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1r 1 2 3");
}

TEST(Timeline, fills_a_gap_of_both_tracks_exactly) {
    Rig rig;
    rig.both(0, 200);
    rig.both(1'000 * kMs, 200);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 2 3 4 5 5r*20 6 7 8 9 10");
    EXPECT_EQ(rig.output.sounds(), "[48000] c9600 s38400 c9600");
    EXPECT_EQ(rig.timeline.counters().repeated_frames, 20U);
    EXPECT_EQ(rig.timeline.counters().silence_samples, 38400U);
}

TEST(Timeline, fills_an_hour_without_keeping_an_hour) {
    Rig rig;
    rig.both(0, 200);
    rig.both(3'599 * kSecond, 200);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 3'599 * 25 + 5);
    EXPECT_EQ(rig.output.end().samples, (3'599 * 25 + 5) * 1920);
}

TEST(Timeline, counts_lost_audio_records_by_their_index) {
    Rig rig;
    rig.rate = 44100;
    rig.frames(0, 25);
    rig.blocks(0, 10);
    rig.sample_index += 882 * 3;  // three records overrun
    rig.blocks(260 * kMs, 10);
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), "[44100] c8820 s2646 c8820 s23814");
}

TEST(Timeline, holds_the_last_frame_for_lost_video_records) {
    Rig rig;
    rig.frames(0, 5);
    rig.frames(320 * kMs, 5);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 2 3 4 5 5r*3 6 7 8 9 10");
}

TEST(Timeline, counts_samples_on_through_jitter_of_explicit_pts) {
    Rig rig;
    rig.explicit_pts = true;
    for (int i = 0; i < 50; ++i)
        rig.audio(i * 20 * kMs + (i % 3 - 1) * 9 * kMs / 2, 960);
    rig.frames(0, 25);
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), "[48000] c48000");
}

TEST(Timeline, follows_explicit_pts_that_drift_past_the_jitter_limit) {
    Rig rig;
    rig.explicit_pts = true;
    rig.frames(0, 25);
    // Blocks of 20 ms every 20.5 ms: behind by more than 10 ms at block 21.
    for (int i = 0; i < 30; ++i)
        rig.audio(i * 20'500'000LL, 960);
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), "[48000] c20160 s504 c8640 s18696");
}

TEST(Timeline, trims_an_overlap_to_the_sample) {
    Rig rig;
    rig.explicit_pts = true;
    rig.frames(0, 5);
    rig.audio(0, 4800);
    rig.audio(60 * kMs, 4800);  // its first 40 ms are there already
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), "[48000] c7680 s1920");
    EXPECT_EQ(rig.timeline.counters().trimmed_samples, 1920U);
}

TEST(Timeline, starts_a_segment_when_the_input_format_changes) {
    Rig rig;
    rig.frames(0, 10);
    rig.blocks(0, 5);
    rig.rate = 16000;
    ++rig.format_id;
    rig.blocks(100 * kMs, 5);
    ++rig.format_id;  // mono to stereo, say
    rig.blocks(200 * kMs, 10);
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), "[48000] c4800 [16000] c1600 [16000] c3200");
    EXPECT_EQ(rig.output.end().samples, 19200);
}

TEST(Timeline, survives_records_that_make_no_sense) {
    Rig rig;
    rig.both(0, 200);
    EXPECT_FALSE(rig.audio(200 * kMs, 0));
    rig.rate = 0;
    EXPECT_FALSE(rig.audio(200 * kMs, 960));
    rig.rate = 48000;
    rig.video(INT64_MAX);
    rig.video(INT64_MIN);
    rig.audio(INT64_MIN, 960);
    rig.audio(INT64_MAX, 960);
    rig.now_ns = INT64_MAX;
    rig.audio(0, 960);
    rig.video(0);
    rig.finish();
    EXPECT_LE(rig.output.ticks(), 50);
}

}  // namespace
}  // namespace ringcast::runtime::test
