// SPDX-License-Identifier: Apache-2.0
/// The lock-free reading side of one flow, over any memory laid out as a flow object.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "board.hpp"
#include "flow_memory.hpp"
#include "ringcast/reader.hpp"
#include "shm_object.hpp"

namespace ringcast {

/// Thread rules: one thread; the writer is elsewhere and never waits for it.
/// Invariants:
///  1. Nothing is stored into the flow's memory.
///  2. Every value from shared memory is copied once, checked, and only the copy is used.
///  3. cursor_ only rises; each index it passes is counted once: delivered, overrun or aborted.
class RingReader final : public FlowReader {
public:
    /// `copies`: records are handed out as checked copies (what is parsed must not change meanwhile), not in place.
    explicit RingReader(const FlowMemory& memory, Board* board = nullptr, bool copies = false);

    ReadStatus try_read(const std::function<void(const Record&)>& use) override;
    ReadStatus try_peek(Record& record) override;
    void seek_oldest() override;
    void seek_newest() override;
    void seek_keyframe() override;
    void seek_pts(std::int64_t pts_ns) override;

    /// To the oldest record of this session: what a dead producer left in a ring is not for readers that come later.
    void seek_session(std::uint64_t session);
    /// Goes on in the object that superseded this one, at its first index. What this one never showed counts as lost.
    void move_to(const FlowMemory& memory);
    /// Nothing more will come from this object: its successor has taken the name (or its writer ended) and all is read.
    [[nodiscard]] bool is_drained() const;

    [[nodiscard]] FlowKind kind() const override { return memory_.geometry.kind; }
    [[nodiscard]] const layout::Caps& initial_caps() const override { return initial_caps_; }
    [[nodiscard]] std::uint64_t cursor() const override { return cursor_; }
    [[nodiscard]] std::uint64_t head() const override;
    [[nodiscard]] std::uint64_t first_index() const override { return memory_.geometry.first_index; }
    [[nodiscard]] std::uint64_t slot_count() const override { return memory_.geometry.slot_count; }
    [[nodiscard]] std::uint64_t depth_ns() const override { return depth_ns_; }
    [[nodiscard]] ReadCounts counts() const override { return counts_; }

private:
    enum class Look { record, nothing, ended, damaged };

    /// Moves the cursor over lost records to the next committed one and copies its descriptor.
    Look find_next(Record& record);
    [[nodiscard]] bool is_ended() const;
    void count_lost(std::uint64_t stamp);
    [[nodiscard]] bool check_record(const RecordFields& fields, Record& record) const;
    [[nodiscard]] bool is_committed(std::uint64_t index) const;
    [[nodiscard]] std::uint64_t lowest_possible(std::uint64_t head) const;
    /// Fields of a record, if it reads committed.
    /// The highest committed index in [lowest, end) that `wanted` accepts.
    [[nodiscard]] std::optional<std::uint64_t> find_back(std::uint64_t end,
                                                         const std::function<bool(const RecordFields&)>& wanted) const;
    [[nodiscard]] bool seek_keyframe_below(std::uint64_t end);
    [[nodiscard]] ReadStatus finish_read(const Record& record);
    void show_cursor();
    void show_object();

    FlowMemory memory_;
    layout::Caps initial_caps_;
    std::uint64_t depth_ns_;
    Board* board_;
    bool copies_;
    std::uint64_t cursor_ = 0;
    ReadCounts counts_;
    std::vector<std::byte> copy_;
};

}  // namespace ringcast
