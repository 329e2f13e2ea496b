// SPDX-License-Identifier: Apache-2.0
/// The rows of the encoders in the host's option table, and how values are stored. Private to the option tables.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/timing_options.hpp"

namespace ringcast::runtime {

/// The rows of video.* and audio.*.
std::span<const OptionEntry> encoder_option_entries();

namespace option {

/// Stores a parsed value that lies within [low, high]; false when it is not that.
template <typename Target, typename Value>
bool store_within(Target& target, const std::optional<Value>& value, Value low, Value high) {
    if (!value || *value < low || *value > high) return false;
    target = static_cast<Target>(*value);
    return true;
}

template <typename Value>
bool store(std::optional<Value>& target, const std::optional<Value>& value) {
    if (!value) return false;
    target = value;
    return true;
}

inline bool store_text(std::string& target, std::string_view value) {
    target = value;
    return !value.empty();
}

template <typename Target, typename Enum, std::size_t N>
bool store_choice(Target& target, std::string_view value,
                  const std::array<std::pair<std::string_view, Enum>, N>& choices) {
    for (const auto& [name, choice] : choices) {
        if (name != value) continue;
        target = choice;
        return true;
    }
    return false;
}

}  // namespace option
}  // namespace ringcast::runtime
