// SPDX-License-Identifier: Apache-2.0
#include "runtime/retry.hpp"

#include <gtest/gtest.h>

namespace ringcast::runtime {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

void expect_about(milliseconds delay, double wanted_ms) {
    EXPECT_GE(static_cast<double>(delay.count()), wanted_ms * 0.8 - 1);
    EXPECT_LE(static_cast<double>(delay.count()), wanted_ms * 1.2 + 1);
}

TEST(Retry, waits_1_s_then_1_7_times_as_long_each_time_up_to_30_s_for_ever) {
    Retry retry{RetryPolicy()};
    double wanted_ms = 1000;
    for (int attempt = 0; attempt < 100; ++attempt) {
        retry.on_lost();
        const milliseconds delay = retry.next_delay();
        expect_about(delay, wanted_ms);
        EXPECT_LE(delay, 30s);
        wanted_ms = std::min(wanted_ms * 1.7, 30000.0);
    }
}

TEST(Retry, does_not_wait_the_same_twice_so_that_many_sinks_do_not_come_back_at_once) {
    Retry one{RetryPolicy()};
    milliseconds least = 1h;
    milliseconds most = 0ms;
    for (int i = 0; i < 200; ++i) {
        one.reset();
        const milliseconds delay = one.next_delay();
        least = std::min(least, delay);
        most = std::max(most, delay);
    }
    EXPECT_GT(most - least, 200ms);
}

TEST(Retry, begins_anew_after_30_s_in_which_bytes_moved_and_not_before) {
    Retry retry{RetryPolicy()};
    for (int i = 0; i < 5; ++i)
        static_cast<void>(retry.next_delay());
    retry.on_connection(29s);
    expect_about(retry.next_delay(), 1000 * 1.7 * 1.7 * 1.7 * 1.7 * 1.7);
    retry.on_connection(30s);
    expect_about(retry.next_delay(), 1000);
}

TEST(Retry, tries_a_peer_that_refused_once_soon_and_one_that_refused_twice_each_minute) {
    Retry retry{RetryPolicy()};
    retry.on_rejected();
    expect_about(retry.next_delay(), 1000);
    for (int i = 0; i < 5; ++i) {
        retry.on_rejected();
        EXPECT_EQ(retry.next_delay(), 60s);
    }
}

TEST(Retry, a_lost_connection_between_two_refusals_is_not_two_in_a_row) {
    Retry retry{RetryPolicy()};
    for (int i = 0; i < 5; ++i) {
        retry.on_rejected();
        EXPECT_LT(retry.next_delay(), 60s);
        retry.on_lost();
        EXPECT_LT(retry.next_delay(), 60s);
    }
}

TEST(Retry, a_peer_that_took_the_stream_before_and_refuses_now_is_tried_as_one_that_was_lost) {
    Retry retry{RetryPolicy()};
    retry.on_connection(10s);
    for (int i = 0; i < 5; ++i) {
        retry.on_rejected();
        EXPECT_LT(retry.next_delay(), 60s) << "it may still hold the connection before";
    }
    retry.restart();
    for (int i = 0; i < 2; ++i) {
        retry.on_rejected();
        EXPECT_LT(retry.next_delay(), 60s) << "another output of the same sink";
    }
    retry.reset();
    retry.on_rejected();
    static_cast<void>(retry.next_delay());
    retry.on_rejected();
    EXPECT_EQ(retry.next_delay(), 60s) << "another key has not been taken before";
}

}  // namespace
}  // namespace ringcast::runtime
