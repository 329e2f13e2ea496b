// SPDX-License-Identifier: Apache-2.0
/// A value that travels to a sink process by an inherited descriptor, where no list of processes shows it: the word
/// "url=fd:7" stands for what can be read from descriptor 7. It does for options that are secrets or may hold one; for
/// any other only when the word "--handed=7" says that the `ringcast` command put it there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ringcast::host {

/// Puts `value` (at most 4096 bytes) into a pipe that the next exec() inherits; "fd:N". Throws std::system_error.
std::string hand_over(std::string_view value);

/// "--handed=N" for "fd:N", and N of it.
std::string handed_flag(std::string_view value);
std::optional<int> flagged_descriptor(std::string_view word);

/// N when `value` is "fd:N".
std::optional<int> handed_descriptor(std::string_view value);

/// The line of warning for an address with a secret in it on a command line. `word` is "url=rtmp://..." or bare.
std::string exposed_warning(std::string_view word);

}  // namespace ringcast::host
