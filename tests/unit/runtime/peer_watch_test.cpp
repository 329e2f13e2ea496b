// SPDX-License-Identifier: Apache-2.0
#include "runtime/peer_watch.hpp"

#include <gtest/gtest.h>

namespace ringcast::runtime {
namespace {

using namespace std::chrono_literals;
using Call = PeerWatch::Call;
using Verdict = PeerWatch::Verdict;

class PeerWatchTest : public testing::Test {
protected:
    PeerWatchTest() { watch.begin_connection(now); }

    /// Looks four times a second; the verdict after `time`.
    Verdict pass(std::chrono::milliseconds time, std::uint64_t bytes_per_look = 0) {
        Verdict verdict = Verdict::fine;
        for (const auto end = now + time; now < end;) {
            now += 250ms;
            bytes += bytes_per_look;
            verdict = watch.look(now, bytes);
        }
        return verdict;
    }
    void deliver() {
        watch.begin_call(Call::delivering, now);
        watch.end_call();
    }

    PeerWatch watch{PeerLimits()};
    PeerWatch::TimePoint now{1h};
    std::uint64_t bytes = 0;
};

TEST_F(PeerWatchTest, a_delivery_without_a_byte_is_silent_after_10_s_and_quiet_after_1_s) {
    watch.begin_call(Call::delivering, now);
    EXPECT_EQ(pass(1s), Verdict::fine);
    EXPECT_FALSE(watch.is_quiet(now));
    EXPECT_EQ(pass(250ms), Verdict::fine);
    EXPECT_TRUE(watch.is_quiet(now));
    EXPECT_EQ(pass(8500ms), Verdict::fine);
    EXPECT_EQ(pass(250ms), Verdict::silent);
}

TEST_F(PeerWatchTest, one_byte_in_time_is_enough) {
    watch.begin_call(Call::delivering, now);
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(pass(9s), Verdict::fine);
        ++bytes;
    }
}

TEST_F(PeerWatchTest, nobody_there_is_no_silence_and_who_comes_then_gets_the_whole_time) {
    for (int i = 0; i < 100; ++i) {
        deliver();
        now += 250ms;
        ASSERT_EQ(watch.look(now, bytes, true), Verdict::fine);
        ASSERT_FALSE(watch.is_quiet(now));
    }
    deliver();
    EXPECT_EQ(pass(9750ms), Verdict::fine);
    EXPECT_EQ(pass(250ms), Verdict::silent);
}

TEST_F(PeerWatchTest, who_has_got_nothing_to_send_is_never_silent) {
    deliver();
    ++bytes;
    EXPECT_EQ(pass(1h), Verdict::fine);
    EXPECT_FALSE(watch.is_quiet(now));
    deliver();
    EXPECT_EQ(pass(9s), Verdict::fine) << "counts from the packet, not from the last byte";
}

TEST_F(PeerWatchTest, packets_that_are_taken_count_from_the_first_whose_bytes_did_not_leave) {
    for (int i = 0; i < 9; ++i) {
        deliver();
        EXPECT_EQ(pass(1s), Verdict::fine);
    }
    deliver();
    EXPECT_EQ(pass(1s), Verdict::silent);
}

TEST_F(PeerWatchTest, a_connect_without_an_answer_ends_after_8_s_whatever_bytes_move) {
    watch.begin_call(Call::connecting, now);
    EXPECT_EQ(pass(7750ms, 10), Verdict::fine);
    EXPECT_EQ(pass(250ms, 10), Verdict::no_answer);
}

TEST_F(PeerWatchTest, health_is_the_time_in_which_bytes_left_after_the_first_packet) {
    watch.begin_call(Call::connecting, now);
    pass(5s, 100);
    watch.end_call();
    EXPECT_FALSE(watch.has_moved());
    deliver();
    pass(20s, 100);
    pass(5s);
    pass(5s, 100);
    EXPECT_EQ(watch.moved(), 25s);
    watch.begin_connection(now);
    EXPECT_FALSE(watch.has_moved());
}

TEST_F(PeerWatchTest, a_process_that_was_stopped_for_an_hour_was_not_healthy_meanwhile) {
    deliver();
    now += 1h;
    bytes += 1;
    EXPECT_EQ(watch.look(now, bytes), Verdict::fine);
    EXPECT_LE(watch.moved(), 1s);
}

TEST_F(PeerWatchTest, a_process_that_was_stopped_for_an_hour_does_not_hold_that_against_the_peer) {
    watch.begin_call(Call::connecting, now);
    now += 1h;
    EXPECT_EQ(watch.look(now, bytes), Verdict::fine);
    EXPECT_EQ(pass(7s), Verdict::no_answer) << "the look that was late counts for a second";
    watch.begin_call(Call::delivering, now);
    now += 1h;
    EXPECT_EQ(watch.look(now, bytes), Verdict::fine);
    EXPECT_EQ(pass(8750ms), Verdict::fine);
    EXPECT_EQ(pass(250ms), Verdict::silent);
}

TEST(PeerWatch, without_limits_a_call_may_take_as_long_as_it_likes) {
    PeerLimits limits;
    limits.answer = limits.silence = 0ms;
    PeerWatch watch(limits);
    const PeerWatch::TimePoint begin{1h};
    watch.begin_connection(begin);
    watch.begin_call(Call::connecting, begin);
    EXPECT_EQ(watch.look(begin + 1h, 0), Verdict::fine);
    watch.begin_call(Call::delivering, begin + 1h);
    EXPECT_EQ(watch.look(begin + 2h, 0), Verdict::fine);
}

}  // namespace
}  // namespace ringcast::runtime
