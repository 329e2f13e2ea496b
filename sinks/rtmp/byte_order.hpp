// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace ringcast::sink {

/// Big-endian numbers at the start of `bytes`, which holds enough of them.
inline std::uint32_t read_be24(std::span<const std::uint8_t> bytes) {
    return static_cast<std::uint32_t>(bytes[0]) << 16U | static_cast<std::uint32_t>(bytes[1]) << 8U | bytes[2];
}

inline std::uint32_t read_be32(std::span<const std::uint8_t> bytes) {
    return static_cast<std::uint32_t>(bytes[0]) << 24U | read_be24(bytes.subspan(1));
}

}  // namespace ringcast::sink
