// SPDX-License-Identifier: Apache-2.0
#include "hls/segment_names.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

constexpr std::size_t kMostDigits = 20;  // of a 64-bit number
constexpr std::size_t kLongest = 200;    // with the temporary name's extra letters still a file name
constexpr std::string_view kInitPrefix = "init-";
constexpr std::string_view kInitSuffix = ".mp4";
constexpr std::size_t kInitDigits = 5;

std::string_view ending_of(SegmentType type) {
    return type == SegmentType::ts ? ".ts" : ".m4s";
}

// What needs no escaping in a URI, a shell or a playlist.
bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
}

std::string numbered(std::string_view prefix, std::uint64_t number, std::size_t digits, std::string_view suffix) {
    const std::string plain = std::to_string(number);
    return std::string(prefix) + std::string(digits - std::min(digits, plain.size()), '0') + plain +
           std::string(suffix);
}

std::optional<std::uint64_t> number_in(std::string_view name, std::string_view prefix, std::size_t digits,
                                       std::string_view suffix) {
    if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) {
        return std::nullopt;
    }
    const std::string_view text = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    // Only the spelling the sink itself writes: not segment-1.ts, not segment-000000001.ts.
    return numbered(prefix, number, digits, suffix) == name ? std::optional(number) : std::nullopt;
}

[[noreturn]] void refuse(std::string_view pattern, const std::string& why) {
    throw SinkError(RINGCAST_SINK_E_CONFIG,
                    "option segment_name=" + std::string(pattern) + ": " + why + ", such as segment_name=talk-%05d");
}

// The digits of "%d" or "%0Nd" at `at`, and where it ends.
std::pair<std::size_t, std::size_t> placeholder(std::string_view pattern, std::size_t at) {
    std::size_t digits = 0;
    std::size_t end = at + 1;
    if (end < pattern.size() && pattern[end] == '0') {
        const auto [stop, error] = std::from_chars(pattern.data() + end, pattern.data() + pattern.size(), digits);
        if (error != std::errc{} || digits == 0 || digits > kMostDigits) {
            refuse(pattern, "%0Nd takes 1 to 20 digits");
        }
        end = static_cast<std::size_t>(stop - pattern.data());
    }
    if (end >= pattern.size() || pattern[end] != 'd') refuse(pattern, "the number is written %d or %05d");
    return {digits, end + 1};
}

}  // namespace

SegmentNames::SegmentNames(std::string_view pattern, SegmentType type) : type_(type) {
    const std::size_t at = pattern.find('%');
    if (at == std::string_view::npos) refuse(pattern, "needs one %d or %05d where the number goes");
    std::size_t end = 0;
    std::tie(digits_, end) = placeholder(pattern, at);
    prefix_ = pattern.substr(0, at);
    suffix_ = pattern.substr(end);
    if (!std::ranges::all_of(prefix_ + suffix_, is_plain) || prefix_.starts_with('.') || pattern.size() > kLongest) {
        refuse(pattern, "takes letters, digits, '-', '_' and '.' around one %05d, no folder");
    }
    const std::string_view ending = ending_of(type);
    if (suffix_.find('.') == std::string::npos) suffix_ += ending;
    if (!suffix_.ends_with(ending)) {
        refuse(pattern, "must end with " + std::string(ending) + " or leave the ending away");
    }
}

std::string SegmentNames::segment(std::uint64_t number) const {
    return numbered(prefix_, number, digits_, suffix_);
}

std::string SegmentNames::init(std::uint64_t number) {
    return numbered(kInitPrefix, number, kInitDigits, kInitSuffix);
}

std::optional<std::uint64_t> SegmentNames::segment_number(std::string_view name) const {
    return number_in(name, prefix_, digits_, suffix_);
}

std::optional<std::uint64_t> SegmentNames::init_number(std::string_view name) {
    return number_in(name, kInitPrefix, kInitDigits, kInitSuffix);
}

bool is_media_name(std::string_view name) {
    return !name.starts_with('.') && std::ranges::all_of(name, is_plain) &&
           (name.ends_with(".ts") || name.ends_with(".m4s") || name.ends_with(kInitSuffix));
}

std::string_view mime_of(std::string_view name) {
    if (name.ends_with(".m3u8")) return "application/vnd.apple.mpegurl";
    return name.ends_with(".ts") ? "video/mp2t" : "video/mp4";
}

}  // namespace ringcast::sink
