// SPDX-License-Identifier: Apache-2.0
/// Quantities with units in option values, the sinks' own and the host's. Plain decimals only: no sign, exponent, hex,
/// inf or nan; a number alone is none, unless "" is among the units.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

namespace ringcast::sink {

struct Unit {
    std::string_view name;
    double factor;
};

/// "1.5s" in the smallest of the units; nothing for another unit or above `limit`.
inline std::optional<double> parse_quantity(std::string_view text, std::span<const Unit> units, double limit) {
    const std::size_t length = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view digits = text.substr(0, length);
    if (digits.empty() || digits.front() == '.' || digits.back() == '.') return std::nullopt;
    double number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number, std::chars_format::fixed);
    if (error != std::errc{} || stop != end) return std::nullopt;
    for (const Unit& unit : units) {
        if (unit.name == text.substr(length) && number * unit.factor <= limit) return number * unit.factor;
    }
    return std::nullopt;
}

/// "2s", "1.5min", "200ms".
inline std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    static constexpr std::array<Unit, 6> kUnits{
        {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9}, {"h", 3600e9}}};
    const auto ns = parse_quantity(text, kUnits, 1e18);
    return ns ? std::optional(std::chrono::nanoseconds(std::llround(*ns))) : std::nullopt;
}

/// "500MB", "2GiB".
inline std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    static constexpr std::array<Unit, 10> kUnits{{{"B", 1},
                                                  {"kB", 1e3},
                                                  {"KB", 1e3},
                                                  {"MB", 1e6},
                                                  {"GB", 1e9},
                                                  {"TB", 1e12},
                                                  {"KiB", 1024},
                                                  {"MiB", 1048576},
                                                  {"GiB", 1073741824},
                                                  {"TiB", 1099511627776}}};
    const auto bytes = parse_quantity(text, kUnits, 1e18);
    return bytes ? std::optional(static_cast<std::uint64_t>(std::llround(*bytes))) : std::nullopt;
}

}  // namespace ringcast::sink
