// SPDX-License-Identifier: Apache-2.0
// on_stall=fill: the output lasts as long as the clock, whatever the producer does.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "timeline_live_rig.hpp"

namespace ringcast::runtime::test {
namespace {

using When = std::int64_t (*)(int);

constexpr int kNever = 1'000'000;  // ms
constexpr std::int64_t kWall = 10'000;

/// Ten seconds of a producer, and what must come out of them.
struct Pushes {
    const char* name;
    When frame_at;  // ms at which frame i (of 40 ms) is pushed; nullptr: no video
    When block_at;  // the same of block i (of 20 ms)
    bool explicit_pts;
    std::int64_t settled_ms;  // from this pts on sound and picture stand together as they were pushed; -1: not asked
    std::int64_t filled_ms;   // pictures that are not fresh
    std::int64_t silence_ms;
    std::int64_t delay_ms;
    std::uint64_t stalls;
    std::uint64_t trimmed_ms;
};
std::ostream& operator<<(std::ostream& out, const Pushes& pushes) {
    return out << pushes.name;
}

int count_before(When at, std::int64_t end) {
    int count = 0;
    while (at != nullptr && at(count) < end)
        ++count;
    return count;
}

class TimelineClock : public ::testing::TestWithParam<Pushes> {};

TEST_P(TimelineClock, lasts_as_long_as_the_clock) {
    const Pushes& pushes = GetParam();
    LiveRig rig;
    rig.explicit_pts = pushes.explicit_pts;
    rig.schedule_frames(count_before(pushes.frame_at, kWall), pushes.frame_at);
    rig.schedule_blocks(count_before(pushes.block_at, kWall), pushes.block_at);
    rig.run_to(kWall);

    // Behind the clock by no more than the margin of a missing track, or the lateness that is not yet made up for.
    EXPECT_GE(std::max(rig.video_ms(), rig.audio_ms()), kWall - 400);
    EXPECT_LE(std::max(rig.video_ms(), rig.audio_ms()), kWall + 40) << "nothing leaves before it is due";
    const TimelineCounters counters = rig.timeline.counters();
    EXPECT_EQ(static_cast<std::int64_t>(counters.repeated_frames) * 40, pushes.filled_ms);
    EXPECT_EQ(static_cast<std::int64_t>(counters.silence_samples) / 48, pushes.silence_ms);
    EXPECT_EQ(counters.delay_ns / kMs, pushes.delay_ms);
    EXPECT_EQ(counters.stalls, pushes.stalls);
    EXPECT_EQ(counters.trimmed_samples / 48, pushes.trimmed_ms);
    EXPECT_EQ(counters.late_samples, counters.trimmed_samples) << "nothing is trimmed here but what is late";
    EXPECT_EQ(counters.dropped_frames, 0U);
    if (pushes.settled_ms >= 0) {
        EXPECT_EQ(rig.worst_skew_ms(pushes.settled_ms), 0) << "both tracks are shifted by one amount";
    }
    rig.finish();
}

INSTANTIATE_TEST_SUITE_P(
    Table, TimelineClock,
    ::testing::Values(
        Pushes{"on_time", [](int i) -> std::int64_t { return 40 * i; }, [](int i) -> std::int64_t { return 20 * i; },
               false, 0, 0, 0, 0, 0, 0},
        Pushes{"bursts_of_16_every_640_ms", [](int i) -> std::int64_t { return i / 16 * 640; },
               [](int i) -> std::int64_t { return i / 32 * 640; }, false, 0, 0, 0, 0, 0, 0},
        Pushes{"bursts_of_16_every_640_ms_sound_on_time", [](int i) -> std::int64_t { return i / 16 * 640; },
               [](int i) -> std::int64_t { return 20 * i; }, false, 0, 0, 0, 0, 0, 0},
        Pushes{"bursts_of_16_at_their_end_sound_on_time", [](int i) -> std::int64_t { return (i / 16 + 1) * 640; },
               [](int i) -> std::int64_t { return 20 * i; }, false, 0, 0, 0, 0, 0, 0},
        Pushes{"bursts_of_16_every_700_ms", [](int i) -> std::int64_t { return i / 16 * 700; },
               [](int i) -> std::int64_t { return i / 32 * 700; }, false, 0, 720, 720, 0, 4, 0},
        Pushes{"bursts_of_16_every_700_ms_sound_on_time", [](int i) -> std::int64_t { return i / 16 * 700; },
               [](int i) -> std::int64_t { return 20 * i; }, false, -1, 680, 680, 680, 0, 0},
        Pushes{"frames_20_of_25_in_lockstep", [](int i) -> std::int64_t { return 50 * i; },
               [](int i) -> std::int64_t { return i / 2 * 50; }, false, 0, 1920, 1920, 0, 12, 0},
        Pushes{"frames_20_of_25_sound_on_time", [](int i) -> std::int64_t { return 50 * i; },
               [](int i) -> std::int64_t { return 20 * i; }, false, 0, 1920, 1920, 1920, 0, 0},
        Pushes{"frames_20_of_25_speech_pushed_at_once", [](int i) -> std::int64_t { return 50 * i; },
               [](int i) -> std::int64_t { return i < 400 ? 0 : kNever; }, false, 0, 1920, 1920, 0, 12, 0},
        Pushes{"frames_22_of_25_in_lockstep", [](int i) -> std::int64_t { return i * 1000 / 22; },
               [](int i) -> std::int64_t { return i / 2 * 1000 / 22; }, false, 0, 1120, 1120, 0, 7, 0},
        Pushes{"frames_22_of_25_sound_on_time", [](int i) -> std::int64_t { return i * 1000 / 22; },
               [](int i) -> std::int64_t { return 20 * i; }, false, 0, 1000, 1000, 1000, 0, 0},
        Pushes{"both_stall_for_2_s", [](int i) -> std::int64_t { return 40 * i + (i < 100 ? 0 : 2000); },
               [](int i) -> std::int64_t { return 20 * i + (i < 200 ? 0 : 2000); }, false, 0, 2000, 2000, 0, 1, 0},
        Pushes{"pictures_stall_for_2_s_sound_was_given_ahead",
               [](int i) -> std::int64_t { return 40 * i + (i < 100 ? 0 : 2000); },
               [](int i) -> std::int64_t { return std::max(0, 20 * i - 1000); }, false, 0, 2000, 2000, 0, 1, 0},
        Pushes{"sound_1_s_ahead", [](int i) -> std::int64_t { return 40 * i; },
               [](int i) -> std::int64_t { return std::max(0, 20 * i - 1000); }, false, 0, 0, 0, 0, 0, 0},
        Pushes{"sound_100_ms_late_is_in_time", [](int i) -> std::int64_t { return 40 * i; },
               [](int i) -> std::int64_t { return 20 * i + 100; }, false, 0, 0, 0, 0, 0, 0},
        Pushes{"sound_300_ms_late", [](int i) -> std::int64_t { return 40 * i; },
               [](int i) -> std::int64_t { return 20 * i + 300; }, false, 0, 280, 280, 280, 0, 0},
        Pushes{"sound_800_ms_late", [](int i) -> std::int64_t { return 40 * i; },
               [](int i) -> std::int64_t { return 20 * i + 800; }, false, 0, 800, 800, 800, 0, 0},
        Pushes{"explicit_sound_1500_ms_late", [](int i) -> std::int64_t { return 40 * i; },
               [](int i) -> std::int64_t { return 20 * i + 1500; }, true, 3000, 1520, 1520, 1520, 0, 0},
        Pushes{"explicit_sound_3_s_late_is_left_out", [](int i) -> std::int64_t { return 40 * i; },
               [](int i) -> std::int64_t { return 20 * i + 3000; }, true, 0, 0, 9780, 0, 0, 7000},
        Pushes{"sound_only_while_speaking", [](int i) -> std::int64_t { return 40 * i; },
               [](int i) -> std::int64_t { return i / 50 * 3000 + i % 50 * 20; }, false, -1, 0, 6000, 0, 0, 0},
        Pushes{"sound_first_after_5_s", [](int i) -> std::int64_t { return 40 * i; },
               [](int i) -> std::int64_t { return 20 * i + 5000; }, false, -1, 0, 5000, 0, 0, 0},
        Pushes{"sound_at_80_percent", [](int i) -> std::int64_t { return 40 * i; },
               [](int i) -> std::int64_t { return 25 * i; }, false, 0, 1920, 1920, 1920, 0, 0},
        Pushes{"no_sound", [](int i) -> std::int64_t { return 40 * i; }, nullptr, false, -1, 0, 9760, 0, 0, 0},
        Pushes{"no_picture", nullptr, [](int i) -> std::int64_t { return 20 * i; }, false, -1, 9760, 0, 0, 0, 0},
        Pushes{"picture_first_after_5_s", [](int i) -> std::int64_t { return 40 * i + 5000; },
               [](int i) -> std::int64_t { return 20 * i; }, false, -1, 5000, 0, 0, 0, 0},
        Pushes{"picture_stops_after_4_s", [](int i) -> std::int64_t { return i < 100 ? 40 * i : kNever; },
               [](int i) -> std::int64_t { return 20 * i; }, false, 0, 5760, 0, 0, 0, 0}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace ringcast::runtime::test
