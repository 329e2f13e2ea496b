// SPDX-License-Identifier: Apache-2.0
/// Where the parts of a mapped flow lie, read once at open and never again from shared memory.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "ringcast/layout.hpp"

namespace ringcast {

struct FlowGeometry {
    layout::FlowKind kind{};
    std::uint64_t slot_count = 0;
    std::uint64_t descriptors_offset = 0;
    std::uint64_t arena_offset = 0;
    std::uint64_t arena_size = 0;
    std::uint64_t first_index = 0;
    std::uint64_t object_size = 0;
};

/// The descriptor without its stamp. Copied word by word with relaxed atomics, since both sides may touch it at once.
struct RecordFields {
    std::uint64_t payload_position = 0;
    std::uint64_t payload_size = 0;
    std::int64_t pts_ns = 0;
    std::int64_t dts_ns = 0;
    std::int64_t duration_ns = 0;
    std::int64_t capture_time_ns = 0;
    std::uint64_t media_index = 0;
    std::uint64_t session = 0;
    std::uint32_t flags = 0;
    std::uint32_t stream_id = 0;
    std::uint32_t caps_generation = 0;
    std::uint32_t sample_count = 0;
    layout::Caps caps{};
};
inline constexpr std::size_t kRecordWords = sizeof(RecordFields) / sizeof(std::uint64_t);
static_assert(sizeof(RecordFields) == offsetof(layout::Descriptor, reserved) - sizeof(std::uint64_t));
static_assert(offsetof(RecordFields, caps) + sizeof(std::uint64_t) == offsetof(layout::Descriptor, caps));

inline void store_fields(layout::Descriptor& slot, const RecordFields& fields) noexcept {
    const auto words = std::bit_cast<std::array<std::uint64_t, kRecordWords>>(fields);
    auto* target = reinterpret_cast<std::uint64_t*>(&slot) + 1;
    for (std::size_t i = 0; i < kRecordWords; ++i) {
        std::atomic_ref<std::uint64_t>(target[i]).store(words[i], std::memory_order_relaxed);
    }
}

inline RecordFields load_fields(const layout::Descriptor& slot) noexcept {
    // atomic_ref wants a mutable object; a load never writes, so a read-only mapping is fine.
    auto* source = const_cast<std::uint64_t*>(reinterpret_cast<const std::uint64_t*>(&slot)) + 1;
    std::array<std::uint64_t, kRecordWords> words;
    for (std::size_t i = 0; i < kRecordWords; ++i) {
        words[i] = std::atomic_ref<std::uint64_t>(source[i]).load(std::memory_order_relaxed);
    }
    return std::bit_cast<RecordFields>(words);
}

constexpr std::uint64_t make_stamp(std::uint64_t index, layout::SlotState state) noexcept {
    return index << layout::kStampStateBits | static_cast<std::uint64_t>(state);
}
constexpr std::uint64_t stamp_index(std::uint64_t stamp) noexcept {
    return stamp >> layout::kStampStateBits;
}
constexpr layout::SlotState stamp_state(std::uint64_t stamp) noexcept {
    return static_cast<layout::SlotState>(stamp & ((1U << layout::kStampStateBits) - 1));
}
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) noexcept {
    return (value + alignment - 1) / alignment * alignment;
}

/// Bytes of a flow object with these slots and arena.
constexpr std::uint64_t flow_object_size(std::uint64_t slot_count, std::uint64_t arena_size) noexcept {
    return align_up(sizeof(layout::FlowHeader) + slot_count * sizeof(layout::Descriptor), 4096) + arena_size;
}

/// Writes the fixed part of a new flow header (all but caps, names and depth) into zeroed memory.
void format_flow(layout::FlowHeader& header, layout::FlowKind kind, std::uint64_t slot_count, std::uint64_t arena_size,
                 std::uint64_t first_index, std::uint64_t session);

/// Copies the geometry out of an untrusted header; nullopt when the parts do not fit into mapped_size.
std::optional<FlowGeometry> read_geometry(const layout::FlowHeader& header, std::uint64_t mapped_size) noexcept;

struct FlowMemory {
    layout::FlowHeader* header = nullptr;
    layout::Descriptor* descriptors = nullptr;
    std::byte* arena = nullptr;
    FlowGeometry geometry;

    FlowMemory() = default;
    FlowMemory(std::byte* base, const FlowGeometry& parts) noexcept
        : header(reinterpret_cast<layout::FlowHeader*>(base)),
          descriptors(reinterpret_cast<layout::Descriptor*>(base + parts.descriptors_offset)),
          arena(base + parts.arena_offset),
          geometry(parts) {}

    [[nodiscard]] layout::Descriptor& slot(std::uint64_t index) const noexcept {
        return descriptors[index & (geometry.slot_count - 1)];
    }
};

/// What stands in the descriptor of `index`, whole; nullopt unless it is committed there.
std::optional<RecordFields> committed_fields(const FlowMemory& memory, std::uint64_t index);

}  // namespace ringcast
