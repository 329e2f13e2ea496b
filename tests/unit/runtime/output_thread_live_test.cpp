// SPDX-License-Identifier: Apache-2.0
/// The sink thread before a peer on the network: nobody waits for it, and what is told of it is what it takes.
#include <gtest/gtest.h>

#include "output_test_parts.hpp"

namespace ringcast::runtime {
namespace {

using namespace std::chrono_literals;
using test::packet_of;
using test::quick;
using test::two_streams;

class OutputThreadLive : public test::OutputThreadTest {
protected:
    static OutputThreadOptions live() {
        OutputThreadOptions options = quick();
        options.queue = {2s, true};
        options.limits = {40ms, 40ms, 10ms, 2ms};
        return options;
    }
    /// What a loss leads to can be looked at.
    static OutputThreadOptions live_without_retry() {
        OutputThreadOptions options = live();
        options.retry.first = options.retry.longest = options.retry.rejected = std::chrono::hours(1);
        return options;
    }
    void begin() {
        thread->begin(two_streams());
        wait_for(OutputState::started);
    }
    /// One GOP of `frames`, each with its sound.
    void push_gop(int frames) {
        for (int i = 0; i < frames; ++i, ++next) {
            thread->queue().push(packet_of(0, next, i == 0));
            thread->queue().push(packet_of(1, next * 1920));
        }
    }
    std::int64_t next = 0;
};

TEST_F(OutputThreadLive, nothing_stale_is_kept_for_a_peer_that_is_away) {
    output.connect_answers = {OutputStatus::transient};
    OutputThreadOptions options = live_without_retry();
    start(options);
    thread->begin(two_streams());
    wait_for(OutputState::backoff);
    push_gop(25);
    EXPECT_EQ(thread->queue().media_time(), 0ns);
    EXPECT_FALSE(thread->queue().is_full());
    EXPECT_EQ(thread->view().dropped_frames, 25U);
    thread->replace_options({});  // ends the wait
    wait_for(OutputState::started);
    wait_until([&] { return keyframes_wanted > 0; });
    thread->queue().push(packet_of(0, next++));
    push_gop(2);
    EXPECT_TRUE(thread->finish());
    const auto seen = output.seen();
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_EQ(seen[0].dts, 26);
    EXPECT_TRUE(seen[0].key);
    EXPECT_EQ(thread->view().dropped_frames, 26U);
}

TEST_F(OutputThreadLive, the_first_connection_begins_with_the_first_keyframe_when_that_came_later) {
    start(live());
    begin();
    push_gop(3);
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.seen().size(), 6U);
    EXPECT_EQ(keyframes_wanted, 0);
}

TEST_F(OutputThreadLive, a_delivery_that_blocks_for_too_long_is_interrupted_and_told_with_the_reason) {
    output.block(true);
    start(live_without_retry());
    begin();
    push_gop(2);
    wait_for(OutputState::backoff);
    EXPECT_TRUE(thread->view().reason.starts_with("the peer took nothing for ")) << thread->view().reason;
    wait_until([&] { return output.calls().back() == "disconnect"; });
}

TEST_F(OutputThreadLive, packets_that_are_taken_while_no_byte_leaves_are_no_health) {
    output.swallow(true);
    start(live_without_retry());
    begin();
    wait_until([&] {
        push_gop(1);
        return thread->view().state == OutputState::backoff;
    });
    EXPECT_TRUE(thread->view().reason.starts_with("the peer took nothing for ")) << thread->view().reason;
}

TEST_F(OutputThreadLive, a_peer_that_does_not_answer_is_left_and_told_with_the_reason) {
    output.block_connect(true);
    start(live_without_retry());
    thread->open();
    wait_for(OutputState::backoff);
    EXPECT_TRUE(thread->view().reason.starts_with("the peer did not answer within ")) << thread->view().reason;
    EXPECT_TRUE(thread->finish());
}

TEST_F(OutputThreadLive, comes_back_by_itself_and_delivers_again_after_a_peer_that_took_nothing) {
    output.block(true);
    start(live());
    begin();
    push_gop(2);
    wait_until([&] { return thread->view().reconnects > 0; });
    output.block(false);
    wait_until([&] {
        push_gop(1);
        return thread->view().moving;
    });
    EXPECT_TRUE(thread->view().reason.empty());
    EXPECT_TRUE(thread->finish());
}

TEST_F(OutputThreadLive, is_moving_only_while_bytes_leave_and_quiet_while_they_do_not) {
    OutputThreadOptions options = live_without_retry();
    options.limits.silence = std::chrono::hours(1);
    start(options);
    begin();
    EXPECT_FALSE(thread->view().moving) << "open is not live";
    EXPECT_FALSE(thread->view().quiet);
    wait_until([&] {
        push_gop(1);
        return thread->view().moving;
    });
    output.block(true);
    push_gop(2);
    wait_until([&] { return thread->view().quiet; });
    EXPECT_FALSE(thread->view().moving);
    output.block(false);
    wait_until([&] { return thread->view().moving; });
}

TEST_F(OutputThreadLive, a_peer_with_nothing_to_take_is_not_quiet_and_not_left) {
    start(live());
    begin();
    push_gop(1);
    wait_until([&] { return thread->view().moving; });
    std::this_thread::sleep_for(100ms);
    EXPECT_TRUE(thread->view().moving);
    EXPECT_EQ(thread->view().reconnects, 0U);
    EXPECT_TRUE(thread->finish());
}

TEST_F(OutputThreadLive, a_peer_that_is_too_slow_gets_whole_gops_and_the_drop_is_counted_and_told) {
    OutputThreadOptions options = live_without_retry();
    options.limits.silence = std::chrono::hours(1);
    start(options);
    begin();
    output.block(true);
    push_gop(49);
    EXPECT_FALSE(thread->view().congested);
    push_gop(25);
    push_gop(40);
    wait_until([&] { return thread->view().congested; });
    output.block(false);
    EXPECT_TRUE(thread->finish());
    const auto video = output.seen(Media::video);
    std::int64_t before = -1;
    for (const auto& packet : video) {
        EXPECT_TRUE(packet.key || packet.dts == before + 1) << packet.dts;
        before = packet.dts;
    }
    EXPECT_EQ(video.size() + thread->view().dropped_frames, 114U);
    EXPECT_EQ(before, 113);
}

TEST_F(OutputThreadLive, an_output_without_an_audience_is_left_alone_and_says_what_it_waits_for) {
    output.audience = 0;
    output.swallow(true);
    start(live_without_retry());
    begin();
    for (const auto end = std::chrono::steady_clock::now() + 200ms; std::chrono::steady_clock::now() < end;) {
        push_gop(1);
        std::this_thread::sleep_for(5ms);
    }
    EXPECT_EQ(thread->view().state, OutputState::started) << "five times as long as silence may last";
    EXPECT_EQ(thread->view().waits_for, "waits for the test");
    EXPECT_FALSE(thread->view().moving);
    EXPECT_FALSE(thread->view().quiet);
    output.audience = 1;
    wait_until([&] {
        push_gop(1);
        return thread->view().state == OutputState::backoff;
    });
    EXPECT_EQ(thread->view().waits_for, "");
}

TEST_F(OutputThreadLive, the_end_does_not_wait_for_a_peer_that_is_away) {
    output.connect_answers = {OutputStatus::transient};
    start(live_without_retry());
    thread->begin(two_streams());
    wait_for(OutputState::backoff);
    EXPECT_TRUE(thread->finish(std::chrono::hours(1)));
}

TEST_F(OutputThreadLive, a_stop_interrupts_a_connect_also_one_that_is_about_to_begin) {
    for (int round = 0; round < 50; ++round) {
        output.block_connect(true);
        OutputThreadOptions options = live();
        options.limits.answer = std::chrono::hours(1);
        start(options);
        thread->open();
        thread->give_up(false);
        EXPECT_TRUE(thread->finish());
        thread.reset();
    }
}

}  // namespace
}  // namespace ringcast::runtime
