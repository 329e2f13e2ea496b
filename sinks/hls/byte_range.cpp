// SPDX-License-Identifier: Apache-2.0
#include "hls/byte_range.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace ringcast::sink {

namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::variant<WholeFile, UnsatisfiableRange, ByteRange> parse_byte_range(std::string_view header, std::uint64_t size) {
    constexpr std::string_view unit = "bytes=";
    if (!header.starts_with(unit)) return WholeFile{};
    header.remove_prefix(unit.size());
    const std::size_t dash = header.find('-');
    if (dash == std::string_view::npos) return WholeFile{};
    const std::string_view first_text = header.substr(0, dash);
    const std::string_view last_text = header.substr(dash + 1);
    const auto first = parse_number(first_text);
    const auto last = parse_number(last_text);
    if (first_text.empty()) {  // "-500": the last 500 bytes
        if (!last) return WholeFile{};
        if (*last == 0 || size == 0) return UnsatisfiableRange{};
        return ByteRange{size - std::min(*last, size), size - 1};
    }
    if (!first || (!last && !last_text.empty()) || (last && *last < *first)) return WholeFile{};
    if (*first >= size) return UnsatisfiableRange{};
    return ByteRange{*first, last ? std::min(*last, size - 1) : size - 1};
}

}  // namespace ringcast::sink
