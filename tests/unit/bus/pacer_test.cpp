// SPDX-License-Identifier: Apache-2.0
#include "pacer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace {
using namespace ringcast;
using namespace std::chrono_literals;

/// The first picture and the first sound of a model come from two threads at once; one is stopped on its way.
TEST(Pacer, nobody_sees_the_clock_before_the_feed_goes_by_it) {
    ProducerOptions options;
    options.mode = WriterMode::paced;
    AudioFeed feed({.bus = "pacer", .mode = WriterMode::paced, .depth = 30s, .has_video = true},
                   [](const RecordFields&, std::span<const std::byte>) {});
    Pacer pacer(options, feed);
    std::atomic<int> begun{0};
    const auto begin = [&] {
        pacer.begin(0);
        ++begun;
    };
    auto paused = feed.pause();  // the feed cannot be told
    std::thread first(begin);
    std::this_thread::sleep_for(50ms);
    std::thread second(begin);
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(begun, 0) << "sound pushed now would go by a clock that begins at 0";
    paused.unlock();
    first.join();
    second.join();
}

TEST(Pacer, does_not_sleep_in_the_other_modes) {
    ProducerOptions options;
    AudioFeed feed({.bus = "pacer", .depth = 30s}, [](const RecordFields&, std::span<const std::byte>) {});
    Pacer pacer(options, feed);
    pacer.wait(0);
    pacer.wait(3'600'000'000'000);  // an hour
}

}  // namespace
