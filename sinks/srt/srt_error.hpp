// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace ringcast::srt {

/// What a failure asks of the caller.
enum class Failure {
    config,      ///< the words are wrong, or the place cannot be used: do not try again
    transient,   ///< not reachable, or lost: try again
    rejected,    ///< the peer said no: passphrase, streamid
    interrupted  ///< somebody woke the wait
};

/// One line that names the thing and the fix; never a streamid or a passphrase.
class SrtError : public std::runtime_error {
public:
    SrtError(Failure failure, const std::string& text) : std::runtime_error(text), failure_(failure) {}

    [[nodiscard]] Failure failure() const noexcept { return failure_; }

private:
    Failure failure_;
};

}  // namespace ringcast::srt
