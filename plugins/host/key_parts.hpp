// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace ringcast::host {

/// Shorter parts of a key say nothing ("rtmp", "1") and would blank ordinary words.
inline constexpr std::size_t kLeastKeyPart = 6;

/// Says of a streamid's "m=publish" or "h=live.example.com" that it is no secret: host, kind, what is asked for.
inline bool is_open_streamid_key(std::string_view key) {
    return key == "h" || key == "m" || key == "t";
}

/// What of a stream key, a streamid or the end of an address is as good as all of it when it is seen alone: the name
/// before its query, that name's last segment, each value of the query, and what commas and colons part in a streamid.
/// The whole comes first.
inline std::vector<std::string_view> key_parts(std::string_view key) {
    constexpr std::array<std::string_view, 2> kOrdinary{"publish", "request"};  // "live" is too short anyway
    constexpr std::string_view kStreamid = "#!::";
    std::vector<std::string_view> parts{key};
    const auto add = [&](std::string_view part) {
        for (const std::string_view one : {part, part.substr(part.rfind('/') + 1)}) {
            const bool ordinary = std::find(kOrdinary.begin(), kOrdinary.end(), one) != kOrdinary.end();
            if (one.size() >= kLeastKeyPart && one.size() < key.size() && !ordinary) parts.push_back(one);
        }
    };
    const bool is_streamid = key.starts_with(kStreamid);
    const auto add_values = [&](std::string_view text, std::string_view separators) {
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
            const std::string_view pair = text.substr(at, end - at);
            const std::size_t equals = std::min(pair.find('='), pair.size());
            const bool is_value = equals < pair.size();
            if (!is_value || !is_streamid || !is_open_streamid_key(pair.substr(0, equals)))
                add(is_value ? pair.substr(equals + 1) : pair);
            at = end + 1;
        }
    };
    if (!is_streamid) add(key.substr(0, key.find('?')));
    const std::string_view pairs = is_streamid ? key.substr(kStreamid.size()) : key;
    add_values(pairs, is_streamid ? "," : "?&");
    add_values(pairs, "?&,:");
    return parts;
}

}  // namespace ringcast::host
