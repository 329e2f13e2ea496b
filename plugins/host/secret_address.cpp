// SPDX-License-Identifier: Apache-2.0
#include "secret_address.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace ringcast::host {
namespace {

constexpr std::string_view kScheme = "://";
/// The name many servers give the one instance an app has: rtmp://host/app/_definst_/KEY.
constexpr std::string_view kDefaultInstance = "_definst_";
constexpr std::string_view kSrt = "srt://";
// What may stand in the query of an srt:// address for everybody to see.
constexpr std::array<std::string_view, 8> kPlainSrtKeys{"mode",      "latency",  "pbkeylen", "maxbw",
                                                        "transtype", "pkt_size", "timeout",  "connect_timeout"};

bool is_srt(std::string_view address) {
    const std::string_view scheme = address.substr(0, kSrt.size());
    return std::equal(scheme.begin(), scheme.end(), kSrt.begin(), kSrt.end(),
                      [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
}

bool is_plain_pair(std::string_view pair) {
    const std::string_view key = pair.substr(0, pair.find('='));
    return pair.empty() || (key.size() < pair.size() &&
                            std::find(kPlainSrtKeys.begin(), kPlainSrtKeys.end(), key) != kPlainSrtKeys.end());
}

/// SRT has no app: behind host and port comes a query, in which streamid and passphrase are secrets, and so is what is
/// none of the plain keys. A secret goes up to the next key that is known, for it may hold a '&' itself.
void add_srt_secrets(std::string_view rest, std::vector<std::string_view>& parts) {
    if (rest.starts_with('/')) rest.remove_prefix(1);
    const bool is_query = rest.starts_with('?');
    if (is_query) rest.remove_prefix(1);
    constexpr std::size_t kNone = std::string_view::npos;
    std::size_t begin = kNone;  // of the secret that is being read
    for (std::size_t at = 0; at < rest.size();) {
        const std::size_t end = std::min(rest.find('&', at), rest.size());
        const std::string_view pair = rest.substr(at, end - at);
        const std::string_view key = pair.substr(0, pair.find('='));
        const bool plain = is_query && is_plain_pair(pair);
        const bool named = is_query && key.size() < pair.size() && (key == "streamid" || key == "passphrase");
        if (begin != kNone && (plain || named)) parts.push_back(rest.substr(begin, at - 1 - begin));
        if (plain || named) begin = kNone;
        if (!plain && begin == kNone) begin = named ? at + key.size() + 1 : at;
        at = end + 1;
    }
    if (begin < rest.size()) parts.push_back(rest.substr(begin));
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
    address.remove_prefix(address.find(kScheme) + kScheme.size());
    const std::string_view authority = address.substr(0, address.find_first_of("/?#"));
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos && at > 0)
        parts.push_back(authority.substr(0, at));
    address.remove_prefix(authority.size());
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

std::string_view value_of_word(std::string_view word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || word.find_first_of("/:?") < equals) return word;
    return word.substr(equals + 1);
}

}  // namespace ringcast::host
