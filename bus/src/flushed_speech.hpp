// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "pts_counter.hpp"

namespace ringcast {

/// Speech that was given up in a flush, on its way from the thread that flushes to the one that writes sound.
/// Thread safety: any thread notes, one goes on.
class FlushedSpeech {
public:
    /// So many samples were not sent; the next picture has this pts.
    void note(std::uint64_t voided_samples, const std::atomic<std::int64_t>& picture_pts) {
        voided_samples_.fetch_add(voided_samples, std::memory_order_relaxed);
        flushed_at_pts_.store(picture_pts.load(std::memory_order_relaxed), std::memory_order_relaxed);
        was_flushed_.store(true, std::memory_order_release);
    }

    /// New speech begins with the first picture after the flush, not where the speech that was given up would have
    /// ended.
    void go_on(PtsCounter& audio_pts, bool has_video) {
        if (!was_flushed_.exchange(false, std::memory_order_acquire)) return;
        std::optional<std::int64_t> from;
        if (has_video) from = flushed_at_pts_.load(std::memory_order_relaxed);
        audio_pts.take_back(voided_samples_.exchange(0, std::memory_order_relaxed), from);
    }

private:
    std::atomic<bool> was_flushed_{false};
    std::atomic<std::int64_t> flushed_at_pts_{0};
    std::atomic<std::uint64_t> voided_samples_{0};
};

}  // namespace ringcast
