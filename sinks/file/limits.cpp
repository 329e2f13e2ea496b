// SPDX-License-Identifier: Apache-2.0
#include "file/limits.hpp"

#include <sys/statvfs.h>

#include <cstdio>
#include <optional>
#include <string_view>

#include "mux/quantity.hpp"
#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

constexpr std::int64_t kLeastSplitMs = 1000;
constexpr std::uint64_t kLeastSplitBytes = 65536;

[[noreturn]] void refuse(std::string_view key, const std::string& value, const std::string& why) {
    throw SinkError(RINGCAST_SINK_E_CONFIG, "option " + std::string(key) + "=" + value + ": " + why);
}

/// In split= alone a lone m is minutes: 10m, as recorders everywhere write it.
std::optional<std::chrono::nanoseconds> split_time(std::string_view word) {
    return parse_duration(word.ends_with('m') ? std::string(word) + "in" : std::string(word));
}

void add_limit(SplitLimit& limit, std::string_view word, const std::string& value) {
    if (const auto time = split_time(word)) {
        if (limit.time.count() > 0) refuse("split", value, "names two times; write one time, one size or both");
        limit.time = std::chrono::round<std::chrono::milliseconds>(*time);
        if (limit.time.count() < kLeastSplitMs) refuse("split", value, "files shorter than 1s make no sense");
    } else if (const auto bytes = parse_bytes(word)) {
        if (limit.bytes > 0) refuse("split", value, "names two sizes; write one time, one size or both");
        limit.bytes = *bytes;
        if (limit.bytes < kLeastSplitBytes) refuse("split", value, "files smaller than 64KiB make no sense");
    } else {
        refuse("split", value, "write a time or a size with its unit, such as 10m, 1h or 500MB");
    }
}

}  // namespace

SplitLimit split_limit(const Options& options) {
    SplitLimit limit;
    const std::string value = options.text("split");
    if (value.empty()) return limit;
    std::string_view rest = value;
    for (;;) {
        const std::size_t end = rest.find_first_of("|,");
        add_limit(limit, rest.substr(0, end), value);
        if (end == std::string_view::npos) return limit;
        rest.remove_prefix(end + 1);
    }
}

std::uint64_t byte_option(const Options& options, std::string_view key) {
    const std::string value = options.text(key);
    if (value.empty() || value == "0") return 0;
    const auto bytes = parse_bytes(value);
    if (!bytes) refuse(key, value, "not a size; write a number with its unit, such as 500MB or 2GB, or 0");
    return *bytes;
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
