// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "host/command_line.hpp"
#include "host/redactor.hpp"
#include "host/secret_address.hpp"

namespace ringcast::tools {

/// The words of the command line, without what must not be read there, and the text that says nothing of it.
class SafeWords {
public:
    /// Erases what an address among them carries from the memory that /proc/PID/cmdline shows; before there are
    /// threads.
    SafeWords(int argc, char** argv) : line_(argc, argv, redactor_) {}

    /// Without argv[0].
    [[nodiscard]] const std::vector<std::string>& words() const noexcept { return line_.words(); }
    /// An address with a key, a passphrase or a streamid stood there.
    [[nodiscard]] bool has_exposed_secret() const {
        return std::any_of(words().begin(), words().end(), host::carries_secret);
    }

    void hide(std::string_view secret) {
        if (!secret.empty()) redactor_.hide(secret);
    }
    void hide_address(std::string_view address) { redactor_.hide_in_address(address); }
    [[nodiscard]] std::string clean(std::string_view text) const { return redactor_.clean(text); }

private:
    host::Redactor redactor_;
    host::CommandLine line_;
};

/// Those of this process, as main() made them; without words before.
SafeWords& safe_words(int argc = 0, char** argv = nullptr);

}  // namespace ringcast::tools
