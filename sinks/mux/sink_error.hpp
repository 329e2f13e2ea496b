// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <stdexcept>
#include <string>

namespace ringcast::sink {

/// Why a call of the host failed: the ABI's return code and one line that names the thing and the fix.
class SinkError : public std::runtime_error {
public:
    SinkError(std::int32_t code, const std::string& text) : std::runtime_error(text), code_(code) {}

    /// For a failure whose text the host has set itself: what() is empty and the guard leaves that text alone.
    static SinkError already_told(std::int32_t code) { return {code, std::string()}; }

    [[nodiscard]] std::int32_t code() const noexcept { return code_; }

private:
    std::int32_t code_;
};

/// What the system says about an errno value, for the end of a message.
std::string system_text(int error_number);

/// The class of a failed write: STORAGE, with what to do about it.
[[noreturn]] void throw_storage_error(const std::string& path, int error_number);

}  // namespace ringcast::sink
