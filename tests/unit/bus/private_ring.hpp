// SPDX-License-Identifier: Apache-2.0
/// A flow object in private memory: the real layout, writer and reader, without shared memory or processes, so that a
/// race can be replayed step by step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "flow_memory.hpp"
#include "flow_reader.hpp"
#include "flow_writer.hpp"

namespace ringcast::test {

class PrivateRing {
public:
    /// The kind `packets` takes payloads of any size and content.
    PrivateRing(std::uint64_t slots, std::uint64_t arena, std::uint64_t first_index = 0,
                FlowKind kind = FlowKind::packets)
        : bytes_(flow_object_size(slots, arena)),
          base_(static_cast<std::byte*>(::operator new (bytes_, std::align_val_t{4096}))) {
        std::memset(base_.get(), 0, bytes_);
        format_flow(header(), kind, slots, arena, first_index, kSession);
    }

    [[nodiscard]] layout::FlowHeader& header() const { return *reinterpret_cast<layout::FlowHeader*>(base_.get()); }
    [[nodiscard]] std::uint64_t size() const { return bytes_; }
    [[nodiscard]] FlowMemory memory() const { return {base_.get(), read_geometry(header(), bytes_).value()}; }
    [[nodiscard]] layout::Descriptor& slot(std::uint64_t index) const { return memory().slot(index); }
    [[nodiscard]] layout::SlotState state(std::uint64_t index) const {
        const std::uint64_t stamp = slot(index).stamp.load(std::memory_order_relaxed);
        return stamp_index(stamp) == index ? stamp_state(stamp) : layout::SlotState::empty;
    }

    static constexpr std::uint64_t kSession = 0x5e55;

private:
    struct Free {
        void operator()(std::byte* memory) const { ::operator delete (memory, std::align_val_t{4096}); }
    };
    std::uint64_t bytes_;
    std::unique_ptr<std::byte, Free> base_;
};

/// The payload every record of these tests carries: bytes that only this index has at this place.
inline std::byte pattern(std::uint64_t index, std::size_t offset) {
    return static_cast<std::byte>((index * 131 + offset * 7 + (offset >> 8)) & 0xff);
}
inline void fill_pattern(std::span<std::byte> payload, std::uint64_t index) {
    for (std::size_t i = 0; i < payload.size(); ++i)
        payload[i] = pattern(index, i);
}
inline bool has_pattern(std::span<const std::byte> payload, std::uint64_t index) {
    for (std::size_t i = 0; i < payload.size(); ++i) {
        if (payload[i] != pattern(index, i)) return false;
    }
    return true;
}

inline void write_pattern(FlowWriter& writer, std::uint64_t size) {
    fill_pattern(writer.begin(size).value(), writer.next_index());
    RecordFields fields;
    fields.session = PrivateRing::kSession;
    fields.media_index = writer.next_index();
    writer.commit(fields);
}

}  // namespace ringcast::test
