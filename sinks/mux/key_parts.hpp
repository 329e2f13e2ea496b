// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace ringcast::sink {

/// Shorter parts of a key say nothing ("rtmp", "1") and would blank ordinary words.
inline constexpr std::size_t kLeastKeyPart = 6;

/// What of a stream key, a streamid or the end of an address is as good as all of it when it is seen alone: the name
/// before its query, that name's last segment, and each value of the query. The whole comes first.
inline std::vector<std::string_view> key_parts(std::string_view key) {
    std::vector<std::string_view> parts{key};
    const auto add = [&](std::string_view part) {
        if (part.size() >= kLeastKeyPart && part.size() < key.size()) parts.push_back(part);
    };
    const std::size_t query = std::min(key.find('?'), key.size());
    const std::string_view name = key.substr(0, query);
    const bool is_name = name.find_first_of("=&") == std::string_view::npos;
    if (is_name) {
        add(name);
        if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos) add(name.substr(slash + 1));
    }
    for (std::size_t at = is_name ? query + 1 : 0; at < key.size();) {
        const std::size_t end = std::min(key.find_first_of("?&", at), key.size());
        const std::string_view pair = key.substr(at, end - at);
        const std::size_t equals = pair.find('=');
        add(equals == std::string_view::npos ? pair : pair.substr(equals + 1));
        at = end + 1;
    }
    return parts;
}

}  // namespace ringcast::sink
