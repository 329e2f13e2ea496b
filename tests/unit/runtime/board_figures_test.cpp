// SPDX-License-Identifier: Apache-2.0
#include "runtime/board_figures.hpp"

#include <gtest/gtest.h>

namespace ringcast::runtime {
namespace {

using layout::SinkState;

/// A sink that sends, and all is well.
SinkFigures sending() {
    SinkFigures figures;
    figures.encoders_open = figures.record_seen = true;
    figures.bytes_sent = 100;
    figures.output.state = OutputState::started;
    figures.output.moving = true;
    return figures;
}

TEST(StatusOf, is_live_only_when_bytes_move) {
    SinkFigures figures = sending();
    EXPECT_EQ(status_of(figures), (SinkStatus{SinkState::live, ""}));
    figures.output.moving = false;
    EXPECT_EQ(status_of(figures).state, SinkState::connecting);
    figures.output.moving = true;
    figures.bytes_before = 100;
    EXPECT_EQ(status_of(figures).state, SinkState::connecting) << "what an output before this one sent";
}

TEST(StatusOf, a_peer_that_takes_nothing_is_a_stall_with_its_reason) {
    SinkFigures figures = sending();
    figures.output.quiet = true;
    figures.output.moving = false;
    EXPECT_EQ(status_of(figures), (SinkStatus{SinkState::stalled, "the peer takes nothing"}));
}

TEST(StatusOf, nobody_there_is_connecting_with_what_is_waited_for) {
    SinkFigures figures = sending();
    figures.output.waits_for = "waits for a client at srt://:9000";
    figures.output.moving = false;
    EXPECT_EQ(status_of(figures), (SinkStatus{SinkState::connecting, "waits for a client at srt://:9000"}));
    figures.record_seen = false;
    EXPECT_EQ(status_of(figures).state, SinkState::ready) << "there is nothing to send yet";
    figures.ended = true;
    EXPECT_EQ(status_of(figures).state, SinkState::ended);
}

TEST(StatusOf, a_peer_that_is_too_slow_is_live_and_told) {
    SinkFigures figures = sending();
    figures.output.congested = true;
    EXPECT_EQ(status_of(figures), (SinkStatus{SinkState::live, "the peer is too slow: frames are dropped"}));
}

TEST(StatusOf, trouble_with_the_peer_is_told_before_trouble_with_the_producer) {
    SinkFigures figures = sending();
    figures.stalled = figures.producer_gone = true;
    EXPECT_EQ(status_of(figures).state, SinkState::stalled);
    figures.output.reason = "connection refused";
    figures.output.state = OutputState::backoff;
    EXPECT_EQ(status_of(figures), (SinkStatus{SinkState::backoff, "connection refused"}));
    figures.output.state = OutputState::rejected;
    EXPECT_EQ(status_of(figures), (SinkStatus{SinkState::rejected, "connection refused"}));
    figures.output.state = OutputState::connecting;
    figures.output.attempts = 1;
    EXPECT_EQ(status_of(figures), (SinkStatus{SinkState::connecting, "connection refused"})) << "why it connects again";
}

TEST(StatusOf, a_value_that_was_refused_is_told_whatever_the_peer_does) {
    SinkFigures figures = sending();
    figures.warning = "the old value stays in use: no key";
    EXPECT_EQ(status_of(figures), (SinkStatus{SinkState::live, "the old value stays in use: no key"}));
    figures.output.state = OutputState::rejected;
    figures.output.reason = "wrong key";
    EXPECT_EQ(status_of(figures), (SinkStatus{SinkState::rejected, "the old value stays in use: no key; wrong key"}));
}

TEST(StatusOf, a_value_that_was_refused_is_told_before_each_reason_of_a_sink_that_goes_on) {
    const std::string refused = "the old value stays in use: no key";
    const auto told = [&](SinkFigures figures) {
        figures.warning = refused;
        figures.note = "a note gives way";
        return status_of(figures);
    };
    SinkFigures figures = sending();
    figures.output.congested = true;
    EXPECT_EQ(told(figures), (SinkStatus{SinkState::live, refused + "; the peer is too slow: frames are dropped"}));
    figures.output.waits_for = "waits for a client";
    EXPECT_EQ(told(figures), (SinkStatus{SinkState::connecting, refused + "; waits for a client"}));
    figures.encoders_open = false;
    EXPECT_EQ(told(figures), (SinkStatus{SinkState::opening, refused}));
    figures.stalled = true;
    EXPECT_EQ(told(figures),
              (SinkStatus{SinkState::stalled, refused + "; nothing comes from the producer; the output is filled in"}));
    figures.producer_gone = true;
    EXPECT_EQ(told(figures).reason, refused + "; the producer is gone without an end; waiting for the next");
    figures.output.quiet = true;
    EXPECT_EQ(told(figures), (SinkStatus{SinkState::stalled, refused + "; the peer takes nothing"}));
    figures.output.state = OutputState::connecting;
    figures.output.attempts = 1;
    figures.output.reason = "connection refused";
    EXPECT_EQ(told(figures), (SinkStatus{SinkState::connecting, refused + "; connection refused"}));
    figures.output.reason.clear();
    EXPECT_EQ(told(figures), (SinkStatus{SinkState::connecting, refused}));
    figures.ended = true;
    figures.output.attempts = 0;
    EXPECT_EQ(told(figures), (SinkStatus{SinkState::ended, ""})) << "there is nothing left to stay in use";
}

TEST(EncodeTimes, quantiles_are_of_the_newest_512) {
    EncodeTimes times;
    EXPECT_EQ(times.quantile_ns(0.5), 0);
    times.add(std::chrono::nanoseconds(7));
    EXPECT_EQ(times.quantile_ns(0.5), 7);
    EXPECT_EQ(times.quantile_ns(0.99), 7);
    for (int i = 0; i < 1000; ++i)
        times.add(std::chrono::hours(1));
    for (int i = 1; i <= 512; ++i)
        times.add(std::chrono::nanoseconds(i));
    EXPECT_EQ(times.quantile_ns(0.5), 256);
    EXPECT_EQ(times.quantile_ns(0.99), 507);
    EXPECT_EQ(times.quantile_ns(1.0), 512);
}

TEST(RateMeter, follows_the_newest_two_seconds) {
    using namespace std::chrono_literals;
    RateMeter meter;
    RateMeter::TimePoint now{1h};
    std::uint64_t count = 1000;
    meter.look(now, count);
    EXPECT_EQ(meter.per_second(), 0.0);
    const auto pass = [&](int looks, std::uint64_t each) {
        for (int i = 0; i < looks; ++i) {
            now += 40ms;
            count += each;
            meter.look(now, count);
        }
    };
    pass(250, 4);
    EXPECT_NEAR(meter.per_second(), 100.0, 1e-9);
    pass(50, 1);
    EXPECT_NEAR(meter.per_second(), 25.0, 5.0);
    pass(60, 0);
    EXPECT_EQ(meter.per_second(), 0.0);
    meter.look(now + 1s, 5);
    EXPECT_EQ(meter.per_second(), 0.0) << "a count that begins anew";
}

}  // namespace
}  // namespace ringcast::runtime
