// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringcast::ingest {

/// Whether the streams of an MPEG-TS end with a whole picture. The last packet of one is filled up with stuffing,
/// unless it just fits, which is one in 184.
class TsTail {
public:
    /// Whole packets; what is none is passed over.
    void feed(std::span<const std::uint8_t> packets) {
        for (; packets.size() >= kPacket; packets = packets.subspan(kPacket)) {
            const bool has_payload = (packets[3] & 0x10) != 0;
            if (packets[0] == kSync && has_payload) open_[pid_of(packets)] = !is_stuffed(packets);
        }
    }
    [[nodiscard]] bool is_open(int pid) const {
        return pid >= 0 && static_cast<std::size_t>(pid) < open_.size() && open_[static_cast<std::size_t>(pid)];
    }

private:
    static constexpr std::size_t kPacket = 188;
    static constexpr std::uint8_t kSync = 0x47;

    static std::size_t pid_of(std::span<const std::uint8_t> packet) {
        return (std::size_t{packet[1]} & 0x1F) << 8 | packet[2];
    }
    static bool is_stuffed(std::span<const std::uint8_t> packet) {
        if ((packet[3] & 0x20) == 0) return false;
        const unsigned length = packet[4];
        if (length == 0) return true;
        const unsigned flags = packet[5];
        if ((flags & 0x03) != 0) return true;  // fields of a length of their own: taken for stuffing
        const unsigned clocks = ((flags & 0x10) != 0 ? 6U : 0U) + ((flags & 0x08) != 0 ? 6U : 0U);
        return length > 1 + clocks + ((flags & 0x04) != 0 ? 1U : 0U);
    }

    std::bitset<8192> open_;
};

}  // namespace ringcast::ingest
