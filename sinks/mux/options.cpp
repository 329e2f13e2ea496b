// SPDX-License-Identifier: Apache-2.0
#include "mux/options.hpp"

#include <algorithm>

#include "mux/quantity.hpp"
#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

using std::chrono::milliseconds;

std::string shown(milliseconds time) {
    return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + "s" : std::to_string(time.count()) + "ms";
}

}  // namespace

Options::Options(const ringcast_sink_option* const* options) {
    for (; options != nullptr && *options != nullptr; ++options) {
        if ((*options)->value != nullptr) values_[(*options)->key] = (*options)->value;
    }
}

std::string Options::text(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::string() : found->second;
}

bool Options::yes(std::string_view key) const {
    return !text(key).empty() && choice(key, "no|yes") == "yes";
}

std::string Options::choice(std::string_view key, std::string_view choices) const {
    std::string value = text(key);
    for (std::string_view rest = choices; !rest.empty();) {
        const std::size_t bar = std::min(rest.find('|'), rest.size());
        if (rest.substr(0, bar) == value) return value;
        rest.remove_prefix(std::min(bar + 1, rest.size()));
    }
    throw SinkError(RINGCAST_SINK_E_CONFIG,
                    "option " + std::string(key) + "=" + value + ": must be one of " + std::string(choices));
}

milliseconds Options::duration(std::string_view key, milliseconds least, milliseconds most) const {
    const std::string value = text(key);
    const auto time = parse_duration(value);
    if (!time) {
        throw SinkError(RINGCAST_SINK_E_CONFIG, "option " + std::string(key) + "=" + value +
                                                    ": not a time; write a number with its unit, such as 2s or 500ms");
    }
    if (*time < least || *time > most) {
        throw SinkError(RINGCAST_SINK_E_CONFIG, "option " + std::string(key) + "=" + value + ": must be between " +
                                                    shown(least) + " and " + shown(most));
    }
    return std::chrono::round<milliseconds>(*time);
}

}  // namespace ringcast::sink
