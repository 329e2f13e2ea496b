// SPDX-License-Identifier: Apache-2.0
/// A producer whose records come when a table says, and a sink that keeps the presentation clock: both virtual.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <vector>

#include "timeline_rig.hpp"

namespace ringcast::runtime::test {

inline TimelineOptions live_options() {
    TimelineOptions options;
    options.fill = true;
    return options;
}

/// ms at which frame or block i is pushed by a producer that is on time.
inline std::int64_t on_time_frame(int i) {
    return i * 40;
}
inline std::int64_t on_time_block(int i) {
    return i * 20;
}

/// Counted 25 fps and 20 ms blocks of 48 kHz; only the moment of the push varies.
class LiveRig : public Rig {
public:
    static constexpr std::int64_t kFrame = 40 * kMs;
    static constexpr std::int64_t kBlock = 20 * kMs;

    explicit LiveRig(const TimelineOptions& options = live_options()) : Rig(options), options_(options) {
        timeline.advance(now_ns);
    }

    void schedule(std::int64_t ms, std::function<void()> push) { events_.push_back({ms * kMs, std::move(push)}); }
    /// Frame i with pts first + i · 40 ms is pushed at at(i) ms.
    void schedule_frames(int count, const std::function<std::int64_t(int)>& at, std::int64_t first_ms = 0) {
        for (int i = 0; i < count; ++i) {
            schedule(at(i), [this, i, first_ms] {
                video_pts_[video_id + 1] = first_ms * kMs + i * kFrame;
                video(first_ms * kMs + i * kFrame);
            });
        }
    }
    void schedule_blocks(int count, const std::function<std::int64_t(int)>& at, std::int64_t first_ms = 0) {
        for (int i = 0; i < count; ++i) {
            schedule(at(i), [this, i, first_ms] {
                audio_pts_[audio_id + 1] = first_ms * kMs + i * kBlock;
                audio(first_ms * kMs + i * kBlock, 960);
            });
        }
    }

    /// A block of 20 ms whose 10 ms pieces are quiet where the bits say.
    void audio_with_quiet(std::int64_t pts_ns, std::uint64_t quiet) {
        quiet_bits = quiet;
        audio(pts_ns, 960);
        quiet_bits = 0;
    }

    /// Runs the clock to `ms` after the start: pushes what is due, and wakes when the timeline asks for it.
    void run_to(std::int64_t ms) {
        std::stable_sort(events_.begin() + next_event_, events_.end(),
                         [](const Event& a, const Event& b) { return a.at_ns < b.at_ns; });
        const std::int64_t end = kClockStart + ms * kMs;
        while (!::testing::Test::HasFatalFailure()) {
            const bool pending = static_cast<std::size_t>(next_event_) < events_.size();
            const std::int64_t push = pending ? kClockStart + event().at_ns : INT64_MAX;
            const std::int64_t due = timeline.next_due_ns().value_or(INT64_MAX);
            if (std::min(push, due) > end) break;
            if (due < push) {
                now_ns = std::max(now_ns, due);
            } else {
                now_ns = push;
                // All that becomes readable at one moment is read before the clock is looked at.
                while (static_cast<std::size_t>(next_event_) < events_.size() &&
                       kClockStart + event().at_ns <= now_ns) {
                    const auto push_record = event().push;
                    ++next_event_;
                    push_record();
                }
            }
            timeline.advance(now_ns);
            drain();
        }
        now_ns = std::max(now_ns, end);
    }

    /// How far the sound that was pushed from `from_ms` on (by its pts) is from its picture, at worst, in ms; sound
    /// without a place of its own is left out.
    [[nodiscard]] double worst_skew_ms(std::int64_t from_ms, std::int64_t to_ms = INT64_MAX / kMs) const {
        double worst = 0;
        for (const auto& [video_number, pts] : video_pts_) {
            if (pts < from_ms * kMs || pts >= to_ms * kMs || output.tick_of(video_number) < 0) continue;
            for (const auto& [audio_number, audio_pts] : audio_pts_) {
                if (audio_pts != pts || output.sample_of(audio_number) < 0) continue;
                const double picture = static_cast<double>(output.tick_of(video_number)) * 40;
                const double sound = static_cast<double>(output.sample_of(audio_number)) / 48;
                worst = std::max(worst, std::abs(sound - picture));
            }
        }
        return worst;
    }
    /// Output length so far, in ms.
    [[nodiscard]] std::int64_t video_ms() const { return output.ticks() * 40; }
    [[nodiscard]] std::int64_t audio_ms() const { return output.sample_end() / 48; }

private:
    struct Event {
        std::int64_t at_ns;
        std::function<void()> push;
    };
    [[nodiscard]] const Event& event() const { return events_[static_cast<std::size_t>(next_event_)]; }

    TimelineOptions options_;
    std::vector<Event> events_;
    std::ptrdiff_t next_event_ = 0;
    std::map<std::uint64_t, std::int64_t> video_pts_;
    std::map<std::uint64_t, std::int64_t> audio_pts_;
};

}  // namespace ringcast::runtime::test
