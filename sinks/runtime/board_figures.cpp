// SPDX-License-Identifier: Apache-2.0
#include "runtime/board_figures.hpp"

#include <atomic>
#include <chrono>

namespace ringcast::runtime {

using layout::SinkState;

SinkStatus status_of(const SinkFigures& figures) {
    switch (figures.output.state) {
        case OutputState::failed:
            return {SinkState::failed, figures.output.reason};
        case OutputState::rejected:
            return {SinkState::rejected, figures.output.reason};
        case OutputState::backoff:
            return {SinkState::backoff, figures.output.reason};
        default:
            break;
    }
    if (figures.ended) return {SinkState::ended, {}};
    if (figures.producer_gone) return {SinkState::stalled, "the producer is gone without an end; waiting for the next"};
    if (figures.stalled) return {SinkState::stalled, "nothing comes from the producer; the output is filled in"};
    if (!figures.encoders_open) return {SinkState::opening, {}};
    const std::string& note = figures.warning.empty() ? figures.note : figures.warning;
    if (!figures.record_seen) return {SinkState::ready, note};
    if (figures.bytes_sent > figures.bytes_before) return {SinkState::live, note};
    return {SinkState::connecting, note};
}

void BoardFigures::announce_ready() {
    board_.set_state(SinkState::ready);
    shown_ = {SinkState::ready, {}};
}

void BoardFigures::publish(const SinkFigures& figures) {
    if (SinkStatus status = status_of(figures); status != shown_) {
        board_.set_state(status.state, status.reason);
        shown_ = std::move(status);
    }
    layout::BoardCell* cell = board_.cell();
    if (cell == nullptr) return;
    const auto store = [](auto& field, auto value) { field.store(value, std::memory_order_relaxed); };
    store(cell->dropped_frames, figures.timeline.dropped_frames + figures.output.dropped_frames);
    store(cell->repeated_frames, figures.timeline.repeated_frames);
    store(cell->silence_samples, figures.timeline.silence_samples);
    store(cell->frames_encoded, figures.timeline.frames);
    store(cell->bytes_sent, figures.bytes_sent);
    store(cell->lag_ns, figures.lag_ns);
    store(cell->queue_ns, figures.queue_ns);
    store(cell->output_pts_ns, figures.output.output_end_ns);
    store(cell->reconnects, figures.output.reconnects);
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    store(cell->updated_ns, std::int64_t{std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()});
}

}  // namespace ringcast::runtime
