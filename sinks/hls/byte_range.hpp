// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

namespace ringcast::sink {

struct WholeFile {};
struct UnsatisfiableRange {};
struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;  ///< inclusive
};

/// What a Range header asks of a file of `size` bytes. A header that is malformed, of another unit or names several
/// ranges asks for the whole file (RFC 9110 allows a server to ignore it).
std::variant<WholeFile, UnsatisfiableRange, ByteRange> parse_byte_range(std::string_view header, std::uint64_t size);

}  // namespace ringcast::sink
