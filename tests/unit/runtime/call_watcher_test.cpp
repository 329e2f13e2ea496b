// SPDX-License-Identifier: Apache-2.0
#include "runtime/call_watcher.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace ringcast::runtime {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using Call = CallWatcher::Call;

/// Only what the watching thread asks of an output is of interest.
class WatchedOutput final : public Output {
public:
    OutputStatus connect() override { return OutputStatus::ok; }
    OutputStatus headers(std::span<const StreamInfo> /*streams*/) override { return OutputStatus::ok; }
    OutputStatus packet(const Packet& /*packet*/) override { return OutputStatus::ok; }
    OutputStatus disconnect(bool /*final*/) override { return OutputStatus::ok; }
    void interrupt() noexcept override {
        ++interrupts;
        interrupts.notify_all();
    }
    [[nodiscard]] std::uint64_t bytes_sent() const override {
        ++looks;
        if (stuck) {
            is_stuck = true;
            is_stuck.notify_all();
            stuck.wait(true);
        }
        return bytes;
    }
    [[nodiscard]] std::string last_error() const override { return {}; }

    std::atomic<int> interrupts{0};
    std::atomic<std::uint64_t> bytes{0};
    mutable std::atomic<int> looks{0};
    std::atomic<bool> stuck{false};
    mutable std::atomic<bool> is_stuck{false};
};

class CallWatcherTest : public testing::Test {
protected:
    explicit CallWatcherTest(const PeerLimits& limits = {0ms, 0ms, 10ms, 1ms}) : watcher(output, limits) {
        watcher.begin_output();
        watcher.begin_connection();
    }
    /// A call that lasts until it is interrupted, and then returns `status`.
    OutputStatus stuck_call(Call kind, OutputStatus status = OutputStatus::interrupted) {
        const int before = output.interrupts;
        return watcher.call(kind, [&] {
            output.interrupts.wait(before);
            return status;
        });
    }
    /// One that lasts for so many looks.
    OutputStatus lasting_call(Call kind, int looks) {
        return watcher.call(kind, [&] {
            for (const int end = output.looks + looks; output.looks < end;)
                std::this_thread::yield();
            return OutputStatus::ok;
        });
    }

    WatchedOutput output;
    CallWatcher watcher;
};

/// A peer that has to answer and to take something.
class CallWatcherLimits : public CallWatcherTest {
protected:
    CallWatcherLimits() : CallWatcherTest({20ms, 20ms, 10ms, 1ms}) {}
};

TEST_F(CallWatcherTest, a_call_that_lasts_is_looked_at_and_let_be) {
    for (const Call kind : {Call::connecting, Call::delivering, Call::closing})
        EXPECT_EQ(lasting_call(kind, 10), OutputStatus::ok);
    EXPECT_EQ(output.interrupts, 0);
    EXPECT_EQ(watcher.take_reason(), "");
}

TEST_F(CallWatcherLimits, a_peer_that_does_not_answer_ends_the_call_and_is_told_once) {
    EXPECT_EQ(stuck_call(Call::connecting), OutputStatus::transient);
    EXPECT_EQ(watcher.take_reason(), "the peer did not answer within 0 s");
    EXPECT_EQ(watcher.take_reason(), "");
}

TEST_F(CallWatcherLimits, an_answer_that_comes_while_the_call_is_interrupted_counts) {
    EXPECT_EQ(stuck_call(Call::connecting, OutputStatus::ok), OutputStatus::ok);
    EXPECT_EQ(watcher.take_reason(), "");
}

TEST_F(CallWatcherLimits, a_peer_that_takes_nothing_ends_the_call_whatever_that_says) {
    for (const OutputStatus status : {OutputStatus::ok, OutputStatus::interrupted, OutputStatus::rejected}) {
        EXPECT_EQ(stuck_call(Call::delivering, status), OutputStatus::transient);
        EXPECT_EQ(watcher.take_reason(), "the peer took nothing for 0 s");
    }
}

TEST_F(CallWatcherLimits, what_the_peer_does_never_ends_its_closing) {
    EXPECT_EQ(stuck_call(Call::delivering), OutputStatus::transient);
    const int before = output.interrupts;
    EXPECT_EQ(lasting_call(Call::closing, 60), OutputStatus::ok);
    EXPECT_EQ(output.interrupts, before);
}

TEST_F(CallWatcherLimits, a_new_connection_owes_nothing) {
    EXPECT_EQ(stuck_call(Call::delivering), OutputStatus::transient);
    watcher.begin_connection();
    EXPECT_EQ(watcher.take_reason(), "");
    EXPECT_EQ(watcher.call(Call::connecting, [] { return OutputStatus::ok; }), OutputStatus::ok);
}

TEST_F(CallWatcherTest, an_end_of_connecting_holds_for_this_output_and_for_no_other_call) {
    watcher.end_connecting();
    EXPECT_EQ(lasting_call(Call::delivering, 10), OutputStatus::ok);
    EXPECT_EQ(output.interrupts, 0);
    EXPECT_EQ(stuck_call(Call::connecting), OutputStatus::interrupted);
    EXPECT_EQ(stuck_call(Call::connecting), OutputStatus::interrupted) << "those to come, too";
    watcher.end_output();
    watcher.begin_output();
    const int before = output.interrupts;
    EXPECT_EQ(lasting_call(Call::connecting, 10), OutputStatus::ok);
    EXPECT_EQ(output.interrupts, before);
}

TEST_F(CallWatcherTest, an_end_of_delivering_holds_for_all_outputs_and_for_no_connecting) {
    watcher.end_delivering();
    watcher.end_output();
    watcher.begin_output();
    EXPECT_EQ(stuck_call(Call::delivering), OutputStatus::interrupted);
    EXPECT_EQ(stuck_call(Call::closing), OutputStatus::interrupted);
    const int before = output.interrupts;
    EXPECT_EQ(lasting_call(Call::connecting, 10), OutputStatus::ok);
    EXPECT_EQ(output.interrupts, before);
}

TEST_F(CallWatcherTest, an_end_of_what_lasts_holds_until_it_is_taken_back_and_never_for_a_closing) {
    watcher.end_lasting(true);
    EXPECT_EQ(stuck_call(Call::connecting), OutputStatus::interrupted);
    EXPECT_EQ(stuck_call(Call::delivering), OutputStatus::interrupted);
    const int before = output.interrupts;
    EXPECT_EQ(lasting_call(Call::closing, 10), OutputStatus::ok);
    watcher.end_lasting(false);
    EXPECT_EQ(lasting_call(Call::delivering, 10), OutputStatus::ok);
    EXPECT_EQ(output.interrupts, before);
}

/// Looks only when it is told something.
class CallWatcherPatience : public CallWatcherTest {
protected:
    CallWatcherPatience() : CallWatcherTest({0ms, 0ms, 10ms, std::chrono::hours(1)}) {}
};

TEST_F(CallWatcherPatience, a_call_that_has_just_begun_is_not_one_that_lasts) {
    const OutputStatus status = watcher.call(Call::delivering, [&] {
        for (int looks = 0; looks < 2; ++looks) {
            const int before = output.looks;
            watcher.end_lasting(true);
            while (output.looks == before)
                std::this_thread::yield();
        }
        return OutputStatus::ok;
    });
    EXPECT_EQ(status, OutputStatus::ok);
    EXPECT_EQ(output.interrupts, 0);
}

TEST_F(CallWatcherTest, an_interrupt_that_is_lost_is_repeated) {
    watcher.end_delivering();
    const int before = output.interrupts;
    const OutputStatus status = watcher.call(Call::delivering, [&] {
        while (output.interrupts < before + 3)
            std::this_thread::yield();
        return OutputStatus::interrupted;
    });
    EXPECT_EQ(status, OutputStatus::interrupted);
}

TEST_F(CallWatcherTest, tells_for_how_long_bytes_left_and_whether_they_stay_away) {
    EXPECT_EQ(watcher.moved(), 0ns);
    watcher.call(Call::delivering, [&] {
        auto before_byte = steady_clock::now();
        while (watcher.moved() == 0ns) {
            before_byte = steady_clock::now();
            ++output.bytes;
            std::this_thread::yield();
        }
        EXPECT_TRUE(!watcher.is_quiet() || steady_clock::now() - before_byte >= 10ms);
        while (!watcher.is_quiet())
            std::this_thread::yield();
        return OutputStatus::ok;
    });
}

TEST_F(CallWatcherTest, an_output_that_is_closed_is_not_called_any_more) {
    output.stuck = true;
    output.is_stuck.wait(false);
    auto ended = std::async(std::launch::async, [&] {
        watcher.end_output();
        return output.looks.load();
    });
    EXPECT_EQ(ended.wait_for(20ms), std::future_status::timeout) << "while a look lasts";
    output.stuck = false;
    output.stuck.notify_all();
    const int looks = ended.get();
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(output.looks, looks);
}

}  // namespace
}  // namespace ringcast::runtime
