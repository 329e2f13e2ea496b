// SPDX-License-Identifier: Apache-2.0
// on_stall=fill: what a stall looks like, how it ends, and what an interruption of the producer does.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "timeline_live_rig.hpp"

namespace ringcast::runtime::test {
namespace {

TEST(TimelineStall, begins_when_the_output_is_two_frames_and_40_ms_behind) {
    LiveRig rig;
    rig.schedule_frames(25, on_time_frame);
    rig.schedule_blocks(50, on_time_block);
    rig.run_to(1'120);
    EXPECT_EQ(rig.video_ms(), 1'000);
    EXPECT_FALSE(rig.timeline.is_stalled());
    rig.run_to(1'121);
    EXPECT_TRUE(rig.timeline.is_stalled());
    EXPECT_EQ(rig.video_ms(), 1'160) << "up to the clock at once";
    EXPECT_EQ(rig.audio_ms(), 1'160);
    rig.run_to(1'500);
    EXPECT_EQ(rig.video_ms(), 1'520) << "and then tick by tick";
    EXPECT_EQ(rig.timeline.counters().stalls, 1U);
}

TEST(TimelineStall, ends_with_the_next_picture_which_is_shown_at_once) {
    LiveRig rig;
    rig.schedule_frames(50, [](int i) -> std::int64_t { return i * 40 + (i < 25 ? 0 : 1'000); });
    rig.schedule_blocks(100, [](int i) -> std::int64_t { return i * 20 + (i < 50 ? 0 : 1'000); });
    rig.run_to(2'010);
    EXPECT_FALSE(rig.timeline.is_stalled());
    EXPECT_EQ(rig.output.tick_of(26), 50);
    EXPECT_EQ(rig.output.sample_of(51), 50 * 1920);
    rig.run_to(3'000);
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), "[48000] c48000 s48000 c48000");
    EXPECT_EQ(rig.output.ticks(), 75);
}

/// A model that takes its pts from the clock: two seconds on, nothing for two seconds, then pts that went on by
/// `gap_ms`.
class StallOnAClock : public LiveRig {
public:
    explicit StallOnAClock(std::int64_t gap_ms) {
        explicit_pts = true;
        schedule_frames(50, on_time_frame);
        schedule_blocks(100, on_time_block);
        schedule_frames(
            50, [](int i) -> std::int64_t { return 4'000 + i * 40; }, 2'000 + gap_ms);
        schedule_blocks(
            100, [](int i) -> std::int64_t { return 4'000 + i * 20; }, 2'000 + gap_ms);
        run_to(4'010);
    }
};

TEST(TimelineStall, is_not_filled_a_second_time_when_explicit_pts_went_on_meanwhile) {
    StallOnAClock rig(2'000);
    EXPECT_EQ(rig.output.tick_of(51), 100);
    EXPECT_EQ(rig.output.sample_of(101), 100 * 1920);
    rig.run_to(6'000);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 150);
    EXPECT_EQ(rig.output.sounds(), "[48000] c96000 s96000 c96000");
    EXPECT_EQ(rig.timeline.counters().shifted_ns, 0);
}

TEST(TimelineStall, is_longer_than_explicit_pts_say) {
    StallOnAClock rig(1'000);
    EXPECT_EQ(rig.output.tick_of(51), 100) << "at the clock all the same";
    rig.run_to(6'000);
    rig.finish();
    EXPECT_EQ(rig.output.ticks(), 150);
    EXPECT_EQ(rig.timeline.counters().shifted_ns, 1'000 * kMs);
}

TEST(TimelineStall, is_shorter_than_the_gap_in_explicit_pts_of_which_the_rest_is_filled) {
    StallOnAClock rig(3'000);
    rig.run_to(7'000);
    rig.finish();
    EXPECT_EQ(rig.output.tick_of(51), 125);
    EXPECT_EQ(rig.output.sample_of(101), 125 * 1920);
    EXPECT_EQ(rig.output.ticks(), 175);
}

TEST(TimelineStall, says_nothing_of_a_later_gap_in_explicit_pts) {
    StallOnAClock rig(0);
    rig.schedule_frames(
        25, [](int i) -> std::int64_t { return 6'000 + i * 40; }, 5'000);
    rig.schedule_blocks(
        50, [](int i) -> std::int64_t { return 6'000 + i * 20; }, 5'000);
    rig.run_to(8'500);
    rig.finish();
    EXPECT_EQ(rig.output.tick_of(51), 100);
    EXPECT_EQ(rig.output.tick_of(101), 175) << "one second was left out by the model, and is filled";
}

TEST(TimelineStall, a_jitter_of_a_hundred_milliseconds_changes_nothing) {
    LiveRig rig;
    std::minstd_rand random(7);
    std::vector<std::int64_t> late(250);
    for (auto& each : late)
        each = static_cast<std::int64_t>(random() % 100);
    std::int64_t newest = 0;
    rig.schedule_frames(250, [&](int i) {
        newest = std::max(newest, i * 40 + late[static_cast<std::size_t>(i)]);
        return newest;
    });
    newest = 0;
    rig.schedule_blocks(500, [&](int i) {
        newest = std::max(newest, i * 20 + late[static_cast<std::size_t>(i / 2)]);
        return newest;
    });
    rig.run_to(10'100);
    rig.finish();
    EXPECT_EQ(rig.timeline.counters().repeated_frames, 0U);
    EXPECT_EQ(rig.timeline.counters().silence_samples, 0U);
    EXPECT_EQ(rig.output.ticks(), 250);
}

TEST(TimelineStall, is_counted_in_pictures_where_ticks_are_finer) {
    TimelineOptions options = live_options();
    options.fps = {100, 1};
    options.ticks_per_picture = 4;
    LiveRig rig(options);
    rig.schedule_frames(25, on_time_frame);  // of 40 ms; the last one at 960
    rig.schedule_blocks(50, on_time_block);
    rig.run_to(1'120);
    EXPECT_FALSE(rig.timeline.is_stalled());
    rig.run_to(1'140);
    EXPECT_TRUE(rig.timeline.is_stalled());
}

/// After ten seconds of nothing.
struct Show {
    const char* name;
    StallShow show;
    const char* pictures;
    bool gives_up;
};
std::ostream& operator<<(std::ostream& out, const Show& show) {
    return out << show.name;
}
class TimelineStallTimeout : public ::testing::TestWithParam<Show> {};

TEST_P(TimelineStallTimeout, shows_what_was_asked_for_once_it_is_over) {
    TimelineOptions options = live_options();
    options.stall_timeout_ns = 2 * kSecond;
    options.stall_show = GetParam().show;
    LiveRig rig(options);
    rig.schedule_frames(5, on_time_frame);
    rig.schedule_blocks(10, on_time_block);
    rig.schedule_frames(
        2, [](int i) -> std::int64_t { return 4'000 + i * 40; }, 200);
    rig.schedule_blocks(
        4, [](int i) -> std::int64_t { return 4'000 + i * 20; }, 200);
    rig.run_to(3'990);
    EXPECT_EQ(rig.timeline.gave_up(), GetParam().gives_up);
    EXPECT_EQ(rig.timeline.next_due_ns().has_value(), !GetParam().gives_up);
    if (!GetParam().gives_up) rig.run_to(4'080);
    rig.finish();
    EXPECT_EQ(rig.output.pictures(), GetParam().pictures);
}

INSTANTIATE_TEST_SUITE_P(Table, TimelineStallTimeout,
                         ::testing::Values(Show{"hold", StallShow::hold, "1 2 3 4 5 5r*95 6 7", false},
                                           Show{"slate", StallShow::slate, "1 2 3 4 5 5r*50 #*45 6 7", false},
                                           Show{"stop", StallShow::stop, "1 2 3 4 5 5r*50", true}),
                         [](const auto& one) { return std::string(one.param.name); });

/// Sound given a second ahead; the pictures stall at 400 ms. Bits of `quiet`: which 10 ms of each block are quiet.
struct Quiet {
    const char* name;
    int block;  // the quiet one; -1: none
    std::uint64_t quiet;
    const char* sounds;
};
std::ostream& operator<<(std::ostream& out, const Quiet& quiet) {
    return out << quiet.name;
}
class TimelineQuiet : public ::testing::TestWithParam<Quiet> {};

TEST_P(TimelineQuiet, silence_goes_where_the_sound_is_quiet_within_200_ms) {
    LiveRig rig;
    rig.schedule(0, [&] {
        for (int i = 0; i < 50; ++i)
            rig.audio_with_quiet(i * 20 * kMs, i == GetParam().block ? GetParam().quiet : 0);
    });
    rig.schedule_frames(25, [](int i) -> std::int64_t { return i * 40 + (i < 10 ? 0 : 400); });
    rig.run_to(1'400);
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), GetParam().sounds);
    EXPECT_EQ(rig.output.tick_of(11), 20);
}

INSTANTIATE_TEST_SUITE_P(Table, TimelineQuiet,
                         ::testing::Values(Quiet{"nowhere", -1, 0, "[48000] c19200 s19200 c28800"},
                                           Quiet{"at_once", 20, 1, "[48000] c19440 s19200 c28560"},
                                           Quiet{"later_in_a_block", 25, 2, "[48000] c24720 s19200 c23280"},
                                           Quiet{"too_far", 31, 3, "[48000] c19200 s19200 c28800"},
                                           Quiet{"already_played", 19, 3, "[48000] c19200 s19200 c28800"}),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(TimelineStall, sound_of_another_rate_is_held_to_the_sample) {
    // 16 kHz in, 29.97 fps: neither a tick nor a hold is a whole number of samples.
    TimelineOptions options = live_options();
    options.fps = {30000, 1001};
    LiveRig rig(options);
    rig.rate = 16000;
    constexpr int kRounds = 2'000;  // a stall each: 33 ms of media every 233 ms
    for (int i = 0; i < kRounds; ++i) {
        rig.schedule(i * 300, [&rig, i] {
            rig.video(nearest(static_cast<Wide>(i) * 1001 * kSecond, 30000));
            const auto sample = [](int n) { return static_cast<std::int64_t>(n) * 16000 * 1001 / 30000; };
            const std::int64_t first = sample(i);
            rig.audio(nearest(static_cast<Wide>(first) * kSecond, 16000),
                      static_cast<std::uint32_t>(sample(i + 1) - first));
        });
    }
    rig.run_to(kRounds * 300);
    EXPECT_GT(rig.timeline.counters().stalls, static_cast<std::uint64_t>(kRounds) - 5);
    const auto id = static_cast<std::uint64_t>(kRounds - 1);
    const auto picture = static_cast<double>(rig.output.tick_of(id)) * 1001 / 30;
    const auto sound = static_cast<double>(rig.output.sample_of(id)) / 48;
    EXPECT_NEAR(picture, sound, 0.2) << "no rounding adds up, after ten minutes of stalls";
    EXPECT_NEAR(picture, kRounds * 300, 600);
}

TEST(TimelineStall, a_day_on_time_at_29_97_and_23_976_fps_fills_nothing) {
    for (const Rational fps : {Rational{30000, 1001}, Rational{24000, 1001}}) {
        TimelineOptions options = live_options();
        options.fps = fps;
        Timeline timeline(options);
        std::int64_t frame = 0;
        std::int64_t block = 0;
        std::int64_t copied = 0;
        constexpr std::int64_t kDay = 86'400 * kSecond;
        for (std::int64_t now = 0; now < kDay;) {
            const std::int64_t frame_at = nearest(static_cast<Wide>(frame) * fps.den * kSecond, fps.num);
            const std::int64_t block_at = nearest(static_cast<Wide>(block) * 1024 * kSecond, 44100);
            now = std::min(frame_at, block_at);
            if (frame_at <= block_at) {
                VideoRecord record;
                record.id = static_cast<std::uint64_t>(++frame);
                record.pts_ns = record.capture_time_ns = frame_at;
                timeline.on_video(record);
            } else {
                AudioRecord record;
                record.id = static_cast<std::uint64_t>(++block);
                record.pts_ns = record.capture_time_ns = block_at;
                record.sample_index = static_cast<std::uint64_t>(block - 1) * 1024;
                record.sample_count = 1024;
                record.sample_rate = 44100;
                timeline.on_audio(record);
            }
            timeline.advance(now);
            while (const auto operation = timeline.pop()) {
                if (const auto* copy = std::get_if<CopySamples>(&*operation)) copied += copy->count;
            }
        }
        const TimelineCounters counters = timeline.counters();
        EXPECT_EQ(counters.repeated_frames + counters.dropped_frames + counters.silence_samples + counters.stalls, 0U);
        EXPECT_GE(static_cast<std::int64_t>(counters.frames), frame - 1);
        EXPECT_GE(copied, (block - 4) * 1024);
    }
}

TEST(TimelineStall, pictures_far_ahead_wait_for_their_time_and_no_more_of_them_than_may) {
    TimelineOptions options = live_options();
    options.most_held_pictures = 10;
    LiveRig rig(options);
    rig.schedule(0, [&] {
        for (int i = 0; !rig.timeline.is_full(); ++i)
            rig.video(i * 40 * kMs);
    });
    rig.run_to(100);
    EXPECT_EQ(rig.output.ticks(), 3);
    EXPECT_EQ(rig.video_id, 11U) << "one has left, ten wait";
    EXPECT_FALSE(rig.timeline.is_full());
    EXPECT_TRUE(rig.timeline.holds_media());
    rig.run_to(440);
    EXPECT_FALSE(rig.timeline.holds_media());
}

TEST(TimelineStall, sound_on_time_never_waits_more_than_two_seconds_for_slow_pictures) {
    LiveRig rig;
    rig.schedule_frames(600, [](int i) -> std::int64_t { return i * 50; });
    rig.schedule_blocks(1'500, on_time_block);
    rig.run_to(30'000);
    EXPECT_LE(rig.timeline.counters().delay_ns, 2 * kSecond);
    EXPECT_GE(rig.timeline.counters().delay_ns, 1'700 * kMs);
    EXPECT_EQ(rig.timeline.counters().trimmed_samples, 0U);
    EXPECT_EQ(rig.timeline.counters().dropped_frames, 0U) << "the picture goes on at now";
    EXPECT_GE(rig.output.fresh(), 580);
    EXPECT_GE(rig.video_ms(), 29'200);
    EXPECT_GE(rig.audio_ms(), 29'200);
}

// ---- Too slow an encoder ----

TEST(TimelineLag, pictures_that_wait_for_the_encoder_too_long_are_dropped_and_their_ticks_left_out) {
    TimelineOptions options;
    options.lag_limit_ns = 500 * kMs;
    Rig rig(options);
    rig.timeline.tell_time(Rig::kClockStart);
    std::int64_t clock = Rig::kClockStart;
    for (int i = 0; i < 100; ++i) {  // made every 40 ms, encoded in 60
        rig.now_ns = Rig::kClockStart + i * 40 * kMs;
        clock = std::max(clock, rig.now_ns);
        rig.timeline.tell_time(clock);
        const std::int64_t before = rig.output.fresh();
        rig.video(i * 40 * kMs);
        rig.audio(i * 40 * kMs, 1920);
        clock += (rig.output.fresh() - before) * 60 * kMs;
    }
    rig.finish();
    const auto dropped = static_cast<std::int64_t>(rig.timeline.counters().dropped_frames);
    EXPECT_GT(dropped, 15);
    EXPECT_LT(dropped, 30);
    EXPECT_EQ(rig.output.ticks(), 100) << "the rest stands where it did";
    EXPECT_EQ(rig.output.sounds(), "[48000] c192000") << "sound is never touched";
    EXPECT_EQ(rig.output.tick_of(100), 99);
}

TEST(TimelineLag, what_was_given_ahead_plays_out_and_no_longer_however_slow_the_encoder_is) {
    TimelineOptions options = live_options();
    options.lag_limit_ns = 500 * kMs;
    LiveRig rig(options);
    rig.schedule_frames(50, on_time_frame);
    rig.schedule(0, [&] {
        for (int i = 0; i < 200; ++i)
            rig.audio(i * LiveRig::kBlock, 960);
    });
    rig.run_to(2'000);
    int turns = 0;
    while (rig.timeline.holds_media() && ++turns < 100) {
        rig.timeline.play_out(false);
        rig.now_ns += 900 * kMs;  // for a single picture
        rig.timeline.advance(rig.now_ns);
        rig.drain();
    }
    EXPECT_LE(turns, 4);
    rig.finish();
    EXPECT_EQ(rig.output.sounds(), "[48000] c192000") << "four seconds of speech to two of pictures";
    EXPECT_EQ(rig.output.ticks(), 100);
}

TEST(TimelineStall, an_output_that_is_held_after_the_end_goes_on_with_the_clock) {
    LiveRig rig;
    rig.schedule_frames(25, on_time_frame);
    rig.schedule(0, [&] {
        for (int i = 0; i < 100; ++i)
            rig.audio(i * LiveRig::kBlock, 960);
    });
    rig.run_to(1'000);
    for (int ms = 1'000; ms < 5'000; ms += 40) {
        rig.timeline.play_out(true);
        rig.run_to(ms);
    }
    EXPECT_EQ(rig.output.copied(), 96'000) << "what was given ahead is heard";
    EXPECT_GE(rig.video_ms(), 4'800);
    EXPECT_GE(rig.audio_ms(), 4'800);
}

TEST(TimelineStall, an_output_that_is_held_after_the_end_counts_as_stalled_at_any_rate) {
    for (const std::uint32_t fps : {1U, 5U, 10U, 12U, 25U, 60U}) {
        TimelineOptions options = live_options();
        options.fps = {fps, 1};
        options.stall_show = StallShow::stop;
        LiveRig rig(options);
        rig.schedule_frames(50, on_time_frame);
        rig.schedule_blocks(100, on_time_block);
        int ms = 2'000;
        rig.run_to(ms);
        for (rig.timeline.play_out(true); rig.timeline.holds_media() && ms < 5'000; rig.timeline.play_out(true))
            rig.run_to(++ms);
        for (; ms < 16'000; ms += 7) {  // not only when a tick is due
            rig.run_to(ms);
            rig.timeline.advance(rig.now_ns);
        }
        EXPECT_EQ(rig.timeline.counters().stalls, 1U) << fps << " fps";
        EXPECT_TRUE(rig.timeline.gave_up()) << fps << " fps";
    }
}

TEST(TimelineLag, a_picture_that_itself_came_late_is_not_held_against_the_encoder) {
    TimelineOptions options = live_options();
    options.lag_limit_ns = 500 * kMs;
    LiveRig rig(options);
    rig.schedule_frames(250, [](int i) -> std::int64_t { return (i / 16 + 1) * 640; });
    rig.schedule_blocks(500, on_time_block);
    rig.run_to(10'000);
    EXPECT_EQ(rig.timeline.counters().dropped_frames, 0U);
}

}  // namespace
}  // namespace ringcast::runtime::test
