// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace ringcast::host {

/// The second net under secrets: knows them, and takes them out of text that leaves the process. The first is that
/// nobody puts them in.
/// Thread safety: every call from any thread.
class Redactor {
public:
    /// From here on `secret` is hidden, plain or percent-encoded, and so are the parts that are secrets by themselves
    /// (key_parts.hpp). Values below 6 characters are hidden as whole words only, and not at all below 4: they
    /// would take ordinary words out of every line.
    void hide(std::string_view secret);
    /// hide() the secret_parts() of an address.
    void hide_in_address(std::string_view address);

    /// `text` with "***" for each secret.
    [[nodiscard]] std::string clean(std::string_view text) const;

private:
    mutable std::mutex mutex_;
    std::vector<std::string> secrets_;  ///< longest first: a part must not keep the whole from being found
};

}  // namespace ringcast::host
