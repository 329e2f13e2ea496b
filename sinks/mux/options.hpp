// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace ringcast::sink {

/// The options handed to create(): every declared option that has a value. Wrong values throw SinkError(E_CONFIG).
class Options {
public:
    explicit Options(const ringcast_sink_option* const* options);

    [[nodiscard]] bool has(std::string_view key) const { return values_.contains(key); }

    /// The value, empty when the option has none.
    [[nodiscard]] std::string text(std::string_view key) const;

    /// yes or no; no when the option has no value.
    [[nodiscard]] bool yes(std::string_view key) const;

    /// One of the words in `choices` ("event|live").
    [[nodiscard]] std::string choice(std::string_view key, std::string_view choices) const;

    /// A time with its unit, "2s", "1.5s" or "500ms", within [least, most].
    [[nodiscard]] std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds least,
                                                     std::chrono::milliseconds most) const;

private:
    std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace ringcast::sink
