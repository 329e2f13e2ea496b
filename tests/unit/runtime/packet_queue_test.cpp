// SPDX-License-Identifier: Apache-2.0
#include "runtime/packet_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace ringcast::runtime {
namespace {

using namespace std::chrono_literals;

std::vector<StreamInfo> two_streams() {
    StreamInfo video;
    video.timebase = {1, 25};
    StreamInfo audio;
    audio.media = Media::audio;
    audio.timebase = {1, 48000};
    return {video, audio};
}

Packet video_packet(std::int64_t dts) {
    Packet packet;
    packet.stream = 0;
    packet.pts = packet.dts = dts;
    packet.duration = 1;
    return packet;
}

Packet audio_packet(std::int64_t dts) {
    Packet packet;
    packet.stream = 1;
    packet.pts = packet.dts = dts;
    packet.duration = 1024;
    return packet;
}

TEST(PacketQueue, gives_packets_in_the_order_they_came) {
    PacketQueue queue(1s, [] {});
    queue.begin(two_streams());
    queue.push(video_packet(0));
    queue.push(audio_packet(0));
    queue.push(video_packet(1));
    queue.end();
    EXPECT_EQ(queue.pop()->stream, 0U);
    EXPECT_EQ(queue.pop()->stream, 1U);
    EXPECT_EQ(queue.pop()->dts, 1);
    EXPECT_FALSE(queue.pop());
}

TEST(PacketQueue, measures_media_time_by_the_longer_stream) {
    PacketQueue queue(10s, [] {});
    queue.begin(two_streams());
    EXPECT_EQ(queue.media_time(), 0ns);
    for (int i = 0; i < 50; ++i)
        queue.push(video_packet(i));
    queue.push(audio_packet(-1024));
    EXPECT_EQ(queue.media_time(), 2s);
    for (int i = 0; i < 25; ++i)
        queue.pop();
    EXPECT_EQ(queue.media_time(), 1s);
}

TEST(PacketQueue, is_full_at_its_capacity_and_tells_when_a_quarter_is_free_again) {
    std::atomic<int> rooms{0};
    PacketQueue queue(1s, [&] { ++rooms; });
    queue.begin(two_streams());
    for (int i = 0; i < 24; ++i)
        queue.push(video_packet(i));
    EXPECT_FALSE(queue.is_full());
    queue.push(video_packet(24));
    EXPECT_TRUE(queue.is_full());
    queue.push(video_packet(25));  // the bound is soft: never waits, never loses
    for (int i = 0; i < 7; ++i)
        queue.pop();
    EXPECT_TRUE(queue.is_full());
    EXPECT_EQ(rooms, 0);
    queue.pop();
    EXPECT_FALSE(queue.is_full());
    EXPECT_EQ(rooms, 1);
}

TEST(PacketQueue, wakes_a_waiting_consumer_at_the_end) {
    PacketQueue queue(1s, [] {});
    queue.begin(two_streams());
    bool ended = false;
    std::thread consumer([&] { ended = !queue.pop().has_value(); });
    queue.end();
    consumer.join();
    EXPECT_TRUE(ended);
}

TEST(PacketQueue, counts_video_discarded_by_abandon_and_frees_the_pipeline) {
    std::atomic<int> rooms{0};
    PacketQueue queue(1s, [&] { ++rooms; });
    queue.begin(two_streams());
    for (int i = 0; i < 30; ++i)
        queue.push(video_packet(i));
    queue.push(audio_packet(0));
    queue.abandon();
    queue.push(video_packet(30));
    EXPECT_EQ(queue.discarded_video(), 31U);
    EXPECT_EQ(rooms, 1);
    EXPECT_FALSE(queue.is_full());
    EXPECT_FALSE(queue.pop());
}

TEST(PacketQueue, begins_empty_again_for_the_next_output) {
    PacketQueue queue(1s, [] {});
    queue.begin(two_streams());
    queue.push(video_packet(0));
    queue.end();
    queue.begin(two_streams());
    queue.push(video_packet(7));
    EXPECT_EQ(queue.pop()->dts, 7);
}

}  // namespace
}  // namespace ringcast::runtime
