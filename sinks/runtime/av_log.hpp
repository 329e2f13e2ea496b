// SPDX-License-Identifier: Apache-2.0
/// libav's log lines: caught for an error message, or handed to the host's log. libav has one log callback for the
/// whole process; this module owns it.
#pragma once

#include <string>
#include <string_view>

namespace ringcast::runtime {

/// Where libav's lines go from now on that no AvLogCapture takes. `level` is libav's (AV_LOG_ERROR 16, AV_LOG_WARNING
/// 24, ...); the line has no newline. Called on any thread; nullptr: libav's own stderr output.
using AvLogHandler = void (*)(int level, std::string_view line);
void set_av_log_handler(AvLogHandler handler);

/// Keeps the warnings and errors that libav logs on this thread while it lives. They nest; the innermost takes the
/// line.
class AvLogCapture {
public:
    AvLogCapture();
    ~AvLogCapture();
    AvLogCapture(const AvLogCapture&) = delete;
    AvLogCapture& operator=(const AvLogCapture&) = delete;

    void take(int level, std::string_view line);

    /// The first error as one line, else the first warning; empty when there was none.
    [[nodiscard]] const std::string& text() const noexcept { return error_.empty() ? warning_ : error_; }

private:
    AvLogCapture* outer_;
    std::string error_;
    std::string warning_;
};

}  // namespace ringcast::runtime
