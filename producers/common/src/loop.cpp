// SPDX-License-Identifier: Apache-2.0
#include "ringcast/producers/loop.hpp"

#include <time.h>

#include <algorithm>

namespace ringcast::producers {
namespace {

using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC on Linux

constexpr nanoseconds kWaitSlice = std::chrono::milliseconds(200);
constexpr nanoseconds kMaxCatchUp = std::chrono::milliseconds(500);
constexpr nanoseconds kProgressInterval = std::chrono::seconds(1);

/// False when a signal cut the sleep short.
bool sleep_until(Clock::time_point due) {
    const auto since_boot = std::chrono::duration_cast<nanoseconds>(due.time_since_epoch()).count();
    const timespec when{static_cast<time_t>(since_boot / 1'000'000'000), static_cast<long>(since_boot % 1'000'000'000)};
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) == 0;
}

/// Holds frame `index` until its time. After a long stop (debugger, SIGSTOP, sleeping laptop) the schedule moves
/// instead of a burst of old frames: a model that was stopped does not catch up either.
class Pacer {
public:
    Pacer(Rational fps, Clock::time_point start) : fps_(fps), start_(start) {}

    void hold(std::uint64_t index, const std::atomic<bool>& stop) {
        const auto due = start_ + nanoseconds(count_to_ns(index, fps_));
        const auto late = Clock::now() - due;
        if (late > kMaxCatchUp) {
            start_ += late;
            ++late_restarts_;
            return;
        }
        while (!stop.load(std::memory_order_relaxed) && !sleep_until(due)) {
        }
    }
    [[nodiscard]] std::uint64_t late_restarts() const { return late_restarts_; }

private:
    Rational fps_;
    Clock::time_point start_;
    std::uint64_t late_restarts_ = 0;
};

std::optional<LoopEnd> wait_for_readers(const LoopOptions& options, const Producer& producer, LoopObserver& observer,
                                        const std::atomic<bool>& stop) {
    if (options.wait_readers == 0) return std::nullopt;
    const auto begin = Clock::now();
    observer.waiting(producer.ready_readers(), options.wait_readers);
    unsigned shown = producer.ready_readers();
    while (!producer.wait_readers(options.wait_readers, kWaitSlice)) {
        if (stop.load(std::memory_order_relaxed)) return LoopEnd::stopped;
        if (options.wait_timeout && Clock::now() - begin > *options.wait_timeout) return LoopEnd::wait_timed_out;
        const unsigned ready = producer.ready_readers();
        if (ready != shown) observer.waiting(ready, options.wait_readers);
        shown = ready;
    }
    return std::nullopt;
}

/// Leaves no slot half-written when drawing throws.
void write_frame(Producer& producer, Source& source, std::uint64_t index) {
    const auto pixels = producer.acquire_video();
    try {
        source.draw(index, pixels);
    } catch (...) {
        producer.abort_video();
        throw;
    }
}

}  // namespace

LoopSummary run_loop(const LoopOptions& options, Source& source, LoopObserver& observer,
                     const std::atomic<bool>& stop) {
    Producer producer(options.producer);
    LoopSummary summary;
    summary.session = producer.session();
    if (const auto text = producer.warning(); !text.empty()) observer.warned(text);
    if (const auto end = wait_for_readers(options, producer, observer, stop)) {
        summary.end = *end;
        producer.end();
        return summary;
    }

    const Rational fps = options.producer.video->fps;
    const std::uint32_t rate = options.producer.audio->rate;
    const bool paces_itself = options.producer.mode == WriterMode::live;
    const auto start = Clock::now();
    auto next_report = start + kProgressInterval;
    Pacer pacer(fps, start);
    LoopProgress& progress = summary.progress;
    const auto update = [&] {
        progress.elapsed = Clock::now() - start;
        progress.ready_readers = producer.ready_readers();
        progress.late_restarts = pacer.late_restarts();
    };
    update();
    observer.started(progress);
    for (std::uint64_t index = 0; !options.frames || index < *options.frames; ++index) {
        if (paces_itself) pacer.hold(index, stop);
        if (stop.load(std::memory_order_relaxed)) {
            summary.end = LoopEnd::stopped;
            break;
        }
        const std::uint64_t end_sample = samples_before(index + 1, fps, rate);
        const auto draw_begin = Clock::now();
        const auto samples = source.sound(progress.samples, end_sample - progress.samples);
        write_frame(producer, source, index);
        progress.drawing += Clock::now() - draw_begin;
        // Sound first: whoever is woken by the picture finds the sound that belongs to it.
        if (!samples.empty()) producer.write_audio(samples);
        producer.commit_video();
        progress.frames = index + 1;
        progress.samples = end_sample;
        if (const auto now = Clock::now(); now >= next_report) {
            update();
            observer.progressed(progress);
            next_report = std::max(next_report + kProgressInterval, now);
        }
    }
    update();
    producer.end();
    return summary;
}

}  // namespace ringcast::producers
