// SPDX-License-Identifier: Apache-2.0
// How much shared memory a bus takes, and what happens when there is less.
#include <gtest/gtest.h>

#include "bus_fixture.hpp"
#include "flow_plan.hpp"
#include "ringcast/error.hpp"
#include "shm_object.hpp"

namespace {
using namespace ringcast;
using namespace std::chrono_literals;

constexpr std::uint64_t kMega = 1 << 20;

ProducerOptions hd() {
    ProducerOptions options;
    options.bus = "space";
    options.video = VideoFormat{PixelFormat::bgr24, 1280, 720, {25, 1}};
    options.audio = AudioFormat{SampleFormat::s16, 44100, 1};
    return options;
}

std::uint64_t total(const FlowPlans& plans) {
    std::uint64_t bytes = 0;
    for (const FlowPlan& plan : plans.flows)
        bytes += plan.bytes();
    return bytes;
}

TEST(Space, by_default_holds_a_second_of_video_and_thirty_of_sound) {
    const FlowPlans plans = plan_flows(hd(), 1024 * kMega);
    ASSERT_EQ(plans.flows.size(), 2U);
    EXPECT_EQ(plans.flows[0].depth_ns, 1'000'000'000U);
    EXPECT_EQ(plans.flows[1].depth_ns, 30'000'000'000U);
    EXPECT_EQ(plans.warning, "");
    EXPECT_GE(plans.flows[0].arena_size, 25U * 1280 * 720 * 3);
}

TEST(Space, default_depth_shrinks_to_dockers_64_mb_and_names_the_fix) {
    const FlowPlans plans = plan_flows(hd(), 64 * kMega);
    EXPECT_LE(total(plans), 64 * kMega);
    EXPECT_LT(plans.flows[0].depth_ns, plans.flows[0].depth_wanted_ns);
    EXPECT_EQ(plans.flows[0].depth_wanted_ns, 1'000'000'000U);
    EXPECT_GE(plans.flows[0].depth_ns, 160'000'000U);
    EXPECT_NE(plans.warning.find("--shm-size="), std::string::npos) << plans.warning;
    EXPECT_NE(plans.warning.find("space"), std::string::npos);
}

TEST(Space, never_shrinks_below_four_frames) {
    ProducerOptions options = hd();
    options.audio.reset();
    const std::uint64_t frame = 1280 * 720 * 3;
    const FlowPlans plans = plan_flows(options, 6 * frame);
    EXPECT_GE(plans.flows[0].depth_ns, 160'000'000U);
    try {
        plan_flows(options, 4 * frame);
        FAIL() << "four frames and the one being written do not fit";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::no_space);
        EXPECT_NE(std::string(error.what()).find("--shm-size="), std::string::npos) << error.what();
    }
}

TEST(Space, a_stated_depth_that_does_not_fit_is_an_error) {
    for (const bool video : {true, false}) {
        ProducerOptions options = hd();
        (video ? options.video_depth : options.audio_depth) = 600s;
        EXPECT_THROW(plan_flows(options, 32 * kMega), Error);
        EXPECT_NO_THROW(plan_flows(options, 64 * 1024 * kMega));
    }
}

// Whatever is free: the plan fits into it, keeps four frames and a second of sound, or is refused.
TEST(Space, every_plan_fits_into_what_is_free) {
    unsigned planned = 0;
    for (std::uint64_t free = kMega / 2; free < 200 * kMega; free += kMega / 2) {
        try {
            const FlowPlans plans = plan_flows(hd(), free);
            ++planned;
            ASSERT_LE(total(plans), free) << free;
            ASSERT_GE(plans.flows[0].depth_ns, 160'000'000U);
            ASSERT_GE(plans.flows[1].depth_ns, 1'000'000'000U);
            ASSERT_EQ(plans.warning.empty(), plans.flows[0].depth_ns >= plans.flows[0].depth_wanted_ns &&
                                                 plans.flows[1].depth_ns >= plans.flows[1].depth_wanted_ns);
        } catch (const Error& error) {
            ASSERT_EQ(error.code(), ErrorCode::no_space);
            ASSERT_EQ(planned, 0U) << "refused with more room than sufficed before";
        }
    }
    EXPECT_GT(planned, 0U);
}

TEST(Space, an_object_that_cannot_be_reserved_is_an_error_and_leaves_no_file) {
    const std::string name = "ringcast.test-" + std::to_string(::getpid()) + "-huge.video";
    try {
        ShmObject::create(name, free_shm_bytes() * 2 + (1ULL << 40), 0640);
        FAIL() << "reserved more than there is";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::no_space) << error.what();
    }
    EXPECT_TRUE(test::shm_files("test-" + std::to_string(::getpid()) + "-huge").empty());
}

TEST(Space, an_object_is_private_until_it_is_published) {
    const std::string bus = "test-" + std::to_string(::getpid()) + "-publish";
    {
        ShmObject object = ShmObject::create("ringcast." + bus + ".video", 8192, 0640);
        EXPECT_FALSE(std::filesystem::exists("/dev/shm/ringcast." + bus + ".video"));
        object.publish();
        EXPECT_TRUE(object.is_still_named());
        EXPECT_EQ(test::shm_files(bus).size(), 1U);
        const auto perms = std::filesystem::status("/dev/shm/ringcast." + bus + ".video").permissions();
        EXPECT_EQ(static_cast<unsigned>(perms), 0640U);
        object.unlink();
        EXPECT_FALSE(object.is_still_named());
    }
    EXPECT_TRUE(test::shm_files(bus).empty());
}

}  // namespace
