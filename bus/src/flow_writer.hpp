// SPDX-License-Identifier: Apache-2.0
/// The lock-free writing side of one flow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "flow_memory.hpp"

namespace ringcast {

/// Thread rules: one thread at a time; any number of readers in other processes.
/// Invariants:
///  1. Wait-free: no lock, no system call, no look at a reader.
///  2. Live records are always the indices [tail_, next_) and their payloads lie inside one arena length.
///  3. Before a payload byte or descriptor word is overwritten, every record that owns it reads retired or writing.
///  4. An index is committed at most once; head is stored after the stamp it covers.
class FlowWriter {
public:
    /// Over an empty ring.
    explicit FlowWriter(const FlowMemory& memory);

    /// Goes on where a dead writer of this ring stopped, wherever that was. Trusts the descriptors only: the next index
    /// is one past the highest in any stamp (`head` may lag behind it), what reads committed stays readable, an index
    /// that was begun and never committed is burnt. nullopt when the descriptors contradict each other: such a ring is
    /// replaced, not continued.
    static std::optional<FlowWriter> take_over(const FlowMemory& memory);

    /// Retires what the next record needs, marks its slot as being written and hands out its payload bytes.
    /// nullopt: larger than half the arena. A begin() without commit() in between starts the same index anew.
    std::optional<std::span<std::byte>> begin(std::uint64_t size) noexcept;
    /// Publishes the record of the last begin(). position, size and capture time are filled in.
    void commit(RecordFields fields) noexcept;

    /// The oldest index that would stay live if a record of this size were begun now.
    [[nodiscard]] std::uint64_t tail_after(std::uint64_t size) const noexcept;
    [[nodiscard]] std::uint64_t next_index() const noexcept { return next_; }
    [[nodiscard]] std::uint64_t largest_record() const noexcept { return memory_.geometry.arena_size / 2; }
    [[nodiscard]] std::uint64_t tail() const noexcept { return tail_; }
    [[nodiscard]] std::uint64_t write_position() const noexcept { return write_position_; }

private:
    [[nodiscard]] bool find_next_index();
    [[nodiscard]] bool find_live_records();
    [[nodiscard]] std::uint64_t place(std::uint64_t size) const noexcept;

    FlowMemory memory_;
    std::vector<std::uint64_t> positions_;  // by slot: private, so that nothing in shared memory steers the writer
    std::uint64_t next_ = 0;
    std::uint64_t tail_ = 0;
    std::uint64_t write_position_ = 0;
    std::uint64_t open_position_ = 0;
    std::uint64_t open_size_ = 0;
};

}  // namespace ringcast
