// SPDX-License-Identifier: Apache-2.0
#include "runtime/packet_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <tuple>

#include "test_packets.hpp"

namespace ringcast::runtime {
namespace {

using namespace std::chrono_literals;

using test::packet_of;
using test::two_streams;

TEST(PacketQueue, gives_packets_in_the_order_they_came) {
    PacketQueue queue(
        {1s}, [] {}, [] {});
    queue.begin(two_streams());
    queue.push(packet_of(0, 0));
    queue.push(packet_of(1, 0));
    queue.push(packet_of(0, 1));
    queue.end();
    EXPECT_EQ(queue.pop()->stream, 0U);
    EXPECT_EQ(queue.pop()->stream, 1U);
    EXPECT_EQ(queue.pop()->dts, 1);
    EXPECT_FALSE(queue.pop());
}

TEST(PacketQueue, measures_media_time_by_the_longer_stream) {
    PacketQueue queue(
        {10s}, [] {}, [] {});
    queue.begin(two_streams());
    EXPECT_EQ(queue.media_time(), 0ns);
    for (int i = 0; i < 50; ++i)
        queue.push(packet_of(0, i));
    queue.push(packet_of(1, -1920));
    EXPECT_EQ(queue.media_time(), 2s);
    for (int i = 0; i < 25; ++i)
        queue.pop();
    EXPECT_EQ(queue.media_time(), 1s);
}

TEST(PacketQueue, is_full_at_its_capacity_and_tells_when_a_quarter_is_free_again) {
    std::atomic<int> rooms{0};
    PacketQueue queue(
        {1s}, [&] { ++rooms; }, [] {});
    queue.begin(two_streams());
    for (int i = 0; i < 24; ++i)
        queue.push(packet_of(0, i));
    EXPECT_FALSE(queue.is_full());
    queue.push(packet_of(0, 24));
    EXPECT_TRUE(queue.is_full());
    queue.push(packet_of(0, 25));  // the bound is soft: never waits, never loses
    for (int i = 0; i < 7; ++i)
        queue.pop();
    EXPECT_TRUE(queue.is_full());
    EXPECT_EQ(rooms, 0);
    queue.pop();
    EXPECT_FALSE(queue.is_full());
    EXPECT_EQ(rooms, 1);
}

TEST(PacketQueue, wakes_a_waiting_consumer_at_the_end) {
    PacketQueue queue(
        {1s}, [] {}, [] {});
    queue.begin(two_streams());
    bool ended = false;
    std::thread consumer([&] { ended = !queue.pop().has_value(); });
    queue.end();
    consumer.join();
    EXPECT_TRUE(ended);
}

TEST(PacketQueue, counts_video_discarded_by_abandon_and_frees_the_pipeline) {
    std::atomic<int> rooms{0};
    PacketQueue queue(
        {1s}, [&] { ++rooms; }, [] {});
    queue.begin(two_streams());
    for (int i = 0; i < 30; ++i)
        queue.push(packet_of(0, i));
    queue.push(packet_of(1, 0));
    queue.abandon();
    queue.push(packet_of(0, 30));
    EXPECT_EQ(queue.discarded_video(), 31U);
    EXPECT_EQ(rooms, 1);
    EXPECT_FALSE(queue.is_full());
    EXPECT_FALSE(queue.pop());
}

TEST(PacketQueue, begins_empty_again_for_the_next_output) {
    PacketQueue queue(
        {1s}, [] {}, [] {});
    queue.begin(two_streams());
    queue.push(packet_of(0, 0));
    queue.end();
    queue.begin(two_streams());
    queue.push(packet_of(0, 7));
    EXPECT_EQ(queue.pop()->dts, 7);
}

/// Of a sink that sends live: 1 s, then both tracks are dropped.
class DroppingQueue : public testing::Test {
protected:
    DroppingQueue() {
        queue.begin(two_streams());
        EXPECT_FALSE(queue.open());
    }
    /// Frames with the sound that belongs to each, which comes behind it.
    void push(std::int64_t from, std::int64_t to, std::int64_t key = -1) {
        for (std::int64_t i = from; i < to; ++i) {
            queue.push(packet_of(0, i, i == key));
            queue.push(packet_of(1, i * 1920));
        }
    }
    int keyframes_wanted = 0;
    PacketQueue queue{{1s, true}, [] {}, [this] { ++keyframes_wanted; }};
};

TEST_F(DroppingQueue, never_holds_more_than_its_bound_and_is_never_full) {
    push(0, 1000, 0);
    EXPECT_LT(queue.media_time(), 1s);
    EXPECT_FALSE(queue.is_full());
}

TEST_F(DroppingQueue, drops_all_without_a_young_keyframe_asks_for_one_and_goes_on_there) {
    const auto begin = std::chrono::steady_clock::now();
    push(0, 24, 0);
    EXPECT_FALSE(queue.has_overflowed_since(begin));
    push(24, 25);
    EXPECT_TRUE(queue.has_overflowed_since(begin));
    EXPECT_FALSE(queue.has_overflowed_since(std::chrono::steady_clock::now() + 1s));
    EXPECT_EQ(keyframes_wanted, 1);
    EXPECT_EQ(queue.media_time(), 0ns);
    push(25, 30);
    EXPECT_EQ(queue.media_time(), 0ns) << "what cannot be decoded is not kept";
    push(30, 32, 30);
    EXPECT_EQ(queue.discarded_video(), 30U);
    queue.end();
    for (const std::int64_t dts : {30, 30 * 1920, 31, 31 * 1920})
        EXPECT_EQ(queue.pop()->dts, dts);
    EXPECT_FALSE(queue.pop());
    EXPECT_EQ(keyframes_wanted, 1);
}

TEST_F(DroppingQueue, goes_on_at_a_keyframe_in_the_newer_half_without_asking_for_another) {
    push(0, 25, 15);
    EXPECT_EQ(keyframes_wanted, 0);
    EXPECT_EQ(queue.discarded_video(), 15U);
    const auto first = queue.pop();
    EXPECT_EQ(first->dts, 15);
    EXPECT_TRUE(first->key);
}

TEST_F(DroppingQueue, leaves_out_sound_of_pictures_that_were_dropped) {
    push(0, 25, 0);
    queue.push(packet_of(0, 30, true));
    queue.push(packet_of(1, 29 * 1920));  // trails by a frame
    queue.push(packet_of(1, 30 * 1920));
    queue.end();
    EXPECT_EQ(queue.pop()->dts, 30);
    EXPECT_EQ(queue.pop()->dts, 30 * 1920);
    EXPECT_FALSE(queue.pop());
}

TEST_F(DroppingQueue, keeps_nothing_while_there_is_no_connection_and_begins_at_a_keyframe_afterwards) {
    push(0, 5, 0);
    queue.close();
    push(5, 10, 5);
    EXPECT_EQ(queue.media_time(), 0ns);
    EXPECT_EQ(queue.discarded_video(), 10U);
    EXPECT_TRUE(queue.open());
    push(10, 12);
    push(12, 13, 12);
    EXPECT_EQ(queue.pop()->dts, 12);
    EXPECT_EQ(queue.discarded_video(), 12U);
}

TEST(PacketQueue, goes_on_at_the_next_keyframe_it_holds_when_a_connection_that_waits_was_lost) {
    PacketQueue queue(
        {1s}, [] {}, [] {});
    queue.begin(two_streams());
    for (int i = 0; i < 30; ++i)
        queue.push(packet_of(0, i, i % 10 == 0));
    for (int i = 0; i < 5; ++i)
        queue.pop();
    queue.close();
    EXPECT_TRUE(queue.open());
    EXPECT_EQ(queue.pop()->dts, 10);
    EXPECT_EQ(queue.discarded_video(), 5U);
}

TEST(PacketQueue, a_full_queue_without_a_keyframe_makes_room_after_a_lost_connection) {
    int rooms = 0;
    PacketQueue queue(
        {1s}, [&] { ++rooms; }, [] {});
    queue.begin(two_streams());
    for (int i = 0; i < 30; ++i)
        queue.push(packet_of(0, i, i == 0));
    queue.pop();
    ASSERT_TRUE(queue.is_full());
    queue.close();
    std::ignore = queue.open();
    EXPECT_FALSE(queue.pop()) << "nothing in it can be decoded";
    EXPECT_FALSE(queue.is_full()) << "or nobody would ever bring a keyframe";
    EXPECT_EQ(rooms, 1);
    queue.push(packet_of(0, 30, true));
    EXPECT_EQ(queue.pop()->dts, 30);
}

TEST(PacketQueue, a_nudge_ends_one_wait) {
    PacketQueue queue(
        {1s}, [] {}, [] {});
    queue.begin(two_streams());
    queue.nudge();
    EXPECT_FALSE(queue.pop());
    EXPECT_FALSE(queue.is_over());
    queue.push(packet_of(0, 0));
    EXPECT_TRUE(queue.pop());
}

}  // namespace
}  // namespace ringcast::runtime
