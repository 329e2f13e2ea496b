// SPDX-License-Identifier: Apache-2.0
/// The whole sink but its plugin: a real producer, a real bus, real encoders, an Output that records.
#pragma once

#include <gtest/gtest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "recording_output.hpp"
#include "ringcast/inspect.hpp"
#include "ringcast/producer.hpp"
#include "runtime/av_log.hpp"
#include "runtime/pipeline.hpp"

namespace ringcast::runtime::test {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;

inline constexpr std::uint32_t kWidth = 64;
inline constexpr std::uint32_t kHeight = 48;
inline constexpr std::uint32_t kRate = 44100;

class PipelineTest : public testing::Test {
protected:
    PipelineTest() {
        static int counter = 0;
        set_av_log_handler([](int, std::string_view) {});
        bus = "pipe-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
        options.reader.bus = bus;
        options.reader.name = "recorder";
        options.reader.plugin = "test";
        options.reader.lossless = true;
        options.once = true;
        options.sink.video.preset = "ultrafast";
        options.sink.on_end = OnEnd::close;
    }
    ~PipelineTest() override {
        if (runner.joinable()) {
            pipeline->request_stop();
            runner.join();
        }
        for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
            if (entry.path().filename().string().starts_with("ringcast." + bus + ".")) {
                std::filesystem::remove(entry.path());
            }
        }
    }

    void start() {
        auto log = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>());
        pipeline = std::make_unique<Pipeline>(options, output, log);
        runner = std::thread([this] {
            runner_id = ::gettid();
            succeeded = pipeline->run();
        });
    }
    bool join() {
        runner.join();
        return succeeded;
    }

    ProducerOptions producer_options(bool video = true, bool audio = true) const {
        ProducerOptions made;
        made.bus = bus;
        made.mode = WriterMode::lossless;
        if (video) made.video = VideoFormat{PixelFormat::bgr24, kWidth, kHeight, {25, 1}};
        if (audio) made.audio = AudioFormat{SampleFormat::s16, kRate, 1};
        return made;
    }
    ProducerOptions live_producer_options(bool video = true, bool audio = true) const {
        ProducerOptions made = producer_options(video, audio);
        made.mode = WriterMode::live;
        return made;
    }
    /// A sink whose output lasts as long as the clock, of a producer that waits for nobody.
    void keep_to_the_clock() {
        options.sink.on_stall = OnStall::fill;
        options.reader.lossless = false;
    }
    static void write_frame(Producer& producer) {
        static const std::vector<std::byte> pixels(std::size_t{kWidth} * kHeight * 3, std::byte{90});
        producer.write_video(pixels);
    }
    static void write_sound(Producer& producer, std::size_t samples = kRate / 25) {
        producer.write_audio(std::vector<std::byte>(samples * 2, std::byte{1}));
    }
    static void write_both(Producer& producer, int frames) {
        for (int i = 0; i < frames; ++i) {
            write_frame(producer);
            write_sound(producer);
        }
    }
    template <class Condition>
    static void wait_until(Condition condition) {
        while (!condition())
            std::this_thread::sleep_for(1ms);
    }

    /// False when it has not come about within 30 s.
    template <class Condition>
    static bool comes_about(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (!condition() && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(1ms);
        return condition();
    }
    [[nodiscard]] std::ptrdiff_t count(const std::string& call) const {
        const Calls calls = output.calls();
        return std::count(calls.begin(), calls.end(), call);
    }

    /// Every tick once; the sound without a hole, as long as the picture.
    void expect_whole(std::int64_t frames) const {
        const auto video = output.seen(Media::video);
        ASSERT_EQ(video.size(), static_cast<std::size_t>(frames));
        std::vector<std::int64_t> ticks;
        ticks.reserve(video.size());
        for (const auto& packet : video)
            ticks.push_back(packet.pts);
        std::sort(ticks.begin(), ticks.end());
        for (std::int64_t i = 0; i < frames; ++i)
            ASSERT_EQ(ticks[static_cast<std::size_t>(i)], i);
        EXPECT_TRUE(video.front().key);

        const auto audio = output.seen(Media::audio);
        ASSERT_FALSE(audio.empty());
        const StreamInfo info = output.streams().at(1);
        EXPECT_EQ(audio.front().pts, -static_cast<std::int64_t>(info.initial_padding));
        for (std::size_t i = 1; i < audio.size(); ++i) {
            ASSERT_EQ(audio[i].pts, audio[i - 1].pts + audio[i - 1].duration);
        }
        EXPECT_EQ(audio.back().pts + audio.back().duration, frames * 48000 / 25);
    }

    std::string bus;
    PipelineOptions options;
    RecordingOutput output;
    std::unique_ptr<Pipeline> pipeline;
    std::thread runner;
    std::atomic<pid_t> runner_id{0};
    bool succeeded = false;
};

}  // namespace ringcast::runtime::test
