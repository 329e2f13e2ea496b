// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ringcast::host {

/// Where the value of an option stands instead of on the command line: "env:NAME" or "file:PATH".
/// Every error is a UsageError: one line that names the option, NAME or PATH and the fix, never the value.
class SecretSource {
public:
    /// Nothing when `value` is a literal.
    static std::optional<SecretSource> parse(const std::string& option, const std::string& value);

    /// The value: one line. An environment variable is erased when it has been read, so that /proc/PID/environ does not
    /// show it and no child inherits it: call before there are other threads. A pipe is read to its end, for 5 s.
    [[nodiscard]] std::string take() const;
    /// The value as it stands now; nothing when it cannot change: an environment variable, or a pipe that was read.
    [[nodiscard]] std::optional<std::string> look_again() const;
    /// The file can be read by everyone on this machine.
    [[nodiscard]] bool is_open_to_all() const;

    [[nodiscard]] bool is_file() const noexcept { return is_file_; }
    [[nodiscard]] const std::string& option() const noexcept { return option_; }
    [[nodiscard]] const std::string& where() const noexcept { return where_; }

private:
    SecretSource(std::string option, bool is_file, std::string where)
        : option_(std::move(option)), is_file_(is_file), where_(std::move(where)) {}

    std::string option_;
    bool is_file_;
    std::string where_;  ///< NAME or PATH
};

/// What is read from an open descriptor, to its end, for at most 5 s. `what` names it in errors. Closes nothing.
std::string read_value(int fd, const std::string& what);

}  // namespace ringcast::host
