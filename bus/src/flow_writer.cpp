// SPDX-License-Identifier: Apache-2.0
#include "flow_writer.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>

#include "system.hpp"

namespace ringcast {
namespace {

using layout::SlotState;

constexpr std::uint64_t kHighestIndex = 1ULL << 61;  // of what a ring may claim: sums stay in 64 bits

// copy_into_ring() uses streaming stores, as memcpy and a model's own code may; x86 does not order them with other
// stores, and the release fence alone is a compiler fence there.
void store_fence() noexcept {
#if defined(__x86_64__)
    _mm_sfence();
#endif
    std::atomic_thread_fence(std::memory_order_release);
}

}  // namespace

FlowWriter::FlowWriter(const FlowMemory& memory)
    : memory_(memory),
      positions_(memory.geometry.slot_count),
      next_(memory.geometry.first_index),
      tail_(memory.geometry.first_index) {}

std::optional<FlowWriter> FlowWriter::take_over(const FlowMemory& memory) {
    FlowWriter writer(memory);
    if (!writer.find_next_index() || !writer.find_live_records()) return std::nullopt;
    // Burnt indices are below head from here on, so that readers count them as aborted instead of waiting for them.
    memory.header->head.store(writer.next_, std::memory_order_release);
    return writer;
}

/// Every index below next_ was stamped into its slot, so each slot must hold the newest index that belongs there.
bool FlowWriter::find_next_index() {
    const std::uint64_t slots = memory_.geometry.slot_count;
    const std::uint64_t first = memory_.geometry.first_index;
    for (std::uint64_t slot = 0; slot < slots; ++slot) {
        const std::uint64_t stamp = memory_.descriptors[slot].stamp.load(std::memory_order_acquire);
        if (stamp != 0) next_ = std::max(next_, stamp_index(stamp) + 1);
    }
    if (next_ >= kHighestIndex) return false;
    const std::uint64_t lowest = next_ - first > slots ? next_ - slots : first;
    for (std::uint64_t index = lowest; index < lowest + slots; ++index) {
        const std::uint64_t stamp = memory_.slot(index).stamp.load(std::memory_order_relaxed);
        const bool is_right =
            index < next_ ? stamp_index(stamp) == index && stamp_state(stamp) != SlotState::empty : stamp == 0;
        if (!is_right) return false;
    }
    tail_ = lowest;
    return true;
}

/// Committed records must lie one behind the other within one arena length, with what was retired below them.
bool FlowWriter::find_live_records() {
    const std::uint64_t arena = memory_.geometry.arena_size;
    std::optional<std::uint64_t> first_position;
    std::vector<std::uint64_t> burnt_before_all;
    for (std::uint64_t index = tail_; index < next_; ++index) {
        const layout::Descriptor& slot = memory_.slot(index);
        const SlotState state = stamp_state(slot.stamp.load(std::memory_order_relaxed));
        if (state == SlotState::retired) {
            if (first_position) return false;
            tail_ = index + 1;
            continue;
        }
        std::uint64_t& position = positions_[index & (memory_.geometry.slot_count - 1)];
        if (state == SlotState::committed) {
            const RecordFields fields = load_fields(slot);
            const std::uint64_t offset = fields.payload_position % arena;
            if (fields.payload_size > arena / 2 || fields.payload_size > arena - offset ||
                offset % layout::kArenaAlignment != 0 || fields.payload_position < write_position_ ||
                fields.payload_position > kHighestIndex) {
                return false;
            }
            if (!first_position) {
                first_position = fields.payload_position;
                for (const std::uint64_t burnt : burnt_before_all)
                    positions_[burnt & (memory_.geometry.slot_count - 1)] = *first_position;
            }
            position = fields.payload_position;
            write_position_ = align_up(fields.payload_position + fields.payload_size, layout::kArenaAlignment);
            if (write_position_ - *first_position > arena) return false;
        } else if (first_position) {
            position = write_position_;  // burnt: it owns no byte
        } else {
            burnt_before_all.push_back(index);
        }
    }
    return true;
}

std::uint64_t FlowWriter::place(std::uint64_t size) const noexcept {
    const std::uint64_t arena = memory_.geometry.arena_size;
    const std::uint64_t offset = write_position_ % arena;
    // A payload is one contiguous run: what is left before the arena's end is skipped when it is too short.
    return offset + size <= arena ? write_position_ : write_position_ + (arena - offset);
}

std::uint64_t FlowWriter::tail_after(std::uint64_t size) const noexcept {
    const std::uint64_t end = place(size) + size;
    const std::uint64_t arena = memory_.geometry.arena_size;
    const std::uint64_t slots = memory_.geometry.slot_count;
    std::uint64_t tail = tail_;
    while (tail < next_ && (next_ - tail >= slots || (size > 0 && end - positions_[tail & (slots - 1)] > arena)))
        ++tail;
    return tail;
}

std::optional<std::span<std::byte>> FlowWriter::begin(std::uint64_t size) noexcept {
    if (size > largest_record()) return std::nullopt;
    open_position_ = place(size);
    open_size_ = size;
    for (const std::uint64_t tail = tail_after(size); tail_ < tail; ++tail_) {
        memory_.slot(tail_).stamp.store(make_stamp(tail_, SlotState::retired), std::memory_order_relaxed);
    }
    memory_.slot(next_).stamp.store(make_stamp(next_, SlotState::writing), std::memory_order_relaxed);
    // SYNC B: pairs with the acquire fence before the stamp re-check in RingReader::try_read(). A reader that saw one
    // new payload or descriptor byte then also sees the retired or writing stamp and throws its result away.
    store_fence();
    return std::span(memory_.arena + open_position_ % memory_.geometry.arena_size, size);
}

void FlowWriter::commit(RecordFields fields) noexcept {
    fields.payload_position = open_position_;
    fields.payload_size = open_size_;
    fields.capture_time_ns = monotonic_ns();
    layout::Descriptor& slot = memory_.slot(next_);
    store_fields(slot, fields);
    positions_[next_ & (memory_.geometry.slot_count - 1)] = open_position_;
    if (open_size_ > 0) write_position_ = align_up(open_position_ + open_size_, layout::kArenaAlignment);
    store_fence();
    // SYNC A: pairs with the acquire load of the stamp in RingReader. Who sees this stamp sees descriptor and payload.
    slot.stamp.store(make_stamp(next_, SlotState::committed), std::memory_order_release);
    ++next_;
    memory_.header->head.store(next_, std::memory_order_release);
}

}  // namespace ringcast
