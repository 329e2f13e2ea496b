// SPDX-License-Identifier: Apache-2.0
#include "hls/audience.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace ringcast::sink {
namespace {

using namespace std::chrono_literals;

/// What wait_until_served() says when there is no time left.
bool served(Audience& audience, std::uint64_t last) {
    return audience.wait_until_served(last, Audience::Clock::now() - 1s);
}

TEST(Audience, is_served_when_nobody_watches) {
    Audience audience;
    EXPECT_TRUE(served(audience, 7));
}

TEST(Audience, is_served_once_its_viewer_has_the_last_segment) {
    Audience audience;
    const auto now = Audience::Clock::now();
    audience.fetched_playlist("a", now);
    EXPECT_FALSE(served(audience, 3)) << "who has the playlist comes for the segments";
    audience.fetched_segment("a", 2, now);
    EXPECT_FALSE(served(audience, 3));
    audience.fetched_segment("a", 3, now);
    EXPECT_TRUE(served(audience, 3));
    audience.fetched_playlist("a", now);
    EXPECT_TRUE(served(audience, 3)) << "over another connection, as players do";
}

TEST(Audience, tells_apart_viewers_that_look_alike_by_how_often_a_segment_went) {
    Audience audience;
    const auto now = Audience::Clock::now();
    audience.fetched_segment("a", 2, now);
    audience.fetched_segment("a", 2, now);
    audience.fetched_segment("a", 3, now);
    EXPECT_FALSE(served(audience, 3));
    audience.fetched_segment("a", 3, now);
    EXPECT_TRUE(served(audience, 3));
}

TEST(Audience, waits_for_the_slowest_of_several) {
    Audience audience;
    const auto now = Audience::Clock::now();
    for (const char* viewer : {"a", "b", "c"})
        audience.fetched_segment(viewer, 2, now);
    audience.fetched_segment("a", 3, now);
    audience.fetched_segment("c", 3, now);
    EXPECT_FALSE(served(audience, 3));
    audience.fetched_segment("b", 3, now);
    EXPECT_TRUE(served(audience, 3));
}

TEST(Audience, does_not_wait_for_who_left_long_ago) {
    Audience audience;
    audience.fetched_segment("a", 2, Audience::Clock::now() - 1min);
    EXPECT_TRUE(served(audience, 3));
}

TEST(Audience, a_wait_ends_with_the_last_fetch) {
    Audience audience;
    audience.fetched_segment("a", 2, Audience::Clock::now());
    bool all = false;
    std::thread waiting([&] { all = audience.wait_until_served(3, Audience::Clock::now() + 1h); });
    audience.fetched_segment("a", 3, Audience::Clock::now());
    waiting.join();
    EXPECT_TRUE(all);
}

TEST(Audience, an_interrupt_ends_a_wait_and_the_next_until_it_is_welcome_again) {
    Audience audience;
    audience.fetched_segment("a", 2, Audience::Clock::now());
    bool all = true;
    std::thread waiting([&] { all = audience.wait_until_served(3, Audience::Clock::now() + 1h); });
    audience.interrupt();
    waiting.join();
    EXPECT_FALSE(all);
    EXPECT_FALSE(audience.wait_until_served(3, Audience::Clock::now() + 1h));
    audience.welcome();
    audience.fetched_segment("a", 3, Audience::Clock::now());
    EXPECT_TRUE(audience.wait_until_served(3, Audience::Clock::now() + 1h));
}

}  // namespace
}  // namespace ringcast::sink
