// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "rtmp/chunk_reader.hpp"

namespace ringcast::sink {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

/// A full header.
Bytes head(std::uint8_t channel, std::uint32_t time, std::uint32_t size, std::uint8_t type) {
    return {channel,
            static_cast<std::uint8_t>(time >> 16U),
            static_cast<std::uint8_t>(time >> 8U),
            static_cast<std::uint8_t>(time),
            static_cast<std::uint8_t>(size >> 16U),
            static_cast<std::uint8_t>(size >> 8U),
            static_cast<std::uint8_t>(size),
            type,
            0,
            0,
            0,
            0};
}

std::vector<RtmpMessage> read_all(ChunkReader& reader, const Bytes& bytes, std::size_t step) {
    std::vector<RtmpMessage> messages;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        reader.feed(std::span(bytes).subspan(at, std::min(step, bytes.size() - at)));
        while (auto message = reader.next())
            messages.push_back(std::move(*message));
    }
    return messages;
}

TEST(ChunkReader, puts_interleaved_messages_together_however_the_bytes_come) {
    const Bytes first(200, 0x11);
    const Bytes second(130, 0x22);
    const Bytes bytes = joined({head(3, 1, 200, 20),
                                Bytes(128, 0x11),
                                head(5, 1, 130, 4),
                                Bytes(128, 0x22),
                                {0xC3},
                                Bytes(72, 0x11),
                                {0xC5},
                                Bytes(2, 0x22),
                                {0x83, 0, 0, 9},
                                Bytes(128, 0x11),
                                {0xC3},
                                Bytes(72, 0x11)});
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
        ChunkReader reader;
        const auto messages = read_all(reader, bytes, step);
        ASSERT_EQ(messages.size(), 3U) << step;
        EXPECT_EQ(messages[0].body, first);
        EXPECT_EQ(messages[1].body, second);
        EXPECT_EQ(messages[1].type, 4);
        EXPECT_EQ(messages[2].body, first) << "a short header takes size and type from the one before";
        EXPECT_EQ(reader.received(), bytes.size());
    }
}

TEST(ChunkReader, obeys_a_new_chunk_size_extended_times_long_channels_and_an_abort) {
    const Bytes bytes = joined({head(2, 0, 4, 1),
                                {0, 0, 0, 5},  // chunks of 5 bytes
                                head(4, 0xFFFFFF, 8, 20),
                                {9, 9, 9, 9},
                                Bytes(5, 1),  // extended time...
                                {0xC4, 9, 9, 9, 9},
                                Bytes(3, 1)});  // ...in each chunk of the message
    ChunkReader reader;
    const auto messages = read_all(reader, bytes, 3);
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_EQ(messages[1].body, Bytes(8, 1));
    // Channel 74 needs a second byte; its message is aborted half way.
    Bytes begun = head(0, 0, 9, 20);
    begun.insert(begun.begin() + 1, 10);
    const Bytes abort =
        joined({begun, Bytes(5, 7), head(2, 0, 4, 2), {0, 0, 0, 74}, begun, Bytes(5, 8), {0xC0, 10}, Bytes(4, 8)});
    const auto after = read_all(reader, abort, 2);
    ASSERT_EQ(after.size(), 2U);
    EXPECT_EQ(after[1].body, Bytes(9, 8));
}

TEST(ChunkReader, tells_times_that_are_absolute_steps_repeated_steps_and_extended) {
    const Bytes bytes = joined({head(4, 1000, 1, 9),
                                {1},
                                {0x44, 0, 0, 40, 0, 0, 1, 9, 2},  // a step of 40
                                {0xC4, 3},                        // the same again
                                {0x84, 0, 0, 20, 4},              // a step of 20
                                head(6, 0xFFFFFF, 1, 8),
                                {0xFF, 0xFF, 0xFF, 0xF0, 5},
                                {0x46, 0, 0, 32, 0, 0, 1, 8, 6}});  // goes around
    for (const std::size_t step : {std::size_t{1}, bytes.size()}) {
        ChunkReader reader;
        std::vector<std::uint32_t> times;
        for (const RtmpMessage& message : read_all(reader, bytes, step))
            times.push_back(message.timestamp_ms);
        EXPECT_EQ(times, (std::vector<std::uint32_t>{1000, 1040, 1080, 1100, 0xFFFFFFF0, 16}));
    }
}

TEST(ChunkReader, refuses_what_would_grow_or_overwrite_memory) {
    const std::vector<Bytes> garbage{
        {0xC3},                                                              // goes on with nothing
        head(3, 0, 0xFFFFFF, 20),                                            // 16 MB
        joined({head(2, 0, 4, 1), {0, 0, 0, 0}}),                            // chunks of 0 bytes
        joined({head(2, 0, 4, 1), {0x80, 0, 0, 1}}),                         // a negative chunk size
        joined({head(3, 0, 300, 20), Bytes(128, 0), head(3, 0, 9000, 20)}),  // a message changes its size half way
    };
    for (const Bytes& bytes : garbage) {
        ChunkReader reader;
        EXPECT_THROW(read_all(reader, bytes, bytes.size()), RtmpGarbage);
    }
    ChunkReader reader;
    EXPECT_THROW(
        {
            for (std::uint8_t channel = 3; channel < 63; ++channel)
                read_all(reader, joined({head(channel, 0, 1, 20), {0}}), 64);
        },
        RtmpGarbage);
}

TEST(ChunkReader, holds_no_more_of_all_unfinished_messages_than_of_one) {
    constexpr std::size_t kMost = 100'000;
    const Bytes large_chunks = joined({head(2, 0, 4, 1), {0, 1, 0, 0}});  // 65536 bytes
    ChunkReader reader(kMost);
    read_all(reader, large_chunks, 64);
    EXPECT_THROW(
        {
            for (std::uint8_t channel = 3; channel < 10; ++channel)
                read_all(reader, joined({head(channel, 0, kMost, 9), Bytes(65'536, 0)}), 65'536);
        },
        RtmpGarbage);
    // Sound between the parts of a picture as large as may be is no such thing; nor are messages one after the other.
    ChunkReader orderly(kMost);
    read_all(orderly, large_chunks, 64);
    for (int i = 0; i < 3; ++i) {
        const auto messages = read_all(orderly,
                                       joined({head(4, 0, kMost, 9),
                                               Bytes(65'536, 1),
                                               head(5, 0, 400, 8),
                                               Bytes(400, 2),
                                               {0xC4},
                                               Bytes(kMost - 65'536, 1)}),
                                       1000);
        ASSERT_EQ(messages.size(), 2U);
        EXPECT_EQ(messages[1].body.size(), kMost);
        // What is given up is no longer held.
        read_all(orderly, joined({head(6, 0, kMost, 9), Bytes(65'536, 1), head(2, 0, 4, 2), {0, 0, 0, 6}}), 1000);
    }
}

TEST(ChunkReader, takes_larger_messages_once_it_may) {
    ChunkReader reader(1000);
    reader.allow(2000);
    EXPECT_EQ(
        read_all(reader, joined({head(2, 0, 4, 1), {0, 0, 8, 0}, head(4, 0, 2000, 9), Bytes(2000, 1)}), 100).size(),
        2U);
}

TEST(ChunkReader, survives_any_bytes) {
    std::mt19937 random(1);
    for (int round = 0; round < 3000; ++round) {
        ChunkReader reader;
        Bytes bytes(random() % 2000);
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(random() % (round % 2 == 0 ? 256 : 8));
        try {
            read_all(reader, bytes, 1 + random() % 300);
        } catch (const RtmpGarbage&) {
        }
    }
}

}  // namespace
}  // namespace ringcast::sink
