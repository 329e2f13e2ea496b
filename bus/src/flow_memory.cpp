// SPDX-License-Identifier: Apache-2.0
#include "flow_memory.hpp"

#include <bit>
#include <cstring>

#include "shm_object.hpp"

namespace ringcast {
void format_flow(layout::FlowHeader& header, layout::FlowKind kind, std::uint64_t slot_count, std::uint64_t arena_size,
                 std::uint64_t first_index, std::uint64_t session) {
    const std::uint64_t object_size = flow_object_size(slot_count, arena_size);
    fill_object_header(header.object, layout::ObjectType::flow, sizeof(layout::FlowHeader), object_size, session);
    header.kind = kind;
    header.descriptor_size = sizeof(layout::Descriptor);
    header.slot_count = slot_count;
    header.descriptors_offset = sizeof(layout::FlowHeader);
    header.arena_offset = object_size - arena_size;
    header.arena_size = arena_size;
    header.first_index = first_index;
    header.caps_generation = 1;
    header.head.store(first_index, std::memory_order_relaxed);
}

std::optional<FlowGeometry> read_geometry(const layout::FlowHeader& header, std::uint64_t mapped_size) noexcept {
    // One copy of the fixed part: a header that changes meanwhile must not pass the check with other values than are
    // used.
    alignas(layout::FlowHeader) std::array<std::byte, sizeof(layout::FlowHeader)> copy{};
    std::memcpy(copy.data(), &header, offsetof(layout::FlowHeader, head));
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const auto& fixed = *reinterpret_cast<const layout::FlowHeader*>(copy.data());
    FlowGeometry parts;
    parts.kind = fixed.kind;
    parts.slot_count = fixed.slot_count;
    parts.descriptors_offset = fixed.descriptors_offset;
    parts.arena_offset = fixed.arena_offset;
    parts.arena_size = fixed.arena_size;
    parts.first_index = fixed.first_index;
    parts.object_size = fixed.object.object_size;
    const std::uint64_t limit = mapped_size < parts.object_size ? mapped_size : parts.object_size;
    const bool is_sane =
        static_cast<std::uint32_t>(parts.kind) < layout::kFlowCount &&
        fixed.descriptor_size == sizeof(layout::Descriptor) && std::has_single_bit(parts.slot_count) &&
        parts.slot_count <= limit / sizeof(layout::Descriptor) &&
        parts.descriptors_offset == sizeof(layout::FlowHeader) && parts.arena_offset <= limit &&
        parts.arena_offset % layout::kArenaAlignment == 0 &&
        parts.arena_offset >= parts.descriptors_offset + parts.slot_count * sizeof(layout::Descriptor) &&
        parts.arena_size > 0 && parts.arena_size % layout::kArenaAlignment == 0 &&
        parts.arena_size <= limit - parts.arena_offset && parts.first_index < (1ULL << 61);
    if (!is_sane) return std::nullopt;
    return parts;
}

std::optional<RecordFields> committed_fields(const FlowMemory& memory, std::uint64_t index) {
    const layout::Descriptor& slot = memory.slot(index);
    const std::uint64_t committed = make_stamp(index, layout::SlotState::committed);
    // SYNC A: pairs with the release store in FlowWriter::commit().
    if (slot.stamp.load(std::memory_order_acquire) != committed) return std::nullopt;
    const RecordFields fields = load_fields(slot);
    std::atomic_thread_fence(std::memory_order_acquire);  // SYNC B, as in RingReader::try_read()
    if (slot.stamp.load(std::memory_order_relaxed) != committed) return std::nullopt;
    return fields;
}

}  // namespace ringcast
