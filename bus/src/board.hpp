// SPDX-License-Identifier: Apache-2.0
/// The board: a cell per reader. Readers write their own cell; nobody trusts what stands in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "file_lock.hpp"
#include "ringcast/reader.hpp"
#include "shm_object.hpp"

namespace ringcast {

inline constexpr std::uint64_t kBoardCellsEnd =
    sizeof(layout::BoardHeader) + layout::kBoardCells * sizeof(layout::BoardCell);
inline constexpr std::uint64_t kBoardGaugesEnd = kBoardCellsEnd + layout::kBoardCells * sizeof(layout::BoardGauges);
inline constexpr std::uint64_t kBoardSize = kBoardGaugesEnd + layout::kBoardCells * sizeof(layout::BoardNotes);

/// Tells the objects a flow has had from one another.
inline std::uint32_t flow_object_id(const layout::FlowHeader& header) noexcept {
    return static_cast<std::uint32_t>(header.object.created_ns) | 1U;
}

void format_board(layout::BoardHeader& header, const std::string& bus, std::uint64_t session);

/// A checked view of a mapped board.
class BoardView {
public:
    /// nullopt when the header does not describe kBoardCells cells.
    static std::optional<BoardView> of(const ShmObject& object);

    [[nodiscard]] layout::BoardHeader& header() const noexcept { return *header_; }
    [[nodiscard]] layout::BoardCell& cell(unsigned number) const noexcept { return cells_[number]; }
    /// nullptr on a board made before 1.2.
    [[nodiscard]] layout::BoardGauges* gauges(unsigned number) const noexcept {
        return gauges_ == nullptr ? nullptr : gauges_ + number;
    }
    /// nullptr on a board made before 1.3.
    [[nodiscard]] layout::BoardNotes* notes(unsigned number) const noexcept {
        return notes_ == nullptr ? nullptr : notes_ + number;
    }
    /// Whether a living reader holds the cell (a kernel lock on its bytes).
    [[nodiscard]] bool is_alive(unsigned number) const noexcept;
    static std::int64_t cell_offset(unsigned number) noexcept {
        return static_cast<std::int64_t>(sizeof(layout::BoardHeader) + number * sizeof(layout::BoardCell));
    }

private:
    BoardView(layout::BoardHeader* header, layout::BoardCell* cells, layout::BoardGauges* gauges,
              layout::BoardNotes* notes, int fd)
        : header_(header), cells_(cells), gauges_(gauges), notes_(notes), fd_(fd) {}
    layout::BoardHeader* header_;
    layout::BoardCell* cells_;
    layout::BoardGauges* gauges_;
    layout::BoardNotes* notes_;
    int fd_;
};

/// A reader's end of the board: its cell, or nothing when the board is full, absent, damaged or not writable.
class Board final : public BoardEntry {
public:
    Board() = default;
    Board(const ReaderOptions& options, std::uint64_t session);

    void set_state(layout::SinkState state, std::string_view reason) override;
    [[nodiscard]] layout::BoardCell* cell() override { return cell_; }
    [[nodiscard]] layout::BoardGauges* gauges() override { return gauges_; }
    void show_figure(std::size_t place, std::string_view name, std::int64_t value) noexcept override;
    void show_text(std::size_t place, std::string_view name, std::string_view text) noexcept override;
    void show_left_out(std::uint32_t count) noexcept override;
    /// Which object of the flow is open: a producer that replaced it waits for that before it ends.
    void show_object(FlowKind kind, std::uint32_t id) noexcept;
    void show_cursor(FlowKind kind, std::uint64_t cursor, const ReadCounts& counts) noexcept;

private:
    void claim(const ReaderOptions& options);
    void announce() noexcept;

    std::optional<ShmObject> object_;
    std::optional<FileLock> lock_;
    layout::BoardHeader* header_ = nullptr;
    layout::BoardCell* cell_ = nullptr;
    layout::BoardGauges* gauges_ = nullptr;
    layout::BoardNotes* notes_ = nullptr;
    bool lossless_ = false;
};

}  // namespace ringcast
