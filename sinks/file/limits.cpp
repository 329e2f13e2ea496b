// SPDX-License-Identifier: Apache-2.0
#include "file/limits.hpp"

#include <sys/statvfs.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

using Unit = std::pair<std::string_view, double>;

constexpr std::array<Unit, 5> kTimeUnits{{{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"min", 6e4}, {"h", 3.6e6}}};
constexpr std::array<Unit, 10> kByteUnits{{{"B", 1},
                                           {"kB", 1e3},
                                           {"KB", 1e3},
                                           {"MB", 1e6},
                                           {"GB", 1e9},
                                           {"TB", 1e12},
                                           {"KiB", 1024},
                                           {"MiB", 1048576},
                                           {"GiB", 1073741824},
                                           {"TiB", 1099511627776}}};
constexpr double kMost = 1e15;
constexpr std::int64_t kLeastSplitMs = 1000;
constexpr std::uint64_t kLeastSplitBytes = 65536;

template <std::size_t N>
std::optional<double> with_unit(std::string_view text, const std::array<Unit, N>& units) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || !(number >= 0)) return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const auto& [name, factor] : units) {
        if (name == unit && number * factor <= kMost) return number * factor;
    }
    return std::nullopt;
}

[[noreturn]] void refuse(std::string_view key, const std::string& value, const std::string& why) {
    throw SinkError(RINGCAST_SINK_E_CONFIG, "option " + std::string(key) + "=" + value + ": " + why);
}

void add_limit(SplitLimit& limit, std::string_view word, const std::string& value) {
    if (const auto time = with_unit(word, kTimeUnits)) {
        limit.time = std::chrono::milliseconds(static_cast<std::int64_t>(*time));
        if (limit.time.count() < kLeastSplitMs) refuse("split", value, "files shorter than 1s make no sense");
    } else if (const auto bytes = with_unit(word, kByteUnits)) {
        limit.bytes = static_cast<std::uint64_t>(*bytes);
        if (limit.bytes < kLeastSplitBytes) refuse("split", value, "files smaller than 64KiB make no sense");
    } else {
        refuse("split", value, "write a time or a size with its unit, such as 10m, 1h or 500MB");
    }
}

}  // namespace

SplitLimit split_limit(const Options& options) {
    SplitLimit limit;
    const std::string value = options.text("split");
    for (std::string_view rest = value; !rest.empty();) {
        const std::size_t end = std::min(rest.find_first_of("|,"), rest.size());
        add_limit(limit, rest.substr(0, end), value);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return limit;
}

std::uint64_t byte_option(const Options& options, std::string_view key) {
    const std::string value = options.text(key);
    if (value.empty() || value == "0") return 0;
    const auto bytes = with_unit(value, kByteUnits);
    if (!bytes) refuse(key, value, "not a size; write a number with its unit, such as 500MB or 2GB, or 0");
    return static_cast<std::uint64_t>(*bytes);
}

std::string shown_bytes(std::uint64_t bytes) {
    const bool large = bytes >= 1'000'000'000;
    char text[32];
    std::snprintf(text, sizeof text, large ? "%.1f GB" : "%.1f MB", static_cast<double>(bytes) / (large ? 1e9 : 1e6));
    return text;
}

std::uint64_t free_bytes(const std::filesystem::path& path) {
    struct statvfs disk {};
    if (::statvfs(path.c_str(), &disk) != 0) return UINT64_MAX;
    return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace ringcast::sink
