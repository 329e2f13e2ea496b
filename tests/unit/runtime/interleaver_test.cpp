// SPDX-License-Identifier: Apache-2.0
#include "runtime/interleaver.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace ringcast::runtime {
namespace {

/// Packets are texts: "v3" is video dts 3 (40 ms ticks), "a960" audio dts 960 (48 kHz).
class Rig {
public:
    explicit Rig(const InterleaverOptions& options) : interleaver(options) {}
    std::string video(std::int64_t dts) {
        EXPECT_TRUE(interleaver.push(Track::video, dts, "v" + std::to_string(dts)));
        return left();
    }
    std::string audio(std::int64_t dts) {
        EXPECT_TRUE(interleaver.push(Track::audio, dts, "a" + std::to_string(dts)));
        return left();
    }
    std::string end(Track track) {
        interleaver.end(track);
        return left();
    }
    std::string left() {
        std::string text;
        while (const auto packet = interleaver.pop())
            text += (text.empty() ? "" : " ") + *packet;
        return text;
    }
    Interleaver<std::string> interleaver;
};

InterleaverOptions bounded() {
    InterleaverOptions options;
    options.mode = InterleaveMode::bounded;
    return options;
}

TEST(Interleaver, leaves_out_what_waits_from_the_cut_on) {
    Rig rig(InterleaverOptions{});
    for (const std::int64_t dts : {0, 960, 1920, 2880})
        EXPECT_EQ(rig.audio(dts), "");
    EXPECT_EQ(rig.video(0), "v0 a0");
    rig.interleaver.cut(Track::audio, 1920, 48000);
    EXPECT_EQ(rig.end(Track::video), "a960") << "one picture is 1920 samples long";
}

TEST(InterleaverStrict, packets_leave_in_dts_order_video_first_when_equal) {
    Rig rig({});
    EXPECT_EQ(rig.video(0), "");
    EXPECT_EQ(rig.audio(-1024), "a-1024");  // the encoder's padding comes before the first picture
    EXPECT_EQ(rig.audio(0), "v0 a0");
    EXPECT_EQ(rig.audio(1920), "");  // 40 ms: the picture of tick 1 goes first
    EXPECT_EQ(rig.video(1), "v1 a1920");
    EXPECT_EQ(rig.video(2), "");
    EXPECT_EQ(rig.audio(3000), "a3000");  // 62.5 ms is before tick 2
    EXPECT_EQ(rig.audio(4024), "v2");     // 83.8 ms is after it
    EXPECT_EQ(rig.video(3), "a4024");
}

TEST(InterleaverStrict, a_packet_waits_for_the_other_track_however_long) {
    Rig rig({});
    for (int tick = 0; tick < 1000; ++tick)
        EXPECT_EQ(rig.video(tick), "");
    EXPECT_EQ(rig.interleaver.size(), 1000U);
    EXPECT_EQ(rig.audio(1919), "v0 a1919");
    EXPECT_EQ(rig.audio(1920), "v1 a1920");
}

TEST(InterleaverStrict, an_ended_track_is_not_waited_for) {
    Rig rig({});
    EXPECT_EQ(rig.video(0), "");
    EXPECT_EQ(rig.video(1), "");
    EXPECT_EQ(rig.end(Track::audio), "v0 v1");
    EXPECT_EQ(rig.video(2), "v2");
    EXPECT_EQ(rig.end(Track::video), "");
    EXPECT_EQ(rig.interleaver.size(), 0U);
}

TEST(InterleaverStrict, what_is_left_leaves_in_order_after_both_ends) {
    Rig rig({});
    EXPECT_EQ(rig.video(3), "");
    EXPECT_EQ(rig.audio(960), "a960");
    EXPECT_EQ(rig.video(4), "");
    EXPECT_EQ(rig.end(Track::audio), "v3 v4");
}

TEST(InterleaverStrict, compares_timebases_exactly_after_a_year) {
    InterleaverOptions options;
    options.video_timebase = {1001, 30000};
    options.audio_timebase = {1, 44100};
    Rig rig(options);
    constexpr std::int64_t kTick = 945'000'000;  // a year of NTSC frames, a multiple of 100
    constexpr std::int64_t kSample =
        kTick / 100 * 1001 / 10 * 1470;  // the very same moment: 147147 samples per 100 ticks
    EXPECT_EQ(rig.video(kTick), "");
    EXPECT_EQ(rig.audio(kSample - 1), "a" + std::to_string(kSample - 1));
    EXPECT_EQ(rig.interleaver.size(), 1U) << "one sample before the picture is not the picture's time";
    EXPECT_EQ(rig.audio(kSample), "v" + std::to_string(kTick) + " a" + std::to_string(kSample));
}

TEST(Interleaver, refuses_a_dts_that_does_not_rise) {
    Rig rig({});
    EXPECT_EQ(rig.video(5), "");
    EXPECT_FALSE(rig.interleaver.push(Track::video, 5, "again"));
    EXPECT_FALSE(rig.interleaver.push(Track::video, 4, "back"));
    EXPECT_EQ(rig.end(Track::audio), "v5");
    EXPECT_FALSE(rig.interleaver.push(Track::video, 5, "still"));
}

TEST(Interleaver, moves_packets_that_cannot_be_copied) {
    Interleaver<std::unique_ptr<int>> interleaver({});
    ASSERT_TRUE(interleaver.push(Track::video, 0, std::make_unique<int>(7)));
    interleaver.end(Track::audio);
    EXPECT_EQ(**interleaver.pop(), 7);
}

TEST(InterleaverBounded, video_never_waits_for_sound_that_is_in_step) {
    Rig rig(bounded());
    rig.video(0);
    rig.audio(0);
    // AAC of 1024 samples with one packet of delay: sound is 43 ms behind at worst, and still each picture leaves at
    // once.
    std::int64_t audio_dts = 0;
    for (std::int64_t tick = 1; tick < 500; ++tick) {
        while ((audio_dts + 2 * 1024) * 25 <= tick * 48000) {
            audio_dts += 1024;
            rig.audio(audio_dts);
        }
        EXPECT_EQ(rig.video(tick), "v" + std::to_string(tick));
    }
}

TEST(InterleaverBounded, video_waits_when_sound_trails_by_more_than_60_ms) {
    Rig rig(bounded());
    EXPECT_EQ(rig.audio(0), "");
    EXPECT_EQ(rig.video(0), "v0 a0");
    EXPECT_EQ(rig.video(1), "v1");  // 40 ms ahead
    EXPECT_EQ(rig.video(2), "");    // 80 ms
    EXPECT_EQ(rig.audio(960), "a960 v2");
}

TEST(InterleaverBounded, the_lower_dts_goes_first_when_both_wait) {
    Rig rig(bounded());
    EXPECT_EQ(rig.video(0), "");
    EXPECT_EQ(rig.audio(-1024), "a-1024 v0");
    EXPECT_EQ(rig.video(3), "");
    EXPECT_EQ(rig.video(4), "");
    EXPECT_EQ(rig.audio(4800), "a4800 v3 v4");
}

TEST(InterleaverBounded, a_silent_track_holds_the_other_for_a_second_at_most) {
    Rig rig(bounded());
    for (int tick = 0; tick < 25; ++tick)
        EXPECT_EQ(rig.video(tick), "");
    EXPECT_EQ(rig.video(25), "v0");
    EXPECT_EQ(rig.video(26), "v1");
}

}  // namespace
}  // namespace ringcast::runtime
