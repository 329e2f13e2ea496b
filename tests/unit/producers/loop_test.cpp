// SPDX-License-Identifier: Apache-2.0
#include "ringcast/producers/loop.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"
#include "ringcast/producers/testsrc.hpp"
#include "ringcast/reader.hpp"

namespace ringcast::producers {
namespace {

std::string own_bus() {
    static int count = 0;
    return "loop-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

LoopOptions options_for(const std::string& bus, WriterMode mode, Rational fps = {25, 1}) {
    LoopOptions options;
    options.producer.bus = bus;
    options.producer.mode = mode;
    options.producer.video = VideoFormat{PixelFormat::bgr24, 64, 36, fps};
    options.producer.audio = AudioFormat{SampleFormat::s16, 44100, 1};
    return options;
}

struct Silent : LoopObserver {
    void warned(const std::string&) override {}
    void waiting(unsigned, unsigned) override { ++waits; }
    void started(const LoopProgress&) override { ++starts; }
    void progressed(const LoopProgress&) override {}
    int waits = 0;
    int starts = 0;
};

std::unique_ptr<Source> source_of(const LoopOptions& options) {
    return make_testsrc(*options.producer.video, *options.producer.audio);
}

/// Reads a bus to its end on a thread of its own: frame numbers and the sum of samples.
class Listener {
public:
    explicit Listener(const std::string& bus, bool becomes_ready)
        : thread_([this, bus, becomes_ready] { run(bus, becomes_ready); }) {}
    void join() { thread_.join(); }
    std::vector<std::uint64_t> frames;
    std::uint64_t samples = 0;
    std::uint64_t lost = 0;
    bool attached = false;

private:
    void run(const std::string& bus, bool becomes_ready) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        const auto reader = BusReader::attach({bus, "listener", "test", true, true}, -1, deadline);
        if (!reader) return;
        attached = true;
        if (becomes_ready) reader->board().set_state(layout::SinkState::ready);
        while (std::chrono::steady_clock::now() < deadline) {
            const auto ticket = reader->ticket();
            reader->refresh();
            const bool video_ended = drain(reader->flow(FlowKind::video));
            const bool audio_ended = drain(reader->flow(FlowKind::audio));
            if (video_ended && audio_ended) return;
            reader->wait(ticket, deadline);
        }
    }
    bool drain(FlowReader* flow) {
        if (flow == nullptr) return false;
        for (;;) {
            const auto status = flow->try_read([&](const Record& record) {
                if (flow->kind() == FlowKind::video) frames.push_back(record.media_index);
                samples += record.sample_count;
            });
            if (status == ReadStatus::overrun) ++lost;
            if (status == ReadStatus::ended || status == ReadStatus::damaged) return true;
            if (status == ReadStatus::not_yet) return false;
        }
    }
    std::thread thread_;
};

TEST(ProducerLoop, writes_exactly_the_frames_and_samples_asked_for) {
    auto options = options_for(own_bus(), WriterMode::lossless, {30000, 1001});
    options.frames = 100;
    options.wait_readers = 1;
    options.wait_timeout = std::chrono::seconds(60);
    const auto source = source_of(options);
    Listener listener(options.producer.bus, true);
    Silent observer;
    const std::atomic<bool> stop{false};
    const auto summary = run_loop(options, *source, observer, stop);
    listener.join();
    EXPECT_EQ(summary.end, LoopEnd::finished);
    EXPECT_EQ(summary.progress.frames, 100U);
    EXPECT_EQ(summary.progress.samples, 147147U);  // 100 · 44100 · 1001 / 30000, exactly
    EXPECT_EQ(listener.samples, 147147U);
    ASSERT_EQ(listener.frames.size(), 100U);
    for (std::uint64_t i = 0; i < 100; ++i)
        EXPECT_EQ(listener.frames[i], i);
    EXPECT_GE(observer.waits, 1);
    EXPECT_EQ(observer.starts, 1);
}

TEST(ProducerLoop, live_keeps_wall_clock_pace) {
    auto options = options_for(own_bus(), WriterMode::live, {50, 1});
    options.frames = 26;
    const auto source = source_of(options);
    Silent observer;
    const std::atomic<bool> stop{false};
    const auto summary = run_loop(options, *source, observer, stop);
    // Frame 25 is due half a second after frame 0; never earlier, however loaded the machine is.
    EXPECT_GE(summary.progress.elapsed, std::chrono::milliseconds(500));
    EXPECT_EQ(summary.progress.frames, 26U);
}

TEST(ProducerLoop, a_stop_ends_the_stream_and_removes_the_bus) {
    const auto options = options_for(own_bus(), WriterMode::live, {100, 1});
    const auto source = source_of(options);
    Silent observer;
    std::atomic<bool> stop{false};
    std::thread stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        stop = true;
    });
    const auto summary = run_loop(options, *source, observer, stop);
    stopper.join();
    EXPECT_EQ(summary.end, LoopEnd::stopped);
    EXPECT_GT(summary.progress.frames, 0U);
    const auto buses = list_buses();
    EXPECT_EQ(std::count(buses.begin(), buses.end(), options.producer.bus), 0);
}

TEST(ProducerLoop, gives_up_waiting_for_sinks_at_the_timeout) {
    auto options = options_for(own_bus(), WriterMode::live);
    options.wait_readers = 1;
    options.wait_timeout = std::chrono::milliseconds(300);
    const auto source = source_of(options);
    // Attached, but its encoders never open: it does not count.
    Listener idle(options.producer.bus, false);
    Silent observer;
    const std::atomic<bool> stop{false};
    const auto summary = run_loop(options, *source, observer, stop);
    idle.join();
    EXPECT_EQ(summary.end, LoopEnd::wait_timed_out);
    EXPECT_EQ(summary.progress.frames, 0U);
    EXPECT_EQ(observer.starts, 0);
}

struct Breaking : Source {
    void draw(std::uint64_t index, std::span<std::byte>) override {
        if (index == 3) throw std::runtime_error("out of paint");
    }
    std::span<const std::byte> sound(std::uint64_t, std::uint64_t count) override {
        bytes.resize(count * 2);
        return bytes;
    }
    std::vector<std::byte> bytes;
};

TEST(ProducerLoop, an_error_while_drawing_does_not_end_the_stream) {
    auto options = options_for(own_bus(), WriterMode::live, {100, 1});
    options.frames = 10;
    Breaking source;
    Silent observer;
    const std::atomic<bool> stop{false};
    EXPECT_THROW(run_loop(options, source, observer, stop), std::runtime_error);
    // Not ended: sinks wait for the next producer. The names stay until somebody cleans.
    EXPECT_FALSE(inspect_bus(options.producer.bus).ended);
    EXPECT_FALSE(clean_buses(options.producer.bus, false).empty());
}

}  // namespace
}  // namespace ringcast::producers
