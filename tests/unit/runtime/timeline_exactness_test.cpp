// SPDX-License-Identifier: Apache-2.0
// Nothing truncates and nothing drifts: a day of odd rates, and random input of every kind.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>
#include <random>
#include <vector>

#include "timeline_rig.hpp"

namespace ringcast::runtime::test {
namespace {

struct Day {
    const char* name;
    Rational fps;
    std::uint32_t rate_in;
    std::uint32_t rate_out;
    std::uint32_t block;  // samples per pushed block: what fits a frame, truncated, or an odd number
};
std::ostream& operator<<(std::ostream& out, const Day& day) {
    return out << day.name;
}

class TimelineDay : public ::testing::TestWithParam<Day> {};

// Walks a day of media, keeping only what a drift would show in: position against count, at every operation.
TEST_P(TimelineDay, ends_after_a_day_at_the_exact_tick_and_sample) {
    const Day& day = GetParam();
    TimelineOptions options;
    options.fps = day.fps;
    options.rate = day.rate_out;
    Timeline timeline(options);
    constexpr std::int64_t kDay = 86'400;
    const std::int64_t frames = kDay * day.fps.num / day.fps.den;
    std::int64_t frame = 0;
    std::int64_t samples = 0;
    std::int64_t wrong_ticks = 0;
    std::int64_t wrong_samples = 0;
    const auto drain = [&] {
        while (const auto operation = timeline.pop()) {
            if (const auto* shown = std::get_if<EmitFrame>(&*operation)) {
                if (shown->kind == FrameKind::fresh && shown->id != static_cast<std::uint64_t>(shown->tick) + 1)
                    ++wrong_ticks;
            } else if (const auto* copy = std::get_if<CopySamples>(&*operation)) {
                const Wide input = static_cast<Wide>(copy->id - 1) * day.block;
                if (copy->position != nearest(input * day.rate_out, day.rate_in) || copy->offset != 0) ++wrong_samples;
            }
        }
    };
    while (frame < frames) {
        const Wide frame_time = static_cast<Wide>(frame) * day.fps.den * day.rate_in;  // both over num · rate
        const Wide sample_time = static_cast<Wide>(samples) * day.fps.num;
        if (frame_time <= sample_time) {
            VideoRecord record;
            record.id = static_cast<std::uint64_t>(frame) + 1;
            record.pts_ns = nearest(static_cast<Wide>(frame) * day.fps.den * kSecond, day.fps.num);
            record.capture_time_ns = record.pts_ns;
            timeline.on_video(record);
            ++frame;
        } else {
            AudioRecord record;
            record.id = static_cast<std::uint64_t>(samples / day.block) + 1;
            record.pts_ns = nearest(static_cast<Wide>(samples) * kSecond, day.rate_in);
            record.capture_time_ns = record.pts_ns;
            record.sample_index = static_cast<std::uint64_t>(samples);
            record.sample_count = day.block;
            record.sample_rate = day.rate_in;
            timeline.on_audio(record);
            samples += day.block;
        }
        drain();
    }
    timeline.finish();
    drain();
    const TimelineCounters counters = timeline.counters();
    EXPECT_EQ(wrong_ticks, 0);
    EXPECT_EQ(wrong_samples, 0);
    EXPECT_EQ(counters.dropped_frames, 0U);
    EXPECT_LE(counters.repeated_frames, 4U) << "only where the last block is longer than the picture";
    EXPECT_EQ(static_cast<std::int64_t>(counters.frames - counters.repeated_frames), frames);
    const std::int64_t sound = nearest(static_cast<Wide>(samples) * day.rate_out, day.rate_in);
    const std::int64_t picture = nearest(static_cast<Wide>(counters.frames) * day.fps.den * day.rate_out, day.fps.num);
    EXPECT_EQ(static_cast<std::int64_t>(counters.samples), std::max(sound, picture));
}

INSTANTIATE_TEST_SUITE_P(Table, TimelineDay,
                         ::testing::Values(Day{"ntsc_44100_to_48000", {30000, 1001}, 44100, 48000, 1471},
                                           Day{"ntsc_16000_to_44100", {30000, 1001}, 16000, 44100, 533},
                                           Day{"film_48000_to_44100", {24000, 1001}, 48000, 44100, 2002},
                                           Day{"film_16000_to_48000", {24000, 1001}, 16000, 48000, 667},
                                           Day{"pal_44100_to_44100", {25, 1}, 44100, 44100, 441},
                                           Day{"pal_24000_to_48000", {25, 1}, 24000, 48000, 960}),
                         [](const auto& day) { return std::string(day.param.name); });

// ---- Random input
// -----------------------------------------------------------------------------------------------------

class TimelineRandom : public ::testing::TestWithParam<std::uint32_t> {
protected:
    static constexpr std::uint32_t kSeedsPerCase = 25;

    /// The same seeds in every run; a failure names its seed.
    template <class Run>
    void for_each_seed(Run run) {
        for (std::uint32_t i = 0; i < kSeedsPerCase; ++i) {
            const std::uint32_t seed = GetParam() * kSeedsPerCase + i;
            SCOPED_TRACE("seed " + std::to_string(seed));
            random_.seed(seed);
            run();
            if (HasFailure()) return;
        }
    }
    void feed_anything(bool fill);
    void keep_time(Rig& rig);
    void feed_media();

    std::int64_t pick(std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
    }
    bool chance(int percent) { return pick(1, 100) <= percent; }

    TimelineOptions random_options() {
        constexpr Rational kFps[] = {{25, 1}, {30000, 1001}, {24000, 1001}, {60, 1}, {12, 1}, {15, 1}};
        constexpr std::uint32_t kRates[] = {44100, 48000, 16000};
        TimelineOptions options;
        options.fps = kFps[pick(0, 5)];
        options.rate = kRates[pick(0, 2)];
        options.shortest = chance(20);
        return options;
    }

    std::mt19937 random_;
    std::int64_t begun_ns_ = Rig::kClockStart;  // the first record was pushed
    std::int64_t most_ahead_ns_ = INT64_MIN;    // of the clock
    std::int64_t most_behind_ns_ = INT64_MIN;
};

/// The clock runs to the rig's; all that was pushed was read.
void TimelineRandom::keep_time(Rig& rig) {
    while (const auto due = rig.timeline.next_due_ns()) {
        if (*due > rig.now_ns) break;
        rig.timeline.advance(*due);
        rig.drain();
    }
    rig.timeline.advance(rig.now_ns);
    rig.drain();
    if (!rig.timeline.started()) {
        begun_ns_ = rig.now_ns;
        return;
    }
    const std::int64_t end_ns =
        std::max(rig.timeline.output_end_ns(Track::video), rig.timeline.output_end_ns(Track::audio));
    const std::int64_t ahead_ns = end_ns + begun_ns_ - rig.now_ns;
    most_ahead_ns_ = std::max(most_ahead_ns_, ahead_ns);
    most_behind_ns_ = std::max(most_behind_ns_, -ahead_ns);
}

// Losses, jumps, jitter, pauses, new sessions, format changes, each track at its own pace. OutputCheck holds every
// operation to the promises; here only the sums are left.
void TimelineRandom::feed_anything(bool fill) {
    TimelineOptions options = random_options();
    options.fill = fill;
    options.shortest = options.shortest && !fill;
    Rig rig(options);
    rig.timeline.advance(rig.now_ns);
    constexpr std::uint32_t kInputRates[] = {44100, 48000, 16000, 24000, 8000};
    constexpr Rational kInputFps[] = {{25, 1}, {30, 1}, {30000, 1001}, {20, 1}, {50, 1}};
    rig.fps = kInputFps[pick(0, 4)];
    rig.rate = kInputRates[pick(0, 4)];
    rig.explicit_pts = chance(50);
    std::int64_t video_pts = pick(-1, 3) * kSecond;
    std::int64_t audio_pts = video_pts + pick(-300, 300) * kMs;
    const bool has_video = !chance(5);
    const bool has_audio = !chance(10);
    for (int step = 0; step < 400; ++step) {
        rig.now_ns += chance(1) ? pick(0, 5'000) * kMs : pick(0, 60) * kMs;
        if (fill) keep_time(rig);
        rig.quiet_bits = static_cast<std::uint64_t>(pick(0, 1023));
        const bool video_next = chance(10) ? chance(50) : video_pts <= audio_pts;
        if (video_next && has_video) {
            rig.video(video_pts + (chance(10) ? pick(-15, 15) * kMs : 0));
            video_pts += kSecond * rig.fps.den / rig.fps.num;
            if (chance(2)) video_pts += pick(0, 3'000) * kMs;  // a hole
            if (chance(1)) video_pts -= pick(0, 5'000) * kMs;  // set back
        } else if (has_audio) {
            const auto samples = static_cast<std::uint32_t>(pick(1, rig.rate / 10));
            rig.audio(audio_pts + (chance(10) ? pick(-15, 15) * kMs : 0), samples);
            audio_pts += kSecond * samples / rig.rate;
            if (chance(2)) {
                rig.sample_index += rig.rate / 20;  // a lost block
                audio_pts += 50 * kMs;
            }
            if (chance(1)) audio_pts += pick(0, 3'000) * kMs;
            if (chance(1)) audio_pts -= pick(0, 5'000) * kMs;
            if (chance(1)) rig.rate = kInputRates[pick(0, 4)];
            if (chance(1)) ++rig.format_id;
        }
        if (!has_video) video_pts = audio_pts + kSecond;
        if (!has_audio) audio_pts = video_pts + kSecond;
        if (chance(1)) {
            rig.new_session();
            video_pts = audio_pts = pick(0, 1) * kSecond;
        }
        if (chance(1)) rig.timeline.flush(rig.video_id + 1, rig.audio_id + 1);
        ASSERT_FALSE(HasFatalFailure()) << "step " << step;
    }
    rig.finish();
    const TimelineCounters counters = rig.timeline.counters();
    EXPECT_LE(counters.silence_samples, counters.samples);
    EXPECT_LE(counters.repeated_frames, counters.frames);
}

// Without jumps the output is as long as the media, whatever was lost on the way.
void TimelineRandom::feed_media() {
    TimelineOptions options = random_options();
    options.shortest = false;
    Rig rig(options);
    constexpr std::uint32_t kInputRates[] = {44100, 48000, 16000};
    rig.fps = options.fps;
    rig.rate = kInputRates[pick(0, 2)];
    rig.frame_ns = kSecond * rig.fps.den / rig.fps.num;
    std::int64_t frame = 0;
    std::int64_t samples = 0;
    const std::int64_t frames = pick(1, 400);
    std::int64_t media_end = 0;
    std::vector<std::int64_t> frame_pts;  // by id - 1
    std::vector<std::int64_t> block_pts;
    while (frame < frames) {
        const std::int64_t video_pts = nearest(static_cast<Wide>(frame) * kSecond * rig.fps.den, rig.fps.num);
        const std::int64_t audio_pts = nearest(static_cast<Wide>(samples) * kSecond, rig.rate);
        const bool lost = (frame > 0 && samples > 0) && chance(10);
        if (video_pts <= audio_pts) {
            rig.at(video_pts);
            if (!lost) {
                rig.video(video_pts);
                frame_pts.push_back(video_pts);
                media_end = std::max(media_end, video_pts + rig.frame_ns);
            }
            ++frame;
        } else {
            const auto count = static_cast<std::uint32_t>(pick(1, rig.rate / 10));
            rig.at(audio_pts);
            if (lost) {
                rig.sample_index += count;
            } else {
                rig.audio(audio_pts, count);
                block_pts.push_back(audio_pts);
                media_end = std::max(media_end, audio_pts + nearest(static_cast<Wide>(count) * kSecond, rig.rate));
            }
            samples += count;
        }
        ASSERT_FALSE(HasFatalFailure());
    }
    rig.finish();
    const std::int64_t half_tick = kSecond * options.fps.den / options.fps.num / 2;
    const std::int64_t end_ns =
        nearest(static_cast<Wide>(rig.output.ticks()) * kSecond * options.fps.den, options.fps.num);
    EXPECT_NEAR(static_cast<double>(end_ns), static_cast<double>(media_end), static_cast<double>(half_tick) + 1000);
    for (std::size_t i = 0; i < frame_pts.size(); ++i) {
        const std::int64_t tick = nearest(static_cast<Wide>(frame_pts[i]) * options.fps.num, options.fps.den * kSecond);
        ASSERT_EQ(rig.output.tick_of(i + 1), tick) << "picture " << i + 1;
    }
    for (std::size_t i = 0; i < block_pts.size(); ++i) {
        const std::int64_t sample = nearest(static_cast<Wide>(block_pts[i]) * options.rate, kSecond);
        ASSERT_LE(std::abs(rig.output.sample_of(i + 1) - sample), 1) << "block " << i + 1;
    }
    EXPECT_EQ(rig.timeline.counters().dropped_frames, 0U);
    EXPECT_EQ(rig.timeline.counters().trimmed_samples, 0U);
}

TEST_P(TimelineRandom, keeps_its_promises_whatever_comes_in) {
    for_each_seed([this] { feed_anything(false); });
}

TEST_P(TimelineRandom, keeps_its_promises_and_the_clock_whatever_comes_in) {
    for_each_seed([this] {
        most_ahead_ns_ = most_behind_ns_ = INT64_MIN;
        begun_ns_ = Rig::kClockStart;
        feed_anything(true);
        EXPECT_LE(most_ahead_ns_, 90 * kMs) << "nothing leaves before it is due";
        EXPECT_LE(most_behind_ns_, 700 * kMs) << "whatever does not come is filled in";
    });
}

TEST_P(TimelineRandom, is_as_long_as_the_media) {
    for_each_seed([this] { feed_media(); });
}

INSTANTIATE_TEST_SUITE_P(Seeds, TimelineRandom, ::testing::Range(0U, 8U));

}  // namespace
}  // namespace ringcast::runtime::test
