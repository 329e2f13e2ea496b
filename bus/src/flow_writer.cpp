// SPDX-License-Identifier: Apache-2.0
#include "flow_writer.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "system.hpp"

namespace ringcast {
namespace {

// memcpy of a large frame may use streaming stores (glibc does past its non-temporal threshold), which x86 does not
// order with other stores; the release fence alone is a compiler fence there.
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
    if (size > memory_.geometry.arena_size / 2) return std::nullopt;
    open_position_ = place(size);
    open_size_ = size;
    for (const std::uint64_t tail = tail_after(size); tail_ < tail; ++tail_) {
        memory_.slot(tail_).stamp.store(make_stamp(tail_, layout::SlotState::retired), std::memory_order_relaxed);
    }
    memory_.slot(next_).stamp.store(make_stamp(next_, layout::SlotState::writing), std::memory_order_relaxed);
    // SYNC B: pairs with the acquire fence before the stamp re-check in FlowReader::try_read(). A reader that saw one
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
    // SYNC A: pairs with the acquire load of the stamp in FlowReader. Who sees this stamp sees descriptor and payload.
    slot.stamp.store(make_stamp(next_, layout::SlotState::committed), std::memory_order_release);
    ++next_;
    memory_.header->head.store(next_, std::memory_order_release);
}

}  // namespace ringcast
