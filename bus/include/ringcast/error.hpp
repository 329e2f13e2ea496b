// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace ringcast {

/// What a caller can do about an error; the values are the negative return codes of the C API.
enum class ErrorCode : int {
    invalid_argument = -1,  ///< fix the call
    not_found = -2,         ///< no such bus or flow; wait or check the name
    busy = -3,              ///< another live writer holds the flow
    damaged = -4,           ///< the object is not what its header says; `ringcast clean` removes it when stale
    permission = -5,
    no_space = -6,     ///< shared memory is too small
    too_large = -7,    ///< a record larger than half the arena
    unsupported = -8,  ///< newer layout, unknown format
    system = -9,       ///< errno text is in the message
    forked = -10,      ///< the handle belongs to the parent of this forked process
    ended = -11,       ///< end() was called
};

/// Thrown by setup and control; never on the frame path. what() is one line: what was attempted, on which object,
/// why, and the fix where there is one.
class Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
    [[nodiscard]] ErrorCode code() const noexcept { return code_; }

private:
    ErrorCode code_;
};

}  // namespace ringcast
