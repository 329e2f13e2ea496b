// SPDX-License-Identifier: Apache-2.0
#include "reader_gate.hpp"

#include <algorithm>

#include "system.hpp"

namespace ringcast {
namespace {

/// A reader that dies gives no wake; its lock is looked at this often while somebody waits for it.
constexpr std::chrono::milliseconds kLookAgain{50};

/// Waits for a change of the board, announced by Board::announce().
class BoardWait {
public:
    explicit BoardWait(layout::BoardHeader& header) : header_(header) {
        // SYNC D: Dekker with Board::announce(): we announce ourselves, then look; the reader moves, then looks.
        header_.writer_waiting.fetch_add(1, std::memory_order_seq_cst);
    }
    ~BoardWait() { header_.writer_waiting.fetch_sub(1, std::memory_order_seq_cst); }
    BoardWait(const BoardWait&) = delete;
    BoardWait& operator=(const BoardWait&) = delete;

    [[nodiscard]] std::uint32_t ticket() const { return header_.cursor_word.load(std::memory_order_seq_cst); }
    void wait(std::uint32_t ticket, std::chrono::nanoseconds longest) const {
        futex_wait(header_.cursor_word, ticket, std::min<std::chrono::nanoseconds>(longest, kLookAgain));
    }

private:
    layout::BoardHeader& header_;
};

bool is_ready(std::uint32_t state) {
    switch (static_cast<layout::SinkState>(state)) {
        case layout::SinkState::ready:
        case layout::SinkState::connecting:
        case layout::SinkState::live:
        case layout::SinkState::stalled:
        case layout::SinkState::backoff:
            return true;
        default:
            return false;
    }
}

}  // namespace

ReaderGate::ReaderGate(const BoardView& board, layout::BusHeader& bus, std::chrono::nanoseconds reader_timeout)
    : board_(board), bus_(bus), reader_timeout_ns_(reader_timeout.count()) {}

void ReaderGate::expect(FlowKind kind, std::uint32_t flow_object_id) {
    expected_[static_cast<std::size_t>(kind)].store(flow_object_id, std::memory_order_relaxed);
}

bool ReaderGate::has_moved(unsigned number) const {
    const layout::BoardCell& cell = board_.cell(number);
    for (std::size_t flow = 0; flow < layout::kFlowCount; ++flow) {
        const std::uint32_t expected = expected_[flow].load(std::memory_order_relaxed);
        if (expected == 0 || cell.cursor[flow].load(std::memory_order_seq_cst) == layout::kNotRead) continue;
        if (cell.flow_object[flow].load(std::memory_order_seq_cst) != expected) return false;
    }
    return true;
}

unsigned ReaderGate::ready_readers() const {
    unsigned ready = 0;
    for (unsigned number = 0; number < layout::kBoardCells; ++number) {
        const std::uint32_t state = board_.cell(number).state.load(std::memory_order_acquire);
        if (is_ready(state) && has_moved(number) && board_.is_alive(number)) ++ready;
    }
    return ready;
}

template <class Condition>
bool ReaderGate::wait_for(Condition condition, std::chrono::nanoseconds longest) const {
    const std::int64_t deadline = monotonic_ns() + longest.count();
    const BoardWait waiting(board_.header());
    for (;;) {
        const std::uint32_t ticket = waiting.ticket();
        if (condition()) return true;
        const std::int64_t left = deadline - monotonic_ns();
        if (left <= 0) return false;
        waiting.wait(ticket, std::chrono::nanoseconds(left));
    }
}

bool ReaderGate::wait_ready(unsigned count, std::chrono::nanoseconds timeout) const {
    return wait_for([&] { return ready_readers() >= count; }, timeout);
}

void ReaderGate::wait_moved(std::chrono::nanoseconds longest) const {
    const auto have_all_moved = [&] {
        for (unsigned number = 0; number < layout::kBoardCells; ++number) {
            // An empty cell has never attached: its owner would have said when.
            const bool used = board_.cell(number).attached_ns.load(std::memory_order_relaxed) != 0;
            if (used && !has_moved(number) && board_.is_alive(number)) return false;
        }
        return true;
    };
    static_cast<void>(wait_for(have_all_moved, longest));
}

bool ReaderGate::is_holding(unsigned number, std::size_t flow, std::uint64_t tail) {
    const layout::BoardCell& cell = board_.cell(number);
    if ((cell.flags.load(std::memory_order_acquire) & layout::kCellLossless) == 0) return false;
    const std::uint64_t cursor = cell.cursor[flow].load(std::memory_order_seq_cst);
    if (cursor >= tail) return false;
    // Only now a system call: the reader is about to lose a record.
    if (!board_.is_alive(number)) return false;
    Watched& watched = watched_[flow][number];
    const std::int64_t attached = cell.attached_ns.load(std::memory_order_relaxed);
    const std::int64_t now = monotonic_ns();
    if (watched.attached_ns != attached) watched = {attached, cursor, now, false};
    // Onwards only: a cell that goes to and fro must not hold the writer for ever.
    if (cursor > watched.cursor) {
        watched.cursor = cursor;
        watched.moved_ns = now;
    }
    if (now - watched.moved_ns > reader_timeout_ns_ && !watched.evicted) {
        watched.evicted = true;
        // For the inspector; the writer goes by its own state.
        bus_.evicted_attached_ns[number].store(attached, std::memory_order_relaxed);
    }
    return !watched.evicted;
}

void ReaderGate::wait(FlowKind kind, std::uint64_t tail) {
    const auto flow = static_cast<std::size_t>(kind);
    const auto is_anyone_holding = [&] {
        bool holding = false;
        for (unsigned number = 0; number < layout::kBoardCells; ++number) {
            if (is_holding(number, flow, tail)) holding = true;
        }
        return holding;
    };
    if (!is_anyone_holding()) return;
    const BoardWait waiting(board_.header());
    for (;;) {
        const std::uint32_t ticket = waiting.ticket();
        if (!is_anyone_holding()) return;
        waiting.wait(ticket, kLookAgain);
    }
}

}  // namespace ringcast
