// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "redactor.hpp"

namespace ringcast::host {

/// The words of this process, made safe: values that the `ringcast` command handed over by descriptor are read, and
/// what addresses carry beside host and app is erased from the memory that /proc/PID/cmdline shows.
class CommandLine {
public:
    /// Before there are other threads. `redactor` knows from then on what was erased.
    CommandLine(int argc, char** argv, Redactor& redactor);

    /// Whole, without argv[0].
    [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }
    /// This value came by a descriptor: nobody could read it.
    [[nodiscard]] bool was_handed(std::string_view value) const;
    /// One line for each address with a secret that stood on the command line.
    [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

private:
    std::vector<std::string> words_;
    std::vector<std::string> handed_;
    std::vector<std::string> warnings_;
};

}  // namespace ringcast::host
