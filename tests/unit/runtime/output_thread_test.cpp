// SPDX-License-Identifier: Apache-2.0
#include "runtime/output_thread.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "output_test_parts.hpp"

namespace ringcast::runtime {
namespace {

using namespace std::chrono_literals;
using test::packet_of;
using test::quick;
using test::two_streams;
using OutputThreadTest = test::OutputThreadTest;

TEST_F(OutputThreadTest, delivers_all_and_closes_with_final) {
    start();
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)"}));
    EXPECT_EQ(output.seen().size(), 8U);
    EXPECT_EQ(thread->view().state, OutputState::finished);
    EXPECT_EQ(thread->view().output_end_ns, 160'000'000);
}

TEST_F(OutputThreadTest, opens_again_for_the_next_output) {
    start();
    thread->begin(two_streams());
    EXPECT_TRUE(thread->finish());
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.calls().size(), 6U);
    EXPECT_EQ(output.seen().size(), 8U);
}

TEST_F(OutputThreadTest, connects_before_the_streams_are_known) {
    start();
    thread->open();
    wait_for(OutputState::connected);
    EXPECT_EQ(output.calls(), (Calls{"connect"}));
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)"}));
    EXPECT_EQ(output.seen().size(), 8U);
}

TEST_F(OutputThreadTest, an_output_that_gets_no_streams_is_closed_without_headers) {
    start();
    for (int round = 0; round < 2; ++round) {
        thread->open();
        wait_for(OutputState::connected);
        EXPECT_TRUE(thread->finish());
        EXPECT_EQ(thread->view().state, OutputState::finished);
    }
    EXPECT_EQ(output.calls(), (Calls{"connect", "disconnect(final)", "connect", "disconnect(final)"}));
}

TEST_F(OutputThreadTest, a_place_that_cannot_be_used_fails_before_there_are_streams_and_stays_failed) {
    output.connect_answers = {OutputStatus::config};
    start();
    thread->open();
    wait_for(OutputState::failed);
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_FALSE(thread->finish());
    EXPECT_EQ(output.calls(), (Calls{"connect"}));
    EXPECT_EQ(thread->view().dropped_frames, 4U);
}

TEST_F(OutputThreadTest, tries_a_peer_that_is_away_again_and_again_before_there_are_streams) {
    output.connect_answers = {OutputStatus::transient, OutputStatus::rejected, OutputStatus::transient};
    start();
    thread->open();
    wait_for(OutputState::connected);
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.seen().size(), 8U);
    EXPECT_EQ(thread->view().attempts, 3U);
    EXPECT_EQ(thread->view().reconnects, 0U) << "it has connected once";
}

TEST_F(OutputThreadTest, without_streams_the_end_does_not_wait_for_a_peer_that_is_away) {
    output.connect_answers.assign(100000, OutputStatus::transient);
    start();
    thread->open();
    while (thread->view().attempts < 2)
        std::this_thread::yield();
    EXPECT_TRUE(thread->finish(std::chrono::hours(1)));
    EXPECT_EQ(output.calls().back(), "connect") << "what was never open needs no close";
}

TEST_F(OutputThreadTest, a_stop_while_it_waits_for_streams_lets_those_that_come_be_delivered) {
    start();
    thread->open();
    wait_for(OutputState::connected);
    thread->give_up(false);
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.seen().size(), 8U);
}

TEST_F(OutputThreadTest, connects_again_after_a_transient_error_and_goes_on_at_a_keyframe) {
    output.packet_answers = {OutputStatus::ok, OutputStatus::ok, OutputStatus::transient};
    start();
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect", "connect", "headers", "disconnect(final)"}));
    const auto seen = output.seen();
    ASSERT_EQ(seen.size(), 6U);
    EXPECT_EQ(seen[2].connection, 2U);
    EXPECT_EQ(seen[2].stream, 0U);
    EXPECT_TRUE(seen[2].key);
    EXPECT_EQ(seen[2].dts, 2);
    EXPECT_EQ(thread->view().reconnects, 1U);
    EXPECT_EQ(thread->view().dropped_frames, 1U);
    EXPECT_GE(keyframes_wanted, 1);
}

TEST_F(OutputThreadTest, keeps_the_first_keyframe_while_the_first_connection_is_refused) {
    output.connect_answers = {OutputStatus::transient, OutputStatus::transient};
    start();
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.seen().size(), 8U);
    EXPECT_EQ(thread->view().attempts, 2U);
    EXPECT_EQ(thread->view().reconnects, 0U);
}

TEST_F(OutputThreadTest, drops_both_tracks_to_the_next_keyframe_when_the_peer_is_congested) {
    output.packet_answers = {OutputStatus::again};
    start();
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    const auto seen = output.seen();
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_EQ(seen[0].dts, 2);
    EXPECT_EQ(seen[0].connection, 1U);
    EXPECT_EQ(thread->view().dropped_frames, 2U);
}

TEST_F(OutputThreadTest, fails_for_good_on_a_storage_error_and_still_closes_what_was_written) {
    output.packet_answers = {OutputStatus::ok, OutputStatus::storage};
    start();
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_FALSE(thread->finish());
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)"}));
    EXPECT_EQ(thread->view().state, OutputState::failed);
    EXPECT_EQ(thread->view().reason, "the test said so");
}

TEST_F(OutputThreadTest, fails_without_a_retry_on_wrong_configuration) {
    output.connect_answers = {OutputStatus::config};
    start();
    thread->begin(two_streams());
    EXPECT_FALSE(thread->finish());
    EXPECT_EQ(output.calls(), (Calls{"connect"}));
}

TEST_F(OutputThreadTest, fails_when_the_headers_are_not_supported) {
    output.headers_answer = OutputStatus::unsupported;
    start();
    thread->begin(two_streams());
    EXPECT_FALSE(thread->finish());
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)"}));
}

TEST_F(OutputThreadTest, fails_when_the_final_close_fails) {
    output.final_answer = OutputStatus::storage;
    start();
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_FALSE(thread->finish());
}

TEST_F(OutputThreadTest, a_stop_ends_the_wait_for_a_peer_that_is_away) {
    output.connect_answers.assign(100000, OutputStatus::transient);
    start();
    thread->begin(two_streams());
    push_two_gops();
    while (thread->view().attempts < 2)
        std::this_thread::yield();
    thread->give_up(false);
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(thread->view().dropped_frames, 4U);
}

TEST_F(OutputThreadTest, a_peer_that_stays_away_at_the_end_is_tried_anew_for_the_next_output) {
    output.connect_answers.assign(100000, OutputStatus::transient);
    start();
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish(20ms));
    output.connect_answers.clear();
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.seen().size(), 8U);
}

TEST_F(OutputThreadTest, a_stop_lets_a_connected_peer_have_the_rest) {
    start();
    thread->begin(two_streams());
    wait_for(OutputState::started);
    thread->give_up(false);
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.seen().size(), 8U);
}

TEST_F(OutputThreadTest, an_interrupt_frees_a_delivery_that_is_stuck) {
    output.block(true);
    start();
    thread->begin(two_streams());
    push_two_gops();
    wait_for(OutputState::started);
    thread->give_up(true);
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.calls().back(), "disconnect(final)");
}

const std::vector<std::pair<std::string, std::string>> kNewKey{{"key", "new"}};

TEST_F(OutputThreadTest, new_options_are_handed_over_while_disconnected_and_delivery_goes_on_at_a_keyframe) {
    start();
    thread->begin(two_streams());
    push_two_gops();
    while (output.seen().size() < 8)
        std::this_thread::yield();
    thread->replace_options(kNewKey);  // while it waits for packets
    while (output.calls().size() < 6)
        std::this_thread::yield();
    thread->queue().push(packet_of(0, 4));
    thread->queue().push(packet_of(0, 5, true));
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect", "replace key=new", "connect", "headers",
                                     "disconnect(final)"}));
    EXPECT_EQ(output.seen().back().dts, 5);
    EXPECT_EQ(output.seen().size(), 9U);
    EXPECT_GE(keyframes_wanted, 1);
}

TEST_F(OutputThreadTest, new_options_interrupt_a_delivery_that_is_stuck) {
    output.block(true);
    start();
    thread->begin(two_streams());
    push_two_gops();
    wait_for(OutputState::started);
    thread->replace_options(kNewKey);
    while (output.calls().size() < 5)
        std::this_thread::yield();
    output.block(false);
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.calls().at(3), "replace key=new");
    EXPECT_EQ(output.seen().front().dts, 2) << "the GOP that was cut is not begun in its middle";
}

TEST_F(OutputThreadTest, new_options_let_a_delivery_that_goes_on_well_end_so_that_the_peer_is_left_in_order) {
    OutputThreadOptions options = quick();
    options.limits.look_every = std::chrono::hours(1);
    output.block(true);
    start(options);
    thread->begin(two_streams());
    push_two_gops();
    wait_for(OutputState::started);
    std::this_thread::sleep_for(20ms);  // it delivers
    thread->replace_options(kNewKey);
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers"})) << "not interrupted";
    output.block(false);
    while (output.calls().size() < 6)
        std::this_thread::yield();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.seen().front().dts, 0) << "what was being delivered was delivered";
}

TEST_F(OutputThreadTest, new_options_interrupt_a_connect_that_waits) {
    output.block_connect(true);
    start();
    thread->open();
    while (output.calls().empty())
        std::this_thread::yield();
    thread->replace_options(kNewKey);
    while (output.calls().size() < 2)
        std::this_thread::yield();
    output.block_connect(false);
    wait_for(OutputState::connected);
    EXPECT_EQ(output.calls(), (Calls{"connect", "replace key=new", "connect"}));
}

TEST_F(OutputThreadTest, new_options_end_the_wait_of_a_sink_that_was_refused) {
    output.connect_answers = {OutputStatus::rejected, OutputStatus::rejected};
    OutputThreadOptions options = quick();
    options.retry.rejected = std::chrono::hours(1);
    start(options);
    thread->begin(two_streams());
    while (output.calls().size() < 2 || thread->view().state != OutputState::rejected)
        std::this_thread::yield();
    EXPECT_EQ(thread->view().reason, "the test said so");
    thread->replace_options(kNewKey);
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.calls(),
              (Calls{"connect", "connect", "replace key=new", "connect", "headers", "disconnect(final)"}));
    EXPECT_EQ(output.seen().size(), 8U);
}

TEST_F(OutputThreadTest, new_options_that_are_refused_leave_the_old_ones_at_work) {
    output.replace_answer = OutputStatus::config;
    start();
    thread->begin(two_streams());
    wait_for(OutputState::started);
    OutputThread::Values refused;
    std::string reason;
    thread->replace_options(kNewKey, [&](const OutputThread::Values& values, const std::string& refusal) {
        refused = values;
        reason = refusal;
    });
    while (output.calls().size() < 6)
        std::this_thread::yield();
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.seen().size(), 8U);
    EXPECT_EQ(refused, OutputThread::Values(kNewKey));
    EXPECT_EQ(reason, "the test said so");
}

TEST_F(OutputThreadTest, new_options_that_are_taken_are_told_without_a_reason) {
    start();
    thread->begin(two_streams());
    wait_for(OutputState::started);
    std::atomic<int> told{0};
    std::string reason = "none";
    thread->replace_options(kNewKey, [&](const OutputThread::Values&, const std::string& refusal) {
        reason = refusal;
        ++told;
    });
    while (output.calls().size() < 6)
        std::this_thread::yield();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(told, 1);
    EXPECT_EQ(reason, "");
}

TEST_F(OutputThreadTest, new_options_that_come_while_nothing_is_open_hold_for_the_next_output) {
    start();
    thread->replace_options(kNewKey);
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(output.calls(), (Calls{"replace key=new", "connect", "headers", "disconnect(final)"}));
}

TEST_F(OutputThreadTest, of_values_that_come_before_an_answer_the_newest_of_each_key_counts_and_all_are_told) {
    start();
    OutputThread::Values told;
    int answers = 0;
    const auto note = [&](const OutputThread::Values& values, const std::string&) {
        told = values;
        ++answers;
    };
    thread->replace_options({{"key", "first"}, {"url", "rtmp://h/a"}}, note);
    thread->replace_options({{"key", "new"}});
    thread->begin(two_streams());
    push_two_gops();
    EXPECT_TRUE(thread->finish());
    EXPECT_EQ(told, (OutputThread::Values{{"key", "new"}, {"url", "rtmp://h/a"}}));
    EXPECT_EQ(answers, 1);
}

}  // namespace
}  // namespace ringcast::runtime
