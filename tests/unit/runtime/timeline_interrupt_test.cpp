// SPDX-License-Identifier: Apache-2.0
// Restarts, interruptions, jumps of pts and separate writers, with and without the presentation clock.
#include <gtest/gtest.h>

#include "timeline_live_rig.hpp"

namespace ringcast::runtime::test {
namespace {

TEST(TimelineRestart, is_joined_after_hold_and_silence) {
    LiveRig rig;
    rig.schedule_frames(50, on_time_frame);
    rig.schedule_blocks(100, on_time_block);
    rig.schedule(3'500, [&] { rig.new_session(); });
    rig.schedule_frames(25, [](int i) -> std::int64_t { return 3'500 + i * 40; });
    rig.schedule_blocks(50, [](int i) -> std::int64_t { return 3'500 + i * 20; });
    rig.run_to(4'500);
    rig.finish();
    EXPECT_EQ(rig.output.tick_of(51), 88) << "the first whole tick from 3.5 s on";
    EXPECT_EQ(rig.output.sample_of(101), 88 * 1920);
    EXPECT_EQ(rig.timeline.counters().rebases, 1U);
    EXPECT_EQ(rig.output.ticks(), 88 + 25);
}

TEST(TimelineRestart, leaves_out_what_the_dead_producer_gave_ahead_of_time) {
    LiveRig rig;
    rig.schedule(0, [&] {
        for (int i = 0; i < 500; ++i)
            rig.audio(i * LiveRig::kBlock, 960);  // ten seconds of speech at once
    });
    rig.schedule_frames(50, on_time_frame);
    rig.schedule(3'000, [&] { rig.new_session(); });
    rig.schedule_frames(50, [](int i) -> std::int64_t { return 3'000 + i * 40; });
    rig.schedule_blocks(100, [](int i) -> std::int64_t { return 3'000 + i * 20; });
    rig.run_to(5'000);
    EXPECT_EQ(rig.output.sample_of(501), rig.output.tick_of(51) * 1920);
    EXPECT_NEAR(static_cast<double>(rig.output.tick_of(51)), 75, 1);
}

TEST(TimelineRestart, without_sound_goes_on_after_200_ms_and_sound_is_filled_in) {
    LiveRig rig;
    rig.schedule_frames(50, on_time_frame);
    rig.schedule_blocks(100, on_time_block);
    rig.schedule(2'000, [&] { rig.new_session(); });
    rig.schedule_frames(75, [](int i) -> std::int64_t { return 2'000 + i * 40; });
    rig.run_to(5'000);
    EXPECT_GE(rig.audio_ms(), 4'700);
    rig.finish();
    EXPECT_LE(rig.output.tick_of(51), 56);
}

TEST(TimelineStop, leaves_out_sound_that_was_given_ahead) {
    LiveRig rig;
    rig.schedule(0, [&] {
        for (int i = 0; i < 500; ++i)
            rig.audio(i * LiveRig::kBlock, 960);  // ten seconds of speech at once
    });
    rig.schedule_frames(50, on_time_frame);
    rig.run_to(1'960);
    rig.timeline.stop();
    rig.drain();
    EXPECT_TRUE(rig.timeline.ended());
    EXPECT_EQ(rig.output.fresh(), 50);
    EXPECT_EQ(rig.output.ticks(), 50) << "no picture stands still for it";
    EXPECT_EQ(rig.output.end().samples, 50 * 1920);
}

TEST(TimelineStop, says_where_sound_ends_that_has_left_already) {
    TimelineOptions options;
    options.fill = false;
    LiveRig rig(options);
    rig.both(0, 1'000);
    for (int i = 50; i < 500; ++i)
        rig.audio(i * LiveRig::kBlock, 960);
    rig.timeline.stop();
    std::optional<EndOutput> end;
    while (const auto operation = rig.timeline.pop()) {
        if (const auto* last = std::get_if<EndOutput>(&*operation)) end = *last;
    }
    ASSERT_TRUE(end);
    EXPECT_EQ(end->ticks, 25);
    EXPECT_EQ(end->samples, 48'000);
    EXPECT_EQ(rig.timeline.counters().samples, 48'000U);
    EXPECT_EQ(rig.timeline.counters().silence_samples, 0U);
}

class TimelineStopModes : public ::testing::TestWithParam<bool> {};

TEST_P(TimelineStopModes, keeps_all_pictures_and_pads_sound_that_was_behind) {
    TimelineOptions options;
    options.fill = GetParam();
    LiveRig rig(options);
    rig.schedule_frames(50, on_time_frame);
    rig.schedule_blocks(95, on_time_block);
    rig.run_to(1'960);
    rig.timeline.stop();
    rig.drain();
    EXPECT_EQ(rig.output.fresh(), 50);
    EXPECT_EQ(rig.output.ticks(), 50);
    EXPECT_EQ(rig.output.end().samples, 50 * 1920);
}

INSTANTIATE_TEST_SUITE_P(Modes, TimelineStopModes, ::testing::Bool(),
                         [](const auto& mode) { return std::string(mode.param ? "fill" : "wait"); });

/// A sentence pushed far ahead, and an interruption in the middle of it.
class TimelineFlush : public ::testing::TestWithParam<bool> {};

TEST_P(TimelineFlush, voids_what_was_not_sent_and_joins_what_follows_by_one_shift) {
    TimelineOptions options;
    options.fill = GetParam();
    LiveRig rig(options);
    rig.explicit_pts = true;
    rig.schedule_frames(60, [](int i) -> std::int64_t { return i < 50 ? i * 40 : 1'960; });  // ten of them ahead
    rig.schedule_blocks(100, on_time_block);
    rig.schedule(1'990, [&] {
        rig.timeline.flush(rig.video_id + 1, rig.audio_id + 1);
        rig.drain();
    });
    rig.schedule_frames(
        25, [](int i) -> std::int64_t { return 2'000 + i * 40; }, 7'000);
    rig.schedule_blocks(
        50, [](int i) -> std::int64_t { return 2'000 + i * 20; }, 7'030);
    rig.run_to(3'000);
    rig.finish();
    const std::int64_t joint = rig.output.tick_of(61);
    EXPECT_EQ(rig.output.sample_of(101), joint * 1920 + 1440) << "the new sound stands 30 ms after its picture";
    EXPECT_EQ(joint, GetParam() ? 50 : 60) << "right after what was sent";
    EXPECT_EQ(rig.timeline.counters().dropped_frames, GetParam() ? 10U : 0U);
}

INSTANTIATE_TEST_SUITE_P(Modes, TimelineFlush, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "fill" : "wait"; });

TEST(TimelineFlush, refuses_records_from_before_it_that_are_read_later) {
    Rig rig;
    rig.both(0, 200);
    rig.timeline.flush(rig.video_id + 3, rig.audio_id + 2);
    EXPECT_FALSE(rig.video(200 * kMs));
    EXPECT_FALSE(rig.audio(200 * kMs, 960));
    EXPECT_FALSE(rig.video(240 * kMs));
    EXPECT_TRUE(rig.video(280 * kMs));
    EXPECT_TRUE(rig.audio(280 * kMs, 1920));
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 2 3 4 5 8");
    EXPECT_EQ(rig.timeline.counters().dropped_frames, 2U);
    EXPECT_EQ(rig.timeline.counters().trimmed_samples, 960U);
}

TEST(TimelineFlush, a_count_that_ran_far_ahead_is_no_gap) {
    LiveRig rig;
    rig.schedule(0, [&] {
        for (int i = 0; i < 500; ++i)
            rig.audio(i * LiveRig::kBlock, 960);
    });
    rig.schedule_frames(50, on_time_frame);
    rig.schedule(2'000, [&] { rig.timeline.flush(rig.video_id + 1, rig.audio_id + 1); });
    rig.schedule_frames(
        25, [](int i) -> std::int64_t { return 2'000 + i * 40; }, 2'000);
    rig.schedule_blocks(
        50, [](int i) -> std::int64_t { return 2'000 + i * 20; }, 10'000);
    rig.run_to(3'000);
    rig.finish();
    EXPECT_EQ(rig.output.sample_of(501), rig.output.tick_of(51) * 1920);
    EXPECT_EQ(rig.output.ticks(), 75);
}

/// What a model may do to its own pts, on air.
struct Jump {
    const char* name;
    std::int64_t to_ms;    // pts of what follows the first second; it is pushed at once
    std::int64_t hole_ms;  // filled
};
std::ostream& operator<<(std::ostream& out, const Jump& jump) {
    return out << jump.name;
}
class TimelineJump : public ::testing::TestWithParam<Jump> {};

TEST_P(TimelineJump, keeps_forward_gaps_and_joins_what_is_set_back) {
    LiveRig rig;
    rig.explicit_pts = true;
    rig.schedule_frames(25, on_time_frame);
    rig.schedule_blocks(50, on_time_block);
    rig.schedule_frames(
        50, [](int i) -> std::int64_t { return 1'000 + i * 40; }, GetParam().to_ms);
    rig.schedule_blocks(
        100, [](int i) -> std::int64_t { return 1'000 + i * 20; }, GetParam().to_ms);
    rig.run_to(5'000);
    rig.finish();
    EXPECT_NEAR(static_cast<double>(rig.output.tick_of(26) * 40), static_cast<double>(1'000 + GetParam().hole_ms), 200);
    EXPECT_EQ(rig.output.sample_of(51), rig.output.tick_of(26) * 1920) << "both by one shift";
    EXPECT_EQ(rig.output.sample_of(149), rig.output.tick_of(75) * 1920);
}

INSTANTIATE_TEST_SUITE_P(Table, TimelineJump,
                         ::testing::Values(Jump{"forward_320_ms", 1'320, 320}, Jump{"forward_1_s", 2'000, 1'000},
                                           Jump{"back_to_0", 0, 0}, Jump{"back_500_ms", 500, 0},
                                           Jump{"another_clock", 1'700'000'000'000, 0}),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(TimelineWriters, two_separate_writers_stand_where_their_first_records_were_made) {
    LiveRig rig;
    rig.schedule_frames(
        100, [](int i) -> std::int64_t { return i * 40; }, 2'310);
    rig.schedule_blocks(
        150, [](int i) -> std::int64_t { return 730 + i * 20; }, 2'310 + 730);
    rig.run_to(4'000);
    rig.finish();
    EXPECT_EQ(rig.output.sample_of(1), 730 * 48);
    EXPECT_EQ(rig.timeline.counters().stalls, 0U);
    EXPECT_EQ(rig.timeline.counters().repeated_frames, 0U);
}

}  // namespace
}  // namespace ringcast::runtime::test
