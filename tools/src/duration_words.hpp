// SPDX-License-Identifier: Apache-2.0
/// Times on the command line: "1s", "500ms", "2min"; a bare number is seconds.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "host/command_parser.hpp"
#include "ringcast/inspect.hpp"
#include "runtime/option_values.hpp"

namespace ringcast::tools {

inline std::optional<std::chrono::nanoseconds> duration_from(const std::string& text) {
    const bool bare = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
    return runtime::parse_duration(bare ? text + "s" : text);
}

/// Accepts `least` up to a year.
inline host::ValueCheck duration_check(std::chrono::nanoseconds least) {
    return [least](const std::string& text) -> std::string {
        const auto value = duration_from(text);
        if (value && *value >= least && *value <= std::chrono::hours(24 * 365)) return {};
        std::string message = "\"" + sanitise(text, 64) + "\" is not a time here: use 1s, 500ms or 2min";
        if (value && *value < least) {
            message +=
                ", at least " + std::to_string(std::chrono::ceil<std::chrono::milliseconds>(least).count()) + "ms";
        }
        return message;
    };
}

}  // namespace ringcast::tools
