// SPDX-License-Identifier: Apache-2.0
// New sessions, pts set back, and tracks that are missing for a while.
#include <gtest/gtest.h>

#include "timeline_rig.hpp"

namespace ringcast::runtime::test {
namespace {

TEST(TimelineJoin, new_session_continues_at_the_end_of_what_was_sent) {
    Rig rig;
    rig.both(0, 200);
    rig.new_session();
    rig.both(0, 200);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 2 3 4 5 6 7 8 9 10");
    EXPECT_EQ(rig.output.sounds(), "[48000] c9600 [48000] c9600");
    EXPECT_EQ(rig.timeline.counters().rebases, 1U);
}

TEST(TimelineJoin, pads_the_shorter_track_before_a_new_session) {
    Rig rig;
    rig.frames(0, 10);  // 400 ms
    rig.blocks(0, 13);  // 260 ms
    rig.new_session();
    rig.both(0, 80);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 2 3 4 5 6 7 8 9 10 11 12");
    EXPECT_EQ(rig.output.sounds(), "[48000] c12480 s6720 [48000] c3840");
}

TEST(TimelineJoin, holds_the_picture_while_the_old_sound_is_longer) {
    Rig rig;
    rig.frames(0, 3);   // 120 ms
    rig.blocks(0, 10);  // 200 ms
    rig.new_session();
    rig.both(0, 80);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 2 3 3r*2 4 5");
    EXPECT_EQ(rig.output.sounds(), "[48000] c9600 [48000] c3840");
}

TEST(TimelineJoin, keeps_the_offset_of_the_tracks_inside_the_new_session) {
    Rig rig;
    rig.both(0, 200);
    rig.new_session();
    rig.frames(1'000 * kMs, 5);
    rig.blocks(1'030 * kMs, 5);
    rig.finish();
    EXPECT_EQ(rig.output.tick_of(6), 5);
    EXPECT_EQ(rig.output.sample_of(11), 9600 + 1440);
}

TEST(TimelineJoin, takes_the_rest_of_the_old_session_before_it_joins) {
    Rig rig;
    rig.both(0, 200);
    const std::uint64_t old_index = rig.sample_index;
    rig.new_session();
    rig.frames(0, 3);  // read first, though 40 ms of the old sound are still to come
    EXPECT_EQ(rig.output.ticks(), 5) << "waits for the other track";
    --rig.session;
    rig.sample_index = old_index;
    rig.blocks(200 * kMs, 2);
    rig.new_session();
    rig.blocks(0, 6);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 2 3 4 5 5r 6 7 8");
    EXPECT_EQ(rig.output.sounds(), "[48000] c11520 [48000] c5760");
}

TEST(TimelineJoin, does_not_wait_for_a_track_the_new_session_does_not_have) {
    Rig rig;
    rig.both(0, 200);
    rig.new_session();
    rig.frames(0, 50);
    EXPECT_GE(rig.output.ticks(), 5 + 25);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 55);
    EXPECT_EQ(rig.output.sounds(), "[48000] c9600 [48000] s96000");
}

TEST(TimelineJoin, drops_records_of_the_session_before) {
    Rig rig;
    rig.both(0, 200);
    rig.new_session();
    rig.both(0, 80);
    --rig.session;
    EXPECT_FALSE(rig.video(200 * kMs));
    EXPECT_FALSE(rig.audio(200 * kMs, 960));
    ++rig.session;
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 7);
    EXPECT_EQ(rig.timeline.counters().dropped_frames, 1U);
}

TEST(TimelineJoin, sets_both_tracks_back_by_one_shift) {
    Rig rig;
    rig.explicit_pts = true;
    rig.both(10 * kSecond, 400);
    rig.both(5 * kSecond, 400);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20");
    EXPECT_EQ(rig.output.sounds(), "[48000] c19200 [48000] c19200");
}

TEST(TimelineJoin, a_track_set_back_alone_goes_on_at_its_own_end) {
    Rig rig;
    rig.explicit_pts = true;
    rig.both(10 * kSecond, 400);
    // An idle loop whose pictures start again while the sound is counted on.
    rig.frames(0, 10);
    rig.blocks(10'400 * kMs, 20);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 20);
    EXPECT_EQ(rig.timeline.counters().repeated_frames, 0U);
    EXPECT_EQ(rig.output.sounds(), "[48000] c38400");
}

TEST(TimelineJoin, a_track_set_back_much_later_takes_the_shift_of_the_other) {
    Rig rig;
    rig.explicit_pts = true;
    rig.both(10 * kSecond, 400);
    rig.frames(0, 20);             // 0 stands at tick 10
    rig.blocks(10'400 * kMs, 15);  // old clock up to output 700 ms
    rig.blocks(500 * kMs, 10);     // new clock: 500 ms stands at 400 + 500 ms
    rig.finish();
    EXPECT_EQ(rig.output.sample_of(36), 900 * 48);
    EXPECT_EQ(rig.output.ticks(), 30);
}

TEST(TimelineJoin, a_jump_of_more_than_an_hour_is_another_clock) {
    Rig rig;
    rig.explicit_pts = true;
    rig.both(0, 200);
    rig.both(1'700'000'000 * kSecond, 200);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 10);
}

TEST(TimelineJoin, both_tracks_take_one_shift_to_another_clock) {
    Rig rig;
    rig.explicit_pts = true;
    rig.frames(0, 5);   // 200 ms
    rig.blocks(0, 13);  // 260 ms
    rig.frames(1'700'000'000 * kSecond, 5);
    rig.blocks(1'700'000'000 * kSecond + 30 * kMs, 5);
    rig.finish();
    EXPECT_EQ(rig.output.tick_of(6), 7) << "the first whole tick after the sound";
    EXPECT_EQ(rig.output.sample_of(14), 7 * 1920 + 30 * 48);
}

TEST(TimelineJoin, a_second_track_on_another_clock_joins_at_the_start) {
    Rig rig;
    rig.explicit_pts = true;
    rig.frames(1'700'000'000 * kSecond, 10);
    rig.explicit_pts = false;
    rig.blocks(0, 20);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 10);
    EXPECT_EQ(rig.output.sounds(), "[48000] c19200");
}

TEST(TimelineMissing, silence_comes_after_a_second_without_sound) {
    Rig rig;
    rig.frames(0, 25);
    EXPECT_EQ(rig.output.sample_end(), 0) << "one second is not over";
    rig.frames(1'000 * kMs, 1);
    EXPECT_GT(rig.output.sample_end(), 0);
    rig.frames(1'040 * kMs, 24);
    rig.finish();
    EXPECT_EQ(rig.output.pictures().find('r'), std::string::npos);
    EXPECT_EQ(rig.output.sounds(), "[48000] s96000");
}

TEST(TimelineMissing, slate_comes_after_a_second_without_picture_and_video_joins_at_its_place) {
    Rig rig;
    rig.blocks(0, 100);  // 2 s
    EXPECT_EQ(rig.output.pictures(), "_*44") << "up to 200 ms behind the sound (the last block began at 1.98 s)";
    rig.frames(2'000 * kMs, 5);
    rig.blocks(2'000 * kMs, 10);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), "_*50 1 2 3 4 5");
}

TEST(TimelineMissing, a_long_speech_pushed_in_one_go_starts_no_slate) {
    Rig rig;
    for (int i = 0; i < 600; ++i)
        rig.audio(i * 100 * kMs, 4800);  // a minute, in no time
    EXPECT_EQ(rig.output.ticks(), 0);
    rig.now_ns += 2 * kSecond;  // the model warms up
    rig.frames(0, 1500);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 1500);
    EXPECT_EQ(rig.timeline.counters().repeated_frames, 0U);
}

TEST(TimelineMissing, explicit_sound_joins_later_at_its_right_place) {
    Rig rig;
    rig.explicit_pts = true;
    rig.frames(0, 75);
    rig.blocks(3'010 * kMs, 10);
    rig.frames(3'000 * kMs, 10);
    rig.finish();
    EXPECT_EQ(rig.output.sample_of(1), 3'010 * 48);
}

TEST(TimelineMissing, sound_that_joins_a_little_late_is_trimmed_to_the_sample) {
    Rig rig;
    rig.frames(0, 75);  // silence up to 2.76 s
    rig.rate = 16000;
    rig.at(2'980 * kMs);
    rig.audio(2'700 * kMs, 3200);  // 60 ms of 200 have no place
    rig.finish();
    EXPECT_EQ(rig.timeline.counters().trimmed_samples, 960U);
    EXPECT_EQ(rig.output.sample_of(1), 2'760 * 48);
    EXPECT_EQ(rig.output.sounds(), "[48000] s132480 [16000] c2240 s1600");
}

TEST(TimelineMissing, explicit_sound_that_is_late_is_dropped_until_it_is_on_time) {
    Rig rig;
    rig.explicit_pts = true;
    rig.frames(0, 75);             // silence up to 2.76 s
    rig.blocks(1'500 * kMs, 100);  // 1.5 to 3.5 s
    rig.finish();
    EXPECT_EQ(rig.timeline.counters().trimmed_samples, 1'260U * 48);
    EXPECT_EQ(rig.output.sample_of(64), 2'760 * 48);
}

TEST(TimelineMissing, counted_sound_that_starts_after_seconds_is_placed_now) {
    Rig rig;
    rig.frames(0, 125);  // 5 s without a word
    rig.audio(0, 9600);  // the first word, counted from 0
    EXPECT_GE(rig.output.sample_of(1), 4'700 * 48);
    EXPECT_LE(rig.output.sample_of(1), 5'000 * 48);
    EXPECT_EQ(rig.timeline.counters().trimmed_samples, 0U);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 125);
}

TEST(TimelineMissing, counted_sound_that_pauses_comes_back_now_and_video_is_not_shifted) {
    Rig rig;
    rig.both(0, 1000);
    rig.frames(1'000 * kMs, 150);  // six seconds of idling, no sound pushed
    rig.audio(1'000 * kMs, 9600);  // speech goes on at its count
    const std::int64_t back = rig.output.sample_of(51);
    EXPECT_GE(back, 6'700 * 48);
    EXPECT_LE(back, 7'000 * 48);
    rig.finish();
    EXPECT_EQ(rig.timeline.counters().repeated_frames, 0U);
    EXPECT_EQ(rig.timeline.counters().trimmed_samples, 0U);
    EXPECT_EQ(rig.output.ticks(), 175);
}

TEST(TimelineMissing, short_pauses_of_the_sound_are_waited_for) {
    Rig rig;
    rig.both(0, 1000);
    rig.frames(1'000 * kMs, 40);  // 1.6 s ahead
    rig.blocks(1'000 * kMs, 80);
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), "[48000] c124800");
}

TEST(TimelineMissing, video_that_pauses_is_held_and_comes_back) {
    Rig rig;
    rig.explicit_pts = true;
    rig.both(0, 1000);
    rig.blocks(1'000 * kMs, 200);  // 4 s
    rig.frames(5'000 * kMs, 5);
    rig.blocks(5'000 * kMs, 10);
    rig.finish();
    EXPECT_EQ(rig.output.tick_of(26), 125);
    EXPECT_EQ(rig.timeline.counters().repeated_frames, 100U);
}

}  // namespace
}  // namespace ringcast::runtime::test
