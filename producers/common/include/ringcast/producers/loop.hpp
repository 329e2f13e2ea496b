// SPDX-License-Identifier: Apache-2.0
/// The loop shared by the built-in producers: it paces, writes sound and picture in step, and ends the stream.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "ringcast/producer.hpp"
#include "ringcast/producers/timing.hpp"

namespace ringcast::producers {

/// What a built-in producer shows and says. All calls come from the thread that runs the loop, frames in order.
class Source {
public:
    virtual ~Source() = default;
    /// Draws frame `index` over all of `pixels`, a slot that still holds an older frame.
    virtual void draw(std::uint64_t index, std::span<std::byte> pixels) = 0;
    /// Samples [first, first + count), interleaved, in the flow's format; valid until the next call.
    virtual std::span<const std::byte> sound(std::uint64_t first, std::uint64_t count) = 0;
};

struct LoopOptions {
    ProducerOptions producer;             ///< both flows must be set
    std::optional<std::uint64_t> frames;  ///< endless when absent
    unsigned wait_readers = 0;            ///< sinks that must be attached, encoders open, before the first frame
    std::optional<std::chrono::nanoseconds> wait_timeout;
};

enum class LoopEnd { finished, stopped, wait_timed_out };

struct LoopProgress {
    std::uint64_t frames = 0;
    std::uint64_t samples = 0;
    unsigned ready_readers = 0;
    std::chrono::nanoseconds elapsed{0};  ///< since the first frame
    std::chrono::nanoseconds drawing{0};  ///< spent in Source, of `elapsed`
    std::uint64_t late_restarts = 0;      ///< live: times the clock was left behind and the schedule moved
};

struct LoopSummary {
    LoopEnd end = LoopEnd::finished;
    std::uint64_t session = 0;
    LoopProgress progress;
};

/// Told by the loop what a person may want to see; from the loop's thread.
class LoopObserver {
public:
    virtual ~LoopObserver() = default;
    virtual void warned(const std::string& text) = 0;
    virtual void waiting(unsigned ready, unsigned wanted) = 0;
    virtual void started(const LoopProgress& progress) = 0;
    virtual void progressed(const LoopProgress& progress) = 0;  ///< once a second
};

/// Runs until `frames` are written or `stop` gets true, then ends the stream. Throws ringcast::Error.
/// live: this function keeps wall-clock pace; paced and lossless: the bus does.
LoopSummary run_loop(const LoopOptions& options, Source& source, LoopObserver& observer, const std::atomic<bool>& stop);

}  // namespace ringcast::producers
