// SPDX-License-Identifier: Apache-2.0
#include "secret_address.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "srt/srt_query.hpp"

namespace ringcast::host {
namespace {

constexpr std::string_view kScheme = "://";
/// The name many servers give the one instance an app has: rtmp://host/app/_definst_/KEY.
constexpr std::string_view kDefaultInstance = "_definst_";
constexpr std::string_view kSrt = "srt://";

bool is_srt(std::string_view address) {
    const std::string_view scheme = address.substr(0, kSrt.size());
    return std::equal(scheme.begin(), scheme.end(), kSrt.begin(), kSrt.end(),
                      [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
}

std::string_view authority_of(std::string_view address) {
    address.remove_prefix(address.find(kScheme) + kScheme.size());
    return address.substr(0, address.find_first_of("/?#"));
}

/// What stands before '@'; empty when nothing does.
std::string_view login_of(std::string_view authority) {
    const std::size_t at = authority.rfind('@');
    return at == std::string_view::npos ? std::string_view() : authority.substr(0, at);
}

bool is_secret(const srt::QueryPart& part) {
    return srt::is_secret_key(part.key) && !part.value.empty();
}

/// SRT has no app: behind host and port comes a query, in which streamid and passphrase are secrets, and so is what
/// nobody knows, in one piece with its likes beside it.
void add_srt_secrets(std::string_view rest, std::vector<std::string_view>& parts) {
    if (rest.starts_with('/')) rest.remove_prefix(1);
    if (!rest.starts_with('?')) {
        if (!rest.empty()) parts.push_back(rest);
        return;
    }
    bool follows_unknown = false;
    for (const srt::QueryPart& part : srt::query_parts(rest.substr(1))) {
        if (is_secret(part)) parts.push_back(part.value);
        if (part.key == nullptr && follows_unknown) {
            std::string_view& begun = parts.back();
            const char* const end = part.whole.data() + part.whole.size();
            begun = {begun.data(), static_cast<std::size_t>(end - begun.data())};
        } else if (part.key == nullptr) {
            parts.push_back(part.whole);
        }
        follows_unknown = part.key == nullptr;
    }
}

}  // namespace

bool is_address(std::string_view text) {
    const std::size_t end = text.find(kScheme);
    return end != std::string_view::npos && end > 0 && text.find_first_of("/?#=") > end;
}

std::vector<std::string_view> secret_parts(std::string_view address) {
    std::vector<std::string_view> parts;
    if (!is_address(address)) return parts;
    const bool srt = is_srt(address);
    const std::string_view authority = authority_of(address);
    if (const std::string_view login = login_of(authority); !login.empty()) parts.push_back(login);
    address.remove_prefix(static_cast<std::size_t>(authority.data() + authority.size() - address.data()));
    if (srt) {
        add_srt_secrets(address, parts);
        return parts;
    }
    // The app is the first path segment; "?..." may stand in its place.
    const std::size_t app = address.starts_with('/') ? 1 : 0;
    std::string_view rest = address.substr(std::min(address.find_first_of("/?#", app), address.size()));
    rest.remove_prefix(std::min(rest.find_first_not_of("/?#"), rest.size()));
    if (rest == kDefaultInstance || rest.starts_with(std::string(kDefaultInstance) + "/")) {
        rest.remove_prefix(kDefaultInstance.size());
        rest.remove_prefix(std::min(rest.find_first_not_of("/?#"), rest.size()));
    }
    if (!rest.empty()) parts.push_back(rest);
    return parts;
}

bool carries_secret(std::string_view address) {
    if (!is_address(address) || !is_srt(address)) return !secret_parts(address).empty();
    const auto parts = srt::query_parts(address.substr(std::min(address.find('?'), address.size() - 1) + 1));
    return !login_of(authority_of(address)).empty() || std::any_of(parts.begin(), parts.end(), is_secret);
}

std::string_view value_of_word(std::string_view word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || word.find_first_of("/:?") < equals) return word;
    return word.substr(equals + 1);
}

}  // namespace ringcast::host
