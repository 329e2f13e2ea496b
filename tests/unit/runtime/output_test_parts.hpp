// SPDX-License-Identifier: Apache-2.0
/// What the tests of the sink thread share.
#pragma once

#include <gtest/gtest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "recording_output.hpp"
#include "runtime/output_thread.hpp"
#include "test_packets.hpp"

namespace ringcast::runtime::test {

inline OutputThreadOptions quick() {
    OutputThreadOptions options;
    options.retry.first = std::chrono::milliseconds(5);
    options.retry.longest = std::chrono::milliseconds(20);
    options.retry.rejected = std::chrono::milliseconds(20);
    return options;
}

/// An OutputThread before an Output that records.
class OutputThreadTest : public testing::Test {
protected:
    using Calls = std::vector<std::string>;

    void start(const OutputThreadOptions& options = quick()) {
        auto log = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>());
        thread.emplace(
            output, log, options, [] {}, [this] { ++keyframes_wanted; });
    }
    template <class Condition>
    static void wait_until(Condition condition) {
        while (!condition())
            std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    void wait_for(OutputState state) const {
        wait_until([&] { return thread->view().state == state; });
    }
    /// Two GOPs of two frames, each frame with one audio packet behind it.
    void push_two_gops() {
        for (int i = 0; i < 4; ++i) {
            thread->queue().push(packet_of(0, i, i % 2 == 0));
            thread->queue().push(packet_of(1, i * 1920));
        }
    }

    RecordingOutput output;
    std::atomic<int> keyframes_wanted{0};
    std::optional<OutputThread> thread;
};

}  // namespace ringcast::runtime::test
