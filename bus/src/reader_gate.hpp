// SPDX-License-Identifier: Apache-2.0
/// Where a producer looks at its readers: counting the ready ones, and the one wait of lossless mode.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "board.hpp"

namespace ringcast {

/// Thread safety: wait() by one thread per flow at a time, the rest by any.
class ReaderGate {
public:
    /// Who is evicted is shown in `bus`.
    ReaderGate(const BoardView& board, layout::BusHeader& bus, std::chrono::nanoseconds reader_timeout);

    /// From here on a reader is ready only when it has this object of the flow open (or does not read the flow).
    void expect(FlowKind kind, std::uint32_t flow_object_id);

    [[nodiscard]] unsigned ready_readers() const;
    [[nodiscard]] bool wait_ready(unsigned count, std::chrono::nanoseconds timeout) const;

    /// Returns when every living reader has the expected objects open, or after `longest`.
    void wait_moved(std::chrono::nanoseconds longest) const;

    /// Lossless: returns once no living lossless reader still wants a record of `kind` below `tail`. A reader that does
    /// not move for reader_timeout is evicted here, in the writer's own state, and never waited for again.
    void wait(FlowKind kind, std::uint64_t tail);

private:
    struct Watched {
        std::int64_t attached_ns = 0;  // tells a new reader in the same cell from the evicted one
        std::uint64_t cursor = 0;
        std::int64_t moved_ns = 0;
        bool evicted = false;
    };
    [[nodiscard]] bool has_moved(unsigned number) const;
    template <class Condition>
    bool wait_for(Condition condition, std::chrono::nanoseconds longest) const;
    [[nodiscard]] bool is_holding(unsigned number, std::size_t flow, std::uint64_t tail);

    const BoardView& board_;
    layout::BusHeader& bus_;
    std::int64_t reader_timeout_ns_;
    std::array<std::atomic<std::uint32_t>, layout::kFlowCount> expected_{};  // 0: any
    // Per flow: each is waited for by the thread that writes it.
    std::array<std::array<Watched, layout::kBoardCells>, layout::kFlowCount> watched_{};
};

}  // namespace ringcast
