// SPDX-License-Identifier: Apache-2.0
// How an output begins and how it ends.
#include <gtest/gtest.h>

#include <ostream>

#include "timeline_rig.hpp"

namespace ringcast::runtime::test {
namespace {

/// One start and end: both tracks 48 kHz and 25 fps unless said, video first pushed when both have data.
struct Case {
    const char* name;
    std::int64_t video_first_ms;
    int frames;
    std::int64_t audio_first_ms;
    int blocks;  // of 20 ms
    bool shortest;
    const char* pictures;
    const char* sounds;
    std::int64_t ticks;
    std::int64_t samples;
};
std::ostream& operator<<(std::ostream& out, const Case& one) {
    return out << one.name;
}

class TimelineStartEnd : public ::testing::TestWithParam<Case> {};

TEST_P(TimelineStartEnd, gives_both_tracks_one_start_and_one_end) {
    const Case& one = GetParam();
    TimelineOptions options;
    options.shortest = one.shortest;
    Rig rig(options);
    // Lowest pts first, as a sink reads.
    int frame = 0;
    int block = 0;
    while (frame < one.frames || block < one.blocks) {
        const std::int64_t frame_ms = one.video_first_ms + 40 * frame;
        const std::int64_t block_ms = one.audio_first_ms + 20 * block;
        if (frame < one.frames && (block == one.blocks || frame_ms <= block_ms)) {
            rig.frames(frame_ms * kMs, 1);
            ++frame;
        } else {
            rig.blocks(block_ms * kMs, 1);
            ++block;
        }
    }
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), one.pictures);
    EXPECT_EQ(rig.output.sounds(), one.sounds);
    EXPECT_EQ(rig.output.end().ticks, one.ticks);
    EXPECT_EQ(rig.output.end().samples, one.samples);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TimelineStartEnd,
    ::testing::Values(
        Case{"in_step", 0, 3, 0, 6, false, "1 2 3", "[48000] c5760", 3, 5760},
        Case{"first_pts_is_not_zero", 7000, 3, 7000, 6, false, "1 2 3", "[48000] c5760", 3, 5760},
        Case{"negative_pts", -80, 3, -80, 6, false, "1 2 3", "[48000] c5760", 3, 5760},
        Case{"audio_starts_later", 0, 3, 30, 5, false, "1 2 3", "[48000] s1440 c4800", 3, 6240},
        Case{"video_starts_later_its_first_picture_is_shown_early", 80, 2, 0, 8, false, "1r*2 1 2", "[48000] c7680", 4,
             7680},
        Case{"audio_is_shorter_gets_silence", 0, 4, 0, 3, false, "1 2 3 4", "[48000] c2880 s4800", 4, 7680},
        Case{"audio_is_longer_by_two_ticks_repeats_the_last_frame", 0, 2, 0, 8, false, "1 2 2r*2", "[48000] c7680", 4,
             7680},
        Case{"audio_is_longer_by_half_a_tick_rounds_up", 0, 2, 0, 5, false, "1 2 2r", "[48000] c4800 s960", 3, 5760},
        Case{"no_video", 0, 0, 0, 4, false, "_*2", "[48000] c3840", 2, 3840},
        Case{"no_audio", 0, 3, 0, 0, false, "1 2 3", "[48000] s5760", 3, 5760},
        Case{"nothing", 0, 0, 0, 0, false, "", "", 0, 0},
        Case{"shortest_cuts_sound", 0, 2, 0, 9, true, "1 2", "[48000] c3840", 2, 3840},
        Case{"shortest_cuts_picture", 0, 9, 0, 4, true, "1 2", "[48000] c3840", 2, 3840},
        Case{"shortest_keeps_half_a_tick_of_sound_whole", 0, 9, 0, 5, true, "1 2 3", "[48000] c4800 s960", 3, 5760},
        Case{"shortest_without_sound_keeps_the_picture", 0, 3, 0, 0, true, "1 2 3", "[48000] s5760", 3, 5760}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(Timeline, leaves_less_than_half_a_tick_of_longer_sound_as_it_is) {
    Rig rig;
    rig.frames(0, 2);
    rig.audio(0, 3840 + 959);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 2");
    EXPECT_EQ(rig.output.end().samples, 3840 + 959);
}

TEST(Timeline, trims_sound_before_the_given_start_to_the_sample) {
    Rig rig;
    rig.timeline.start_at(1010 * kMs);
    rig.blocks(1000 * kMs, 5);
    rig.frames(1010 * kMs, 2);
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), "[48000] c4320");  // 90 of 100 ms; the rest of the second tick is too little to pad
    EXPECT_EQ(rig.timeline.counters().trimmed_samples, 480U);
    EXPECT_EQ(rig.timeline.counters().late_samples, 0U) << "it was not late, it was before the start";
    EXPECT_EQ(rig.output.pictures(), "1 2");
}

TEST(Timeline, trims_sound_and_drops_pictures_before_the_first_record) {
    Rig rig;
    rig.video(1000 * kMs);
    EXPECT_FALSE(rig.audio(970 * kMs, 960));  // 970..990: all before the start
    EXPECT_TRUE(rig.audio(990 * kMs, 960));   // its second half stays
    EXPECT_FALSE(rig.video(960 * kMs));
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), "[48000] c480 s1440");
    EXPECT_EQ(rig.timeline.counters().trimmed_samples, 1440U);
    EXPECT_EQ(rig.timeline.counters().dropped_frames, 1U);
}

TEST(Timeline, shows_the_last_frame_for_its_own_duration) {
    Rig rig;
    rig.fps = {25, 2};
    rig.frame_ns = 80 * kMs;
    rig.frames(0, 3);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 1r 2 2r 3 3r");
    EXPECT_EQ(rig.output.end().samples, 6 * 1920);
}

TEST(Timeline, ignores_records_after_finish) {
    Rig rig;
    rig.both(0, 80);
    rig.finish();
    VideoRecord late;
    late.id = 99;
    late.session = rig.session;
    EXPECT_FALSE(rig.timeline.wants_video(late));
    EXPECT_FALSE(rig.timeline.on_video(late));
    EXPECT_FALSE(rig.timeline.pop().has_value());
}

TEST(Timeline, passes_data_at_once_when_both_tracks_run) {
    Rig rig;
    rig.video(0);
    EXPECT_EQ(rig.output.ticks(), 1);
    rig.audio(0, 960);
    EXPECT_EQ(rig.output.sample_end(), 960);
    rig.video(40 * kMs);
    EXPECT_EQ(rig.output.ticks(), 2);
    EXPECT_EQ(rig.timeline.output_end_ns(Track::video), 80 * kMs);
    EXPECT_EQ(rig.timeline.output_end_ns(Track::audio), 20 * kMs);
}

TEST(Timeline, shortest_holds_pictures_until_sound_reaches_them) {
    TimelineOptions options;
    options.shortest = true;
    Rig rig(options);
    rig.frames(0, 3);
    EXPECT_EQ(rig.output.ticks(), 0);
    rig.audio(0, 960);
    EXPECT_EQ(rig.output.ticks(), 1) << "half a tick of sound decides the tick";
    rig.audio(20 * kMs, 960);
    EXPECT_EQ(rig.output.ticks(), 1);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 1);
}

TEST(Timeline, shortest_holds_no_more_pictures_than_it_may) {
    TimelineOptions options;
    options.shortest = true;
    options.most_held_pictures = 5;
    options.track_wait_ns = options.pause_wait_ns = 600 * kSecond;  // an offline rendering: the sound may come last
    Rig rig(options);
    rig.frames(0, 20);
    EXPECT_EQ(rig.output.ticks(), 15);
    rig.blocks(0, 36);  // of 20 ms: 18 ticks
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18");
    EXPECT_EQ(rig.output.sounds(), "[48000] c34560");
}

TEST(Timeline, shortest_is_as_long_as_what_left_when_the_sound_is_shorter) {
    TimelineOptions options;
    options.shortest = true;
    options.most_held_pictures = 5;
    options.track_wait_ns = options.pause_wait_ns = 600 * kSecond;
    Rig rig(options);
    rig.frames(0, 20);
    rig.blocks(0, 4);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 15);
    EXPECT_EQ(rig.output.sounds(), "[48000] c3840 s24960") << "two ticks of sound, silence to the end of the 15th";
    EXPECT_EQ(rig.output.end().samples, 15 * 1920);
}

TEST(Timeline, shortest_holds_few_pictures_while_both_tracks_run) {
    TimelineOptions options;
    options.shortest = true;
    options.most_held_pictures = 2;
    Rig rig(options);
    rig.both(0, 400);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 10);
    EXPECT_EQ(rig.output.silence(), 0);
}

}  // namespace
}  // namespace ringcast::runtime::test
