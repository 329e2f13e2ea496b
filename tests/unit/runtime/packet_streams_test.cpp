// SPDX-License-Identifier: Apache-2.0
#include "runtime/packet_streams.hpp"

#include <gtest/gtest.h>

#include <array>

#include "runtime/passed_video.hpp"

namespace ringcast::runtime {
namespace {

constexpr std::array<std::byte, 8> kConfig{std::byte{1}, std::byte{77}, std::byte{0}, std::byte{30}};

Record config_of(Codec codec, std::uint32_t id, std::span<const std::byte> bytes = kConfig) {
    Record record;
    record.flags = layout::kFlagConfig;
    record.stream_id = id;
    record.payload = bytes;
    record.caps.format = static_cast<std::uint32_t>(codec);
    if (codec == Codec::h264 || codec == Codec::h265) {
        record.caps.width = 640;
        record.caps.height = 360;
        record.caps.fps_num = 30000;
        record.caps.fps_den = 1001;
    } else {
        record.caps.sample_rate = 44100;
        record.caps.channels = 2;
    }
    return record;
}

TEST(PacketStreams, the_first_stream_of_each_kind_is_kept) {
    PassedStreams streams;
    EXPECT_FALSE(streams.take(config_of(Codec::h264, 3)));
    EXPECT_FALSE(streams.take(config_of(Codec::aac, 4)));
    EXPECT_FALSE(streams.take(config_of(Codec::h265, 5)));
    ASSERT_TRUE(streams.video && streams.audio);
    EXPECT_EQ(streams.video->id, 3U);
    EXPECT_EQ(streams.video->config.size(), kConfig.size());
    EXPECT_EQ(streams.audio->id, 4U);
}

TEST(PacketStreams, the_same_configuration_again_is_no_change_and_another_is) {
    PassedStreams streams;
    EXPECT_FALSE(streams.take(config_of(Codec::h264, 0)));
    EXPECT_FALSE(streams.take(config_of(Codec::h264, 0)));
    EXPECT_TRUE(streams.take(config_of(Codec::h264, 0, std::span(kConfig).first(7))));
    Record larger = config_of(Codec::h264, 0, std::span(kConfig).first(7));
    larger.caps.width = 1280;
    EXPECT_TRUE(streams.take(larger));
    EXPECT_FALSE(streams.take(config_of(Codec::aac, 1)));
    EXPECT_FALSE(streams.take(config_of(Codec::aac, 1)));
    Record faster = config_of(Codec::aac, 1);
    faster.caps.sample_rate = 48000;
    EXPECT_TRUE(streams.take(faster));
}

TEST(PacketStreams, caps_that_describe_nothing_are_not_taken) {
    PassedStreams streams;
    Record record = config_of(Codec::h264, 0);
    record.caps.width = 0;
    EXPECT_FALSE(streams.take(record));
    record = config_of(Codec::aac, 1);
    record.caps.sample_rate = 0;
    EXPECT_FALSE(streams.take(record));
    record = config_of(Codec::h264, 0);
    record.caps.format = 99;
    EXPECT_FALSE(streams.take(record));
    record = config_of(Codec::h264, 0);
    record.flags = layout::kFlagKey;
    EXPECT_FALSE(streams.take(record));
    EXPECT_FALSE(streams.video || streams.audio);
}

TEST(PacketStreams, ticks_are_whole_parts_of_frames_at_any_rate_caps_may_say) {
    struct Case {
        Rational said;
        Rational ticks;
        std::uint32_t timebase;
    };
    for (const Case& c : {Case{{25, 1}, {100, 1}, 90'000}, Case{{30000, 1001}, {120000, 1001}, 90'000},
                          Case{{24000, 1001}, {96000, 1001}, 96'000}, Case{{0, 0}, {100, 1}, 90'000},
                          Case{{4'000'000'000U, 4'000'000U}, {100, 1}, 90'000}, Case{{1, 0}, {100, 1}, 90'000}}) {
        PassedStreams streams;
        streams.take(config_of(Codec::h264, 0));
        streams.video->format.fps = c.said;
        EXPECT_EQ(PassedVideo::ticks_of(streams), c.ticks) << c.said.num;
        const PassedVideo video(streams);
        EXPECT_EQ(video.stream().timebase, (Rational{1, c.timebase})) << c.said.num;
        EXPECT_EQ(std::uint64_t{c.timebase} * video.stream().fps.den % video.stream().fps.num, 0U) << c.said.num;
    }
}

}  // namespace
}  // namespace ringcast::runtime
