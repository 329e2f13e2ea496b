// SPDX-License-Identifier: Apache-2.0
#include "runtime/option_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "mux/quantity.hpp"

namespace ringcast::runtime {

namespace {

using sink::parse_quantity;
using sink::Unit;

template <typename Integer>
std::optional<Integer> parse_whole(std::string_view text) {
    Integer value{};
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::uint32_t MediaSpan::in_frames(Rational fps) const {
    if (frames != 0 || is_zero()) return frames;
    const double pictures = std::chrono::duration<double>(time).count() * fps.num / fps.den;
    return static_cast<std::uint32_t>(std::clamp(std::round(pictures), 1.0, 1e6));
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    return sink::parse_duration(text);
}

std::optional<std::uint64_t> parse_bitrate(std::string_view text) {
    static constexpr std::array<Unit, 7> kUnits{
        {{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"kbps", 1e3}, {"Mbps", 1e6}, {"bps", 1}, {"Gbps", 1e9}}};
    const auto bits = parse_quantity(text, kUnits, 1e12);
    if (!bits) return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(*bits));
}

std::optional<MediaSpan> parse_media_span(std::string_view text) {
    for (const std::string_view unit : {std::string_view("frames"), std::string_view("frame")}) {
        if (!text.ends_with(unit)) continue;
        const auto frames = parse_whole<std::uint32_t>(text.substr(0, text.size() - unit.size()));
        if (!frames) return std::nullopt;
        return MediaSpan{std::chrono::nanoseconds(0), *frames};
    }
    const auto time = parse_duration(text);
    if (!time) return std::nullopt;
    return MediaSpan{*time, 0};
}

std::optional<Size> parse_size(std::string_view text) {
    const std::size_t cross = text.find('x');
    if (cross == std::string_view::npos) return std::nullopt;
    const auto width = parse_whole<std::uint32_t>(text.substr(0, cross));
    const auto height = parse_whole<std::uint32_t>(text.substr(cross + 1));
    if (!width || !height || *width == 0 || *height == 0) return std::nullopt;
    return Size{*width, *height};
}

std::optional<std::uint32_t> parse_sample_rate(std::string_view text) {
    static constexpr std::array<Unit, 4> kUnits{{{"", 1}, {"Hz", 1}, {"kHz", 1e3}, {"k", 1e3}}};
    const auto rate = parse_quantity(text, kUnits, 1e6);
    if (!rate || *rate != std::floor(*rate)) return std::nullopt;
    return static_cast<std::uint32_t>(*rate);
}

std::optional<bool> parse_bool(std::string_view text) {
    for (const std::string_view yes : {"yes", "true", "on", "1"})
        if (text == yes) return true;
    for (const std::string_view no : {"no", "false", "off", "0"})
        if (text == no) return false;
    return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    return parse_whole<std::int64_t>(text);
}

std::optional<double> parse_number(std::string_view text) {
    static constexpr std::array<Unit, 1> kNoUnit{{{"", 1}}};
    return parse_quantity(text, kNoUnit, std::numeric_limits<double>::max());
}

std::optional<Pairs> parse_pairs(std::string_view text) {
    Pairs pairs;
    std::string key;
    std::string value;
    bool in_value = false;
    const auto finish = [&] {
        if (key.empty() || !in_value) return false;
        pairs.emplace_back(std::move(key), std::move(value));
        key.clear();
        value.clear();
        in_value = false;
        return true;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == ':') {
            if (!finish()) return std::nullopt;
        } else if (c == '=' && !in_value) {
            in_value = true;
        } else if (c == '\\' && i + 1 < text.size()) {
            (in_value ? value : key) += text[++i];
        } else {
            (in_value ? value : key) += c;
        }
    }
    if (!finish()) return std::nullopt;
    return pairs;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + cost});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::string_view nearest_name(std::string_view word, std::span<const std::string_view> candidates) {
    std::string_view best;
    std::size_t best_distance = std::numeric_limits<std::size_t>::max();
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    const std::size_t tolerated = std::max<std::size_t>(1, word.size() / 3);
    return best_distance <= tolerated ? best : std::string_view{};
}

}  // namespace ringcast::runtime
