// SPDX-License-Identifier: Apache-2.0
#include "secret_address.hpp"

#include <algorithm>

namespace ringcast::host {
namespace {

constexpr std::string_view kScheme = "://";

}  // namespace

bool is_address(std::string_view text) {
    const std::size_t end = text.find(kScheme);
    return end != std::string_view::npos && end > 0 && text.find_first_of("/?#=") > end;
}

std::vector<std::string_view> secret_parts(std::string_view address) {
    std::vector<std::string_view> parts;
    if (!is_address(address)) return parts;
    address.remove_prefix(address.find(kScheme) + kScheme.size());
    const std::string_view authority = address.substr(0, address.find_first_of("/?#"));
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos && at > 0)
        parts.push_back(authority.substr(0, at));
    address.remove_prefix(authority.size());
    // The app is the first path segment; "?..." may stand in its place.
    const std::size_t app = address.starts_with('/') ? 1 : 0;
    std::string_view rest = address.substr(std::min(address.find_first_of("/?#", app), address.size()));
    rest.remove_prefix(std::min(rest.find_first_not_of("/?#"), rest.size()));
    if (!rest.empty()) parts.push_back(rest);
    return parts;
}

std::string_view value_of_word(std::string_view word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || word.find_first_of("/:?") < equals) return word;
    return word.substr(equals + 1);
}

}  // namespace ringcast::host
