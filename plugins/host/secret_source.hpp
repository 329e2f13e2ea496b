// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ringcast::host {

/// Where the value of an option stands instead of on the command line: "env:NAME", "file:PATH" or, for programs that
/// start a sink, "fd:N", an inherited descriptor.
/// Every error is a UsageError: one line that names the option, NAME or PATH and the fix, never the value.
class SecretSource {
public:
    /// Nothing when `value` is a literal.
    static std::optional<SecretSource> parse(const std::string& option, const std::string& value);

    /// The value: one line. An environment variable is erased when it has been read, so that /proc/PID/environ does not
    /// show it and no child inherits it: call before there are other threads. A pipe is read to its end, for 5 s; a
    /// descriptor is closed.
    [[nodiscard]] std::string take() const;
    /// The value as it stands now; nothing when it cannot change: it came from an environment variable, a descriptor
    /// or a pipe.
    [[nodiscard]] std::optional<std::string> look_again() const;
    /// The file can be read by everyone on this machine.
    [[nodiscard]] bool is_open_to_all() const;

    [[nodiscard]] bool is_file() const noexcept { return kind_ == Kind::file; }
    [[nodiscard]] const std::string& option() const noexcept { return option_; }
    /// "key=file:PATH", for people.
    [[nodiscard]] std::string text() const;

private:
    enum class Kind { env, file, descriptor };

    SecretSource(std::string option, Kind kind, std::string where)
        : option_(std::move(option)), kind_(kind), where_(std::move(where)) {}

    std::string option_;
    Kind kind_;
    std::string where_;  ///< NAME, PATH or N
};

/// "in front of", "inside" or "at the end of" when there is a blank: a space, or what looks like one or like nothing.
const char* blank_in(std::string_view value);

/// What is read from an open descriptor, to its end, for at most 5 s. `what` names it in errors. Closes nothing.
std::string read_value(int fd, const std::string& what);

}  // namespace ringcast::host
