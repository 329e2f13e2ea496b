// SPDX-License-Identifier: Apache-2.0
#include "runtime/board_figures.hpp"

#include <atomic>
#include <chrono>

namespace ringcast::runtime {

using layout::SinkState;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kMeasureEvery{250};

template <class Field, class Value>
void store(Field& field, Value value) {
    field.store(value, std::memory_order_relaxed);
}

/// Why it is not as it should be, and what people did in vain against it.
std::string with_warning(const SinkFigures& figures, const std::string& reason) {
    if (figures.warning.empty() || reason.empty()) return figures.warning + reason;
    return figures.warning + "; " + reason;
}

}  // namespace

SinkStatus status_of(const SinkFigures& figures) {
    const auto told = [&](const std::string& reason) { return with_warning(figures, reason); };
    switch (figures.output.state) {
        case OutputState::failed:
            return {SinkState::failed, figures.output.reason};
        case OutputState::rejected:
            return {SinkState::rejected, told(figures.output.reason)};
        case OutputState::backoff:
            return {SinkState::backoff, told(figures.output.reason)};
        default:
            break;
    }
    if (figures.ended) return {SinkState::ended, {}};
    const bool again = figures.output.state == OutputState::connecting && figures.output.attempts > 0;
    if (again) return {SinkState::connecting, told(figures.output.reason)};
    if (figures.output.quiet) return {SinkState::stalled, told("the peer takes nothing")};
    if (figures.producer_gone)
        return {SinkState::stalled, told("the producer is gone without an end; waiting for the next")};
    if (figures.stalled) return {SinkState::stalled, told("nothing comes from the producer; the output is filled in")};
    if (!figures.encoders_open) return {SinkState::opening, told({})};
    const std::string& note = figures.warning.empty() ? figures.note : figures.warning;
    if (!figures.record_seen) return {SinkState::ready, note};
    if (!figures.output.waits_for.empty()) return {SinkState::connecting, told(figures.output.waits_for)};
    if (figures.bytes_sent <= figures.bytes_before || !figures.output.moving) return {SinkState::connecting, note};
    if (figures.output.congested) return {SinkState::live, told("the peer is too slow: frames are dropped")};
    return {SinkState::live, note};
}

void BoardFigures::announce_ready() {
    board_.set_state(SinkState::ready);
    shown_ = {SinkState::ready, {}};
}

void BoardFigures::publish(const SinkFigures& figures, const EncodeTimes* encode_times) {
    if (SinkStatus status = status_of(figures); status != shown_) {
        board_.set_state(status.state, status.reason);
        shown_ = std::move(status);
    }
    layout::BoardCell* cell = board_.cell();
    if (cell == nullptr) return;
    store(cell->dropped_frames, figures.timeline.dropped_frames + figures.output.dropped_frames);
    store(cell->repeated_frames, figures.timeline.repeated_frames);
    store(cell->silence_samples, figures.timeline.silence_samples);
    store(cell->frames_encoded, figures.timeline.frames);
    store(cell->bytes_sent, figures.bytes_sent);
    store(cell->lag_ns, figures.lag_ns);
    store(cell->queue_ns, figures.queue_ns);
    store(cell->output_pts_ns, figures.output.output_end_ns);
    store(cell->reconnects, figures.output.reconnects);
    const auto now = steady_clock::now();
    store(cell->updated_ns, std::int64_t{std::chrono::nanoseconds(now.time_since_epoch()).count()});
    if (now < next_measure_) return;
    next_measure_ = now + kMeasureEvery;
    show_gauges(figures, encode_times);
    if (notes_ != nullptr) notes_->show(board_);
}

void BoardFigures::show_gauges(const SinkFigures& figures, const EncodeTimes* encode_times) {
    layout::BoardGauges* gauges = board_.gauges();
    if (gauges == nullptr) return;
    const auto now = steady_clock::now();
    bytes_.look(now, figures.bytes_sent);
    frames_.look(now, figures.timeline.frames);
    store(gauges->sent_bytes_per_second, static_cast<std::uint64_t>(bytes_.per_second()));
    store(gauges->encoded_mfps, static_cast<std::uint64_t>(frames_.per_second() * 1000.0));
    store(gauges->sent_frame_age_ns, figures.output.frame_age_ns);
    store(gauges->late_samples, figures.timeline.late_samples);
    if (encode_times == nullptr) return;
    store(gauges->encode_p50_ns, encode_times->quantile_ns(0.5));
    store(gauges->encode_p99_ns, encode_times->quantile_ns(0.99));
}

}  // namespace ringcast::runtime
