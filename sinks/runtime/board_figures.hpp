// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "ringcast/reader.hpp"
#include "runtime/encode_times.hpp"
#include "runtime/output_notes.hpp"
#include "runtime/output_thread.hpp"
#include "runtime/rate_meter.hpp"
#include "runtime/timeline.hpp"

namespace ringcast::runtime {

/// What a sink says of itself at one moment. The bus keeps cursor and loss of each flow in the cell itself.
struct SinkFigures {
    bool encoders_open = false;
    bool record_seen = false;
    bool producer_gone = false;  ///< died without end(): waiting for the next one
    bool ended = false;
    bool stalled = false;  ///< nothing comes; the output is filled in
    std::string warning;   ///< of the host, shown in place of the note: a key could not be read again
    std::string note;      ///< what people should know while it runs: a fallback encodes
    TimelineCounters timeline;
    OutputView output;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_before = 0;  ///< bytes_sent when the current output began
    std::int64_t lag_ns = 0;
    std::int64_t queue_ns = 0;
};

struct SinkStatus {
    layout::SinkState state = layout::SinkState::opening;
    std::string reason;
    friend bool operator==(const SinkStatus&, const SinkStatus&) = default;
};

/// The truth in one word: live means bytes moved, not that something is open.
[[nodiscard]] SinkStatus status_of(const SinkFigures& figures);

/// Writes the figures into the reader's own cell. One per attached bus, because each bus has a board of its own.
class BoardFigures {
public:
    /// `notes` of the output, if it has any, are shown as well.
    explicit BoardFigures(BoardEntry& board, const OutputNotes* notes = nullptr) : board_(board), notes_(notes) {}
    /// Cursors stand and encoders are open: from here on a lossless writer waits for this reader.
    void announce_ready();
    /// `encode_times`: of the output that is open, if any.
    void publish(const SinkFigures& figures, const EncodeTimes* encode_times);

private:
    void show_gauges(const SinkFigures& figures, const EncodeTimes* encode_times);

    BoardEntry& board_;
    const OutputNotes* notes_;
    RateMeter bytes_;
    RateMeter frames_;
    std::chrono::steady_clock::time_point next_measure_{};
    SinkStatus shown_;  // a new cell says opening
};

}  // namespace ringcast::runtime
