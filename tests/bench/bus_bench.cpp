// SPDX-License-Identifier: Apache-2.0
/// What the bus costs: copying a frame in, reading it in place, and the way through to a waiting reader.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "ringcast/producer.hpp"
#include "ringcast/reader.hpp"

namespace {

using namespace std::chrono_literals;
using ringcast::FlowKind;

ringcast::ProducerOptions options_for(std::uint32_t width, std::uint32_t height) {
    ringcast::ProducerOptions options;
    options.bus = "bench-" + std::to_string(getpid());
    options.video = ringcast::VideoFormat{ringcast::PixelFormat::bgr24, width, height, {25, 1}};
    options.video_depth = 320ms;
    return options;
}

/// A copy that the compiler cannot see through and that does not fit any cache: the yardstick for write_video.
void plain_memcpy(benchmark::State& state) {
    const std::size_t bytes = std::size_t{1920} * 1080 * 3;
    const std::vector<std::byte> from(bytes, std::byte{1});
    std::vector<std::byte> ring(8 * bytes);
    std::size_t slot = 0;
    for (auto _ : state) {
        std::memcpy(ring.data() + slot * bytes, from.data(), bytes);
        benchmark::ClobberMemory();
        slot = (slot + 1) % 8;
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}
BENCHMARK(plain_memcpy)->Unit(benchmark::kMicrosecond);

void write_video(benchmark::State& state) {
    const auto options =
        options_for(static_cast<std::uint32_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
    ringcast::Producer producer(options);
    const std::vector<std::byte> frame(std::size_t{3} * options.video->width * options.video->height, std::byte{1});
    for (auto _ : state)
        producer.write_video(frame);
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * frame.size()));
    producer.end();
}
BENCHMARK(write_video)->Args({640, 360})->Args({1280, 720})->Args({1920, 1080})->Unit(benchmark::kMicrosecond);

void render_into_slot(benchmark::State& state) {
    ringcast::Producer producer(options_for(1920, 1080));
    for (auto _ : state) {
        benchmark::DoNotOptimize(producer.acquire_video().data());
        producer.commit_video();
    }
    producer.end();
}
BENCHMARK(render_into_slot)->Unit(benchmark::kMicrosecond);

/// One reader sleeps on the bus; time from commit until it has seen the record.
void hand_over_to_a_waiting_reader(benchmark::State& state) {
    const auto options = options_for(64, 64);
    ringcast::Producer producer(options);
    ringcast::ReaderOptions reading;
    reading.bus = options.bus;
    reading.name = "bench";
    const auto reader = ringcast::BusReader::try_attach(reading);
    std::atomic<std::uint64_t> seen{0};
    std::atomic<bool> stop{false};
    std::thread thread([&] {
        ringcast::FlowReader* flow = reader->flow(FlowKind::video);
        while (!stop.load(std::memory_order_relaxed)) {
            const std::uint32_t ticket = reader->ticket();
            if (flow->try_read([](const ringcast::Record&) {}) == ringcast::ReadStatus::ok) {
                seen.store(flow->cursor(), std::memory_order_release);
            } else {
                reader->wait(ticket, std::chrono::steady_clock::now() + 100ms);
            }
        }
    });
    const std::vector<std::byte> frame(std::size_t{64} * 64 * 3);
    std::uint64_t written = 0;
    for (auto _ : state) {
        state.PauseTiming();
        std::this_thread::sleep_for(200us);  // until the reader sleeps again
        state.ResumeTiming();
        producer.write_video(frame);
        ++written;
        while (seen.load(std::memory_order_acquire) < written) {
        }
    }
    stop.store(true, std::memory_order_relaxed);
    thread.join();
    producer.end();
}
BENCHMARK(hand_over_to_a_waiting_reader)->Unit(benchmark::kMicrosecond)->Iterations(2000)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
