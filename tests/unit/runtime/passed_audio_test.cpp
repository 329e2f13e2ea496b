// SPDX-License-Identifier: Apache-2.0
#include "runtime/passed_audio.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "ringcast/error.hpp"

namespace ringcast::runtime {
namespace {

constexpr std::uint32_t kId = 3;
constexpr std::array<std::byte, 9> kFrame{std::byte{0x21}, std::byte{0x10}};

PassedStream aac(std::uint32_t rate = 48000) {
    PassedStream stream;
    stream.id = kId;
    stream.format.codec = Codec::aac;
    stream.format.rate = rate;
    stream.format.channels = 2;
    stream.config = {0x11, 0x90};
    return stream;
}

Record packet(std::uint64_t index, std::span<const std::byte> bytes = kFrame) {
    Record record;
    record.index = index;
    record.stream_id = kId;
    record.duration_ns = 21'333'333;
    record.payload = bytes;
    return record;
}

std::vector<Packet> copies(PassedAudio& audio, const std::vector<CopySamples>& operations) {
    std::vector<Packet> sent;
    for (const CopySamples& samples : operations)
        audio.copy(samples, [&](Packet&& out) { sent.push_back(std::move(out)); });
    return sent;
}

TEST(PassedAudio, a_packet_stands_for_the_samples_it_decodes_to) {
    struct Case {
        Codec codec;
        std::uint32_t rate;
        std::int64_t duration_ns;
        std::uint32_t samples;
    };
    for (const Case& c : {Case{Codec::aac, 44100, 23'219'955, 1024}, Case{Codec::aac, 44100, 23'000'000, 1024},
                          Case{Codec::aac, 48000, 21'000'000, 1024}, Case{Codec::aac, 48000, 0, 1024},
                          Case{Codec::aac, 44100, 46'000'000, 2048}, Case{Codec::aac, 48000, 20'000'000, 960},
                          Case{Codec::aac, 48000, -5, 1024}, Case{Codec::opus, 48000, 20'000'000, 960},
                          Case{Codec::opus, 48000, 2'500'000, 120}, Case{Codec::opus, 48000, 60'000'000, 2880},
                          Case{Codec::aac, 48000, INT64_MAX, 48000}}) {
        PacketFormat format;
        format.codec = c.codec;
        format.rate = c.rate;
        EXPECT_EQ(PassedAudio::samples_of(format, c.duration_ns), c.samples) << c.duration_ns;
    }
}

TEST(PassedAudio, a_packet_leaves_whole_with_its_first_sample_and_only_once) {
    PassedAudio audio(aac());
    const auto first = audio.take(packet(0));
    const auto second = audio.take(packet(1));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(second->sample_index, first->sample_index + 1024);
    EXPECT_EQ(audio.bytes_held(), 2 * kFrame.size());
    const auto sent =
        copies(audio, {{100, first->id, 0, 10, 0}, {110, first->id, 10, 1014, 0}, {1124, second->id, 0, 1024, 0}});
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0].pts, 100);
    EXPECT_EQ(sent[0].duration, 1024);
    EXPECT_EQ(sent[0].data().size(), kFrame.size());
    EXPECT_EQ(sent[1].pts, 1124);
    EXPECT_EQ(audio.bytes_held(), 0U);
}

TEST(PassedAudio, a_packet_whose_first_samples_have_no_place_is_left_out) {
    PassedAudio audio(aac());
    const auto trimmed = audio.take(packet(0));
    const auto whole = audio.take(packet(1));
    const auto sent = copies(audio, {{0, trimmed->id, 441, 583, 0}, {583, whole->id, 0, 1024, 0}});
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].pts, 583);
}

TEST(PassedAudio, other_streams_are_not_taken_and_another_coding_needs_another_output) {
    PassedAudio audio(aac());
    Record other = packet(0);
    other.stream_id = kId + 1;
    EXPECT_FALSE(audio.take(other));
    Record config = packet(1);
    config.flags = layout::kFlagConfig;
    config.caps.format = static_cast<std::uint32_t>(Codec::aac);
    config.caps.sample_rate = 44100;
    config.caps.channels = 2;
    EXPECT_FALSE(audio.take(config));
    EXPECT_TRUE(audio.needs_new_output());
    ASSERT_TRUE(audio.next_streams() && audio.next_streams()->audio);
    EXPECT_EQ(audio.next_streams()->audio->format.rate, 44100U);
    EXPECT_FALSE(audio.take(packet(2)));
}

TEST(PassedAudio, what_no_container_takes_is_told) {
    PassedStream bare = aac();
    bare.config.clear();
    EXPECT_THROW(PassedAudio{bare}, Error);
    PassedAudio audio(aac());
    constexpr std::array<std::byte, 9> kAdts{std::byte{0xFF}, std::byte{0xF1}, std::byte{0x4C}};
    EXPECT_THROW(static_cast<void>(audio.take(packet(0, kAdts))), Error);
}

}  // namespace
}  // namespace ringcast::runtime
