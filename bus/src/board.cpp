// SPDX-License-Identifier: Apache-2.0
#include "board.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "board_notes.hpp"
#include "names.hpp"
#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"
#include "system.hpp"

namespace ringcast {
namespace {

template <std::size_t N>
void store_text(std::array<char, N>& target, std::string_view text) {
    std::array<char, N> padded{};
    const std::string clean = sanitise(text, N - 1);
    std::copy_n(clean.data(), std::min(clean.size(), N - 1), padded.data());
    target = padded;
}

}  // namespace

void format_board(layout::BoardHeader& header, const std::string& bus, std::uint64_t session) {
    fill_object_header(header.object, layout::ObjectType::board, sizeof(layout::BoardHeader), kBoardSize, session);
    std::copy_n(bus.data(), std::min(bus.size(), header.bus_name.size() - 1), header.bus_name.data());
    header.cell_count = layout::kBoardCells;
    header.cell_size = sizeof(layout::BoardCell);
    header.cells_offset = sizeof(layout::BoardHeader);
    header.gauges_offset = kBoardCellsEnd;
    header.notes_offset = kBoardGaugesEnd;
}

std::optional<BoardView> BoardView::of(const ShmObject& object) {
    auto* header = object.as<layout::BoardHeader>();
    if (object.size() < kBoardCellsEnd || header->cell_count != layout::kBoardCells ||
        header->cell_size != sizeof(layout::BoardCell) || header->cells_offset != sizeof(layout::BoardHeader)) {
        return std::nullopt;
    }
    const bool has_gauges = object.size() >= kBoardGaugesEnd && header->gauges_offset == kBoardCellsEnd;
    const bool has_notes = object.size() >= kBoardSize && header->notes_offset == kBoardGaugesEnd;
    return BoardView(header, reinterpret_cast<layout::BoardCell*>(object.data() + sizeof(layout::BoardHeader)),
                     has_gauges ? reinterpret_cast<layout::BoardGauges*>(object.data() + kBoardCellsEnd) : nullptr,
                     has_notes ? reinterpret_cast<layout::BoardNotes*>(object.data() + kBoardGaugesEnd) : nullptr,
                     object.fd());
}

bool BoardView::is_alive(unsigned number) const noexcept {
    return is_range_locked(fd_, cell_offset(number), sizeof(layout::BoardCell));
}

Board::Board(const ReaderOptions& options, std::uint64_t session) : lossless_(options.lossless) {
    try {
        object_ = ShmObject::open(board_object(options.bus), ShmObject::Access::read_write, layout::ObjectType::board);
        if (!object_ || object_->as<layout::BoardHeader>()->object.session != session) return;
        claim(options);
    } catch (const Error&) {
        // Not writable for this user, or damaged: the reader works without being seen.
        cell_ = nullptr;
    }
}

void Board::claim(const ReaderOptions& options) {
    const auto view = BoardView::of(*object_);
    if (!view) return;
    const std::string path = shm_path(board_object(options.bus));
    for (unsigned number = 0; number < layout::kBoardCells; ++number) {
        lock_ = FileLock::try_lock_range(path, BoardView::cell_offset(number), sizeof(layout::BoardCell));
        if (!lock_) continue;
        header_ = &view->header();
        cell_ = new (&view->cell(number)) layout::BoardCell();  // all zero: what a dead reader left is gone
        gauges_ = view->gauges(number);
        if (gauges_ != nullptr) new (gauges_) layout::BoardGauges();
        notes_ = view->notes(number);
        if (notes_ != nullptr) clear(*notes_);
        store_text(cell_->name, options.name);
        store_text(cell_->plugin, options.plugin);
        cell_->played_pts_ns.store(-1, std::memory_order_relaxed);
        for (std::size_t flow = 0; flow < layout::kFlowCount; ++flow) {
            if (!options.flows[flow]) cell_->cursor[flow].store(layout::kNotRead, std::memory_order_seq_cst);
        }
        cell_->pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
        cell_->attached_ns.store(monotonic_ns(), std::memory_order_relaxed);
        cell_->updated_ns.store(monotonic_ns(), std::memory_order_relaxed);
        return;
    }
}

void Board::set_state(layout::SinkState state, std::string_view reason) {
    if (cell_ == nullptr) return;
    store_text(cell_->reason, reason);
    // A lossless writer may wait for this reader only once its cursors stand: flag last.
    if (lossless_ && state == layout::SinkState::ready) {
        cell_->flags.fetch_or(layout::kCellLossless, std::memory_order_release);
    }
    cell_->state.store(static_cast<std::uint32_t>(state), std::memory_order_release);
    cell_->updated_ns.store(monotonic_ns(), std::memory_order_relaxed);
    announce();
}

void Board::show_object(FlowKind kind, std::uint32_t id) noexcept {
    if (cell_ == nullptr) return;
    cell_->flow_object[static_cast<std::size_t>(kind)].store(id, std::memory_order_seq_cst);
    announce();
}

void Board::show_cursor(FlowKind kind, std::uint64_t cursor, const ReadCounts& counts) noexcept {
    if (cell_ == nullptr) return;
    const auto flow = static_cast<std::size_t>(kind);
    const bool moved = cell_->cursor[flow].exchange(cursor, std::memory_order_seq_cst) != cursor;
    cell_->delivered[flow].store(counts.delivered, std::memory_order_relaxed);
    cell_->overrun[flow].store(counts.overrun, std::memory_order_relaxed);
    cell_->aborted[flow].store(counts.aborted, std::memory_order_relaxed);
    if (moved && lossless_) announce();
}

void Board::show_figure(std::size_t place, std::string_view name, std::int64_t value) noexcept {
    if (notes_ != nullptr && place < layout::kBoardFigureCount) publish(notes_->figure[place], name, value);
}

void Board::show_text(std::size_t place, std::string_view name, std::string_view text) noexcept {
    if (notes_ != nullptr && place < layout::kBoardTextCount) publish(notes_->text[place], name, text);
}

void Board::show_left_out(std::uint32_t count) noexcept {
    if (notes_ != nullptr) notes_->left_out.store(count, std::memory_order_relaxed);
}

void Board::announce() noexcept {
    // SYNC D: Dekker with BoardWait in reader_gate.cpp. Either the writer sees the new cursor or we see it waiting.
    header_->cursor_word.fetch_add(1, std::memory_order_seq_cst);
    if (header_->writer_waiting.load(std::memory_order_seq_cst) != 0) futex_wake_all(header_->cursor_word);
}

}  // namespace ringcast
