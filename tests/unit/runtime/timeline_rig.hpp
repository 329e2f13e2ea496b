// SPDX-License-Identifier: Apache-2.0
/// Feeds a timeline from a virtual clock and holds every operation against what a timeline promises.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/timeline.hpp"

namespace ringcast::runtime::test {

__extension__ using Wide = __int128;

inline constexpr std::int64_t kMs = 1'000'000;
inline constexpr std::int64_t kSecond = 1'000 * kMs;

/// Nearest, halves up; written apart from the code under test.
inline std::int64_t nearest(Wide num, Wide den) {
    Wide quotient = num / den;
    Wide rest = num % den;
    if (rest < 0) {
        rest += den;
        --quotient;
    }
    return static_cast<std::int64_t>(2 * rest >= den ? quotient + 1 : quotient);
}

/// Checks each operation and writes the output down in short: pictures as "7" (fresh), "7r" (repeat), "_" (slate), "#"
/// (stall slate), runs as "7r*3"; sound as "[48000]" (segment), "c480" (copied input samples), "s480" (silence),
/// neighbours joined.
class OutputCheck {
public:
    explicit OutputCheck(const TimelineOptions& options) : options_(options) {}

    void take(const Operation& operation) {
        ASSERT_FALSE(ended_) << "an operation after the end";
        std::visit([this](const auto& each) { on(each); }, operation);
    }

    [[nodiscard]] std::string pictures() const { return join(pictures_); }
    [[nodiscard]] std::string sounds() const { return join(sounds_); }
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] EndOutput end() const { return end_; }
    [[nodiscard]] std::int64_t ticks() const { return next_tick_; }
    [[nodiscard]] std::int64_t sample_end() const { return sample_end_; }
    [[nodiscard]] bool may_leave_ticks_out() const { return options_.lag_limit_ns != 0; }
    [[nodiscard]] std::int64_t fresh() const { return fresh_; }
    [[nodiscard]] std::int64_t copied() const { return copied_; }
    [[nodiscard]] std::int64_t silence() const { return silence_; }
    /// Where a record's first copied sample, and a fresh picture, stands in the output; -1: nowhere.
    [[nodiscard]] std::int64_t sample_of(std::uint64_t id) const { return find(sample_of_, id); }
    [[nodiscard]] std::int64_t tick_of(std::uint64_t id) const { return find(tick_of_, id); }

private:
    struct Run {
        std::string head;
        std::int64_t count;
        bool counted_only;  // "c480", not "7*2"
    };

    void on(const EmitFrame& frame) {
        if (!may_leave_ticks_out()) {
            ASSERT_EQ(frame.tick, next_tick_) << "ticks rise by exactly one";
        }
        ASSERT_GE(frame.tick, next_tick_);
        next_tick_ = frame.tick + 1;
        if (frame.kind == FrameKind::fresh) {
            ++fresh_;
            tick_of_[frame.id] = frame.tick;
        }
        const char* suffix = frame.kind == FrameKind::repeat ? "r" : "";
        std::string name = std::to_string(frame.id) + suffix;
        if (frame.kind == FrameKind::slate) name = "_";
        if (frame.kind == FrameKind::stall_slate) name = "#";
        append(pictures_, name, 1, false);
    }

    void on(const StartSegment& segment) {
        // A whole number of input samples may stop short of the position; never by one of them.
        const Wide missing =
            static_cast<Wide>(segment.position - start_) * input_rate_ - static_cast<Wide>(input_) * options_.rate;
        if (input_rate_ != 0) {
            ASSERT_GE(segment.position, sample_end_);
            ASSERT_LT(missing, static_cast<Wide>(options_.rate) + input_rate_);
        } else {
            ASSERT_EQ(segment.position, 0);
        }
        ASSERT_TRUE(!segment.silence_only || segment.input_rate == options_.rate);
        silence_only_ = segment.silence_only;
        start_ = segment.position;
        input_ = 0;
        input_rate_ = segment.input_rate;
        sample_end_ = start_;
        append(sounds_, "[" + std::to_string(input_rate_) + "]", 1, false);
    }

    void on(const CopySamples& copy) {
        ASSERT_FALSE(silence_only_);
        ASSERT_GT(copy.count, 0U);
        if (!sample_of_.contains(copy.id)) sample_of_[copy.id] = copy.position;
        copied_ += copy.count;
        advance(copy.position, copy.count);
        append(sounds_, "c", copy.count, true);
    }

    void on(const EmitSilence& silence) {
        ASSERT_GT(silence.count, 0U);
        ASSERT_LE(silence.count, input_rate_ / 10) << "at most 100 ms in one operation";
        silence_ += silence.count;
        advance(silence.position, silence.count);
        append(sounds_, "s", silence.count, true);
    }

    void on(const EndOutput& end) {
        ended_ = true;
        end_ = end;
        ASSERT_EQ(end.ticks, next_tick_);
        ASSERT_GE(end.samples, sample_end_);
        ASSERT_TRUE(input_rate_ == 0 || end.samples - sample_end_ <= options_.rate / input_rate_ + 1);
        // |A - V| <= half a tick, and half a sample for the rounding.
        const Wide sound = static_cast<Wide>(end.samples) * options_.fps.num;
        const Wide picture = static_cast<Wide>(end.ticks) * options_.fps.den * options_.rate;
        const Wide apart = sound > picture ? sound - picture : picture - sound;
        ASSERT_LE(2 * apart, static_cast<Wide>(options_.fps.den) * options_.rate + options_.fps.num);
    }

    void advance(std::int64_t position, std::uint32_t count) {
        ASSERT_NE(input_rate_, 0U) << "samples before a segment";
        ASSERT_EQ(position, sample_end_) << "sound without hole or overlap";
        input_ += count;
        sample_end_ = start_ + nearest(static_cast<Wide>(input_) * options_.rate, input_rate_);
    }

    static void append(std::vector<Run>& runs, const std::string& head, std::int64_t count, bool counted_only) {
        if (!runs.empty() && runs.back().head == head && runs.back().counted_only == counted_only) {
            runs.back().count += count;
        } else {
            runs.push_back({head, count, counted_only});
        }
    }
    static std::string join(const std::vector<Run>& runs) {
        std::string text;
        for (const Run& run : runs) {
            if (!text.empty()) text += ' ';
            text += run.head;
            if (run.counted_only) {
                text += std::to_string(run.count);
            } else if (run.count > 1) {
                text += "*" + std::to_string(run.count);
            }
        }
        return text;
    }
    static std::int64_t find(const std::map<std::uint64_t, std::int64_t>& places, std::uint64_t id) {
        const auto place = places.find(id);
        return place == places.end() ? -1 : place->second;
    }

    TimelineOptions options_;
    std::vector<Run> pictures_;
    std::vector<Run> sounds_;
    std::map<std::uint64_t, std::int64_t> sample_of_;
    std::map<std::uint64_t, std::int64_t> tick_of_;
    std::int64_t next_tick_ = 0;
    std::int64_t fresh_ = 0;
    std::int64_t copied_ = 0;
    std::int64_t silence_ = 0;
    std::int64_t start_ = 0;
    std::int64_t input_ = 0;
    std::uint32_t input_rate_ = 0;
    bool silence_only_ = true;
    std::int64_t sample_end_ = 0;
    bool ended_ = false;
    EndOutput end_;
};

/// A producer of counted video and audio on a virtual clock, and the timeline behind it.
class Rig {
public:
    explicit Rig(const TimelineOptions& options = {}) : timeline(options), output(options) {}

    /// One frame at pts; ids count from 1.
    bool video(std::int64_t pts_ns) {
        VideoRecord record;
        record.id = ++video_id;
        record.pts_ns = pts_ns;
        record.duration_ns = frame_ns;
        record.capture_time_ns = now_ns;
        record.session = session;
        record.explicit_pts = explicit_pts;
        const bool wanted = timeline.wants_video(record);
        const bool kept = timeline.on_video(record);
        EXPECT_TRUE(wanted || !kept) << "wants_video() must not refuse what on_video() keeps";
        drain();
        return kept;
    }

    /// One block at pts; the sample index goes on by itself.
    bool audio(std::int64_t pts_ns, std::uint32_t samples) {
        AudioRecord record;
        record.id = ++audio_id;
        record.pts_ns = pts_ns;
        record.capture_time_ns = now_ns;
        record.session = session;
        record.sample_index = sample_index;
        record.sample_count = samples;
        record.sample_rate = rate;
        record.format_id = format_id;
        record.explicit_pts = explicit_pts;
        record.quiet = quiet_bits;
        sample_index += samples;
        const bool kept = timeline.on_audio(record);
        drain();
        return kept;
    }

    /// A run of counted frames or 20 ms blocks from a pts; the clock follows the media.
    void frames(std::int64_t first_ns, int count) {
        for (int i = 0; i < count; ++i) {
            const std::int64_t pts_ns = first_ns + nearest(static_cast<Wide>(i) * kSecond * fps.den, fps.num);
            at(pts_ns);
            video(pts_ns);
        }
    }
    void blocks(std::int64_t first_ns, int count) {
        for (int i = 0; i < count; ++i) {
            const std::uint32_t samples = rate / 50;
            const std::int64_t pts_ns = first_ns + nearest(static_cast<Wide>(i) * samples * kSecond, rate);
            at(pts_ns);
            audio(pts_ns, samples);
        }
    }
    /// Both, in step, as one producer pushes them.
    void both(std::int64_t first_ns, int ms) {
        const std::int64_t end_ns = first_ns + ms * kMs;
        std::int64_t block_ns = first_ns;
        for (std::int64_t frame = 0;; ++frame) {
            const std::int64_t frame_pts = first_ns + nearest(static_cast<Wide>(frame) * kSecond * fps.den, fps.num);
            const std::int64_t until = frame_pts < end_ns ? frame_pts : end_ns;
            for (; block_ns < until; block_ns += 20 * kMs)
                blocks(block_ns, 1);
            if (frame_pts >= end_ns) break;
            at(frame_pts);
            video(frame_pts);
        }
    }

    /// A new life of the producer: counts start again.
    void new_session() {
        ++session;
        sample_index = 0;
    }

    void finish() {
        timeline.finish();
        drain();
        EXPECT_TRUE(output.ended());
        EXPECT_TRUE(timeline.ended());
        const TimelineCounters counters = timeline.counters();
        if (!output.may_leave_ticks_out()) {
            EXPECT_EQ(static_cast<std::int64_t>(counters.frames), output.ticks());
        }
        EXPECT_EQ(static_cast<std::int64_t>(counters.frames - counters.repeated_frames), output.fresh());
        EXPECT_EQ(counters.frames - counters.repeated_frames + counters.dropped_frames, video_id);
        EXPECT_EQ(static_cast<std::int64_t>(counters.samples), output.end().samples);
    }

    void drain() {
        while (true) {
            const auto operation = timeline.pop();
            if (!operation) break;
            if (const auto* frame = std::get_if<EmitFrame>(&*operation); frame && frame->kind != FrameKind::slate) {
                EXPECT_GE(frame->id, timeline.video_needed_from());
                EXPECT_GE(frame->id, forgotten_video_) << "a picture that was not needed any more";
            }
            if (const auto* copy = std::get_if<CopySamples>(&*operation)) {
                EXPECT_GE(copy->id, timeline.audio_needed_from());
                EXPECT_GE(copy->id, forgotten_audio_) << "samples that were not needed any more";
            }
            forgotten_video_ = timeline.video_needed_from();
            forgotten_audio_ = timeline.audio_needed_from();
            output.take(*operation);
            if (::testing::Test::HasFatalFailure()) return;
        }
        forgotten_video_ = timeline.video_needed_from();
        forgotten_audio_ = timeline.audio_needed_from();
    }

    void at(std::int64_t media_ns) { now_ns = std::max(now_ns, kClockStart + media_ns); }

    static constexpr std::int64_t kClockStart = 5'000 * kSecond;

    Timeline timeline;
    OutputCheck output;
    std::int64_t now_ns = kClockStart;
    std::uint64_t session = 77;
    Rational fps{25, 1};
    std::int64_t frame_ns = 0;
    std::uint32_t rate = 48000;
    std::uint32_t format_id = 1;
    bool explicit_pts = false;
    std::uint64_t quiet_bits = 0;
    std::uint64_t sample_index = 0;
    std::uint64_t video_id = 0;
    std::uint64_t audio_id = 0;

private:
    std::uint64_t forgotten_video_ = 0;
    std::uint64_t forgotten_audio_ = 0;
};

}  // namespace ringcast::runtime::test
