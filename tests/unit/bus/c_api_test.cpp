// SPDX-License-Identifier: Apache-2.0
// The C face: codes instead of exceptions, and no argument that crashes it.
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>
#include <thread>

#include "bus_fixture.hpp"
#include "ringcast/error.hpp"
#include "ringcast/ringcast.h"

namespace {
using namespace ringcast;
using namespace ringcast::test;

static_assert(RINGCAST_E_INVALID_ARGUMENT == static_cast<int>(ErrorCode::invalid_argument));
static_assert(RINGCAST_E_NOT_FOUND == static_cast<int>(ErrorCode::not_found));
static_assert(RINGCAST_E_BUSY == static_cast<int>(ErrorCode::busy));
static_assert(RINGCAST_E_NO_SPACE == static_cast<int>(ErrorCode::no_space));
static_assert(RINGCAST_E_FORKED == static_cast<int>(ErrorCode::forked));
static_assert(RINGCAST_E_ENDED == static_cast<int>(ErrorCode::ended));
static_assert(RINGCAST_NV12 == static_cast<int>(PixelFormat::nv12) &&
              RINGCAST_F32 == static_cast<int>(SampleFormat::f32));
static_assert(RINGCAST_LOSSLESS == static_cast<int>(WriterMode::lossless));

class CApi : public BusTest {
protected:
    ringcast_producer_config config() const {
        ringcast_producer_config config{};
        config.size = sizeof(config);
        config.bus = bus_.c_str();
        config.width = 32;
        config.height = 8;
        config.fps_num = 25;
        config.fps_den = 1;
        config.pixel_format = RINGCAST_BGR24;
        config.sample_format = RINGCAST_S16;
        config.sample_rate = 8000;
        config.channels = 1;
        return config;
    }
    int open_code(const ringcast_producer_config& wanted) const {
        auto* stale = reinterpret_cast<ringcast_producer*>(1);
        const int code = ringcast_producer_open(&wanted, &stale);
        EXPECT_EQ(stale == nullptr, code != 0) << "a failed open leaves no handle";
        if (code == 0) ringcast_producer_close(stale);
        return code;
    }
};

TEST_F(CApi, writes_a_stream_from_open_to_end) {
    ringcast_producer* producer = nullptr;
    const auto wanted = config();
    ASSERT_EQ(ringcast_producer_open(&wanted, &producer), 0) << ringcast_last_error();
    EXPECT_STREQ(ringcast_producer_warning(producer), "");
    const auto bus = reader();
    EXPECT_EQ(ringcast_producer_write_video(producer, frame(1).data(), kFrameBytes, RINGCAST_PTS_AUTO), 0);
    void* pixels = nullptr;
    std::size_t bytes = 0;
    ASSERT_EQ(ringcast_producer_acquire_video(producer, &pixels, &bytes), 0);
    EXPECT_EQ(bytes, kFrameBytes);
    std::memset(pixels, 2, bytes);
    EXPECT_EQ(ringcast_producer_abort_video(producer), 0);
    ASSERT_EQ(ringcast_producer_acquire_video(producer, &pixels, &bytes), 0);
    std::memset(pixels, 3, bytes);
    EXPECT_EQ(ringcast_producer_commit_video(producer, 77), 0);
    EXPECT_EQ(ringcast_producer_write_audio(producer, frame(0).data(), 100, RINGCAST_PTS_AUTO), 0);
    EXPECT_EQ(ringcast_producer_write_audio(producer, nullptr, 0, RINGCAST_PTS_AUTO), 0);
    EXPECT_EQ(ringcast_producer_wait_readers(producer, 0, 0), 0);
    EXPECT_EQ(ringcast_producer_wait_readers(producer, 1, 0), RINGCAST_E_NOT_FOUND);
    EXPECT_EQ(ringcast_producer_end(producer), 0);
    EXPECT_EQ(ringcast_producer_end(producer), 0);
    EXPECT_EQ(ringcast_producer_write_video(producer, frame(1).data(), kFrameBytes, RINGCAST_PTS_AUTO),
              RINGCAST_E_ENDED);
    ringcast_producer_close(producer);
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 2U);
    EXPECT_EQ(drain(*bus->flow(FlowKind::audio)), 1U);
}

TEST_F(CApi, refuses_wrong_arguments_with_a_code_and_a_line) {
    const auto wrong = [&](auto change) {
        auto wanted = config();
        change(wanted);
        const int code = open_code(wanted);
        EXPECT_NE(std::strlen(ringcast_last_error()), 0U);
        EXPECT_EQ(std::strchr(ringcast_last_error(), '\n'), nullptr);
        return code;
    };
    EXPECT_EQ(wrong([](auto& c) { c.size = 8; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.bus = nullptr; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.bus = "a/b"; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.mode = 3; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.height = 0; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.fps_den = 0; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.pixel_format = 99; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.sample_format = 0; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.channels = 0; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.video_depth_ns = -1; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.width = c.height = c.sample_rate = 0; }), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(wrong([](auto& c) { c.video_depth_ns = std::numeric_limits<std::int64_t>::max(); }), RINGCAST_E_NO_SPACE);
    EXPECT_EQ(wrong([](auto& c) { c.audio_depth_ns = std::numeric_limits<std::int64_t>::max(); }), RINGCAST_E_NO_SPACE);
    EXPECT_TRUE(shm_files(bus_).empty());
    EXPECT_EQ(open_code(config()), 0);
}

TEST_F(CApi, takes_the_smaller_configuration_of_older_programs) {
    auto wanted = config();
    wanted.size = offsetof(ringcast_producer_config, group);
    wanted.group = reinterpret_cast<const char*>(1);  // beyond what this program says it has: never looked at
    EXPECT_EQ(open_code(wanted), 0) << ringcast_last_error();
}

TEST_F(CApi, writes_packets_events_planes_and_flushes) {
    auto wanted = config();
    wanted.packets = wanted.events = 1;
    ringcast_producer* producer = nullptr;
    ASSERT_EQ(ringcast_producer_open(&wanted, &producer), 0) << ringcast_last_error();
    const auto bus = reader();
    const std::vector<std::byte> pixels(kFrameBytes * 2);
    const void* planes[4] = {pixels.data()};
    const ptrdiff_t strides[4] = {128};
    EXPECT_EQ(ringcast_producer_write_video_planes(producer, planes, strides, RINGCAST_PTS_AUTO), 0);
    ringcast_packet_stream stream{};
    stream.size = sizeof stream;
    stream.codec = RINGCAST_AAC;
    stream.sample_rate = 48000;
    stream.channels = 2;
    stream.config = "ab";
    stream.config_bytes = 2;
    EXPECT_EQ(ringcast_producer_set_packet_stream(producer, &stream), 0) << ringcast_last_error();
    ringcast_packet packet{};
    packet.size = sizeof packet;
    packet.key = 1;
    packet.data = "data";
    packet.bytes = 4;
    EXPECT_EQ(ringcast_producer_write_packet(producer, &packet), 0) << ringcast_last_error();
    EXPECT_EQ(ringcast_producer_write_packet(producer, &packet), RINGCAST_E_INVALID_ARGUMENT);  // dts stands still
    packet.size = 4;
    EXPECT_EQ(ringcast_producer_write_packet(producer, &packet), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(ringcast_producer_write_event(producer, "{}", RINGCAST_PTS_AUTO), 0);
    EXPECT_EQ(ringcast_producer_flush(producer), 0);
    EXPECT_EQ(ringcast_producer_set_video_format(producer, RINGCAST_I420, 16, 8, 30, 1), 0) << ringcast_last_error();
    EXPECT_EQ(ringcast_producer_set_audio_format(producer, RINGCAST_F32, 16000, 1), 0) << ringcast_last_error();
    EXPECT_EQ(ringcast_producer_audio_waiting(producer), 0);
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 1U);
    EXPECT_EQ(drain(*bus->flow(FlowKind::packets)), 2U);
    EXPECT_EQ(drain(*bus->flow(FlowKind::events)), 1U);
    EXPECT_EQ(bus->flush().index, (std::array<std::uint64_t, 4>{1, 0, 2, 1}));
    ringcast_producer_end(producer);
    ringcast_producer_close(producer);
    EXPECT_EQ(ringcast_producer_flush(nullptr), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(ringcast_producer_write_packet(nullptr, nullptr), RINGCAST_E_INVALID_ARGUMENT);
}

TEST_F(CApi, takes_null_for_no_crash) {
    ringcast_producer* producer = nullptr;
    const auto wanted = config();
    EXPECT_EQ(ringcast_producer_open(nullptr, &producer), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(ringcast_producer_open(&wanted, nullptr), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(ringcast_producer_write_video(nullptr, nullptr, 0, 0), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(ringcast_producer_write_audio(nullptr, nullptr, 0, 0), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(ringcast_producer_end(nullptr), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_STREQ(ringcast_producer_warning(nullptr), "");
    ringcast_producer_close(nullptr);
    ASSERT_EQ(ringcast_producer_open(&wanted, &producer), 0);
    EXPECT_EQ(ringcast_producer_write_video(producer, nullptr, kFrameBytes, 0), RINGCAST_E_INVALID_ARGUMENT);
    EXPECT_EQ(ringcast_producer_acquire_video(producer, nullptr, nullptr), RINGCAST_E_INVALID_ARGUMENT);
    ringcast_producer_close(producer);
}

TEST_F(CApi, keeps_the_error_text_of_each_thread_apart) {
    EXPECT_EQ(ringcast_producer_end(nullptr), RINGCAST_E_INVALID_ARGUMENT);
    const std::string here = ringcast_last_error();
    std::thread([&] { EXPECT_STREQ(ringcast_last_error(), ""); }).join();
    EXPECT_EQ(here, ringcast_last_error());
}

}  // namespace
