// SPDX-License-Identifier: Apache-2.0
/// The query of an srt:// address, as platforms hand it out.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringcast::srt {

/// What ringcast does with a key of a query.
enum class QueryKey {
    own,      ///< an option of ours
    fits,     ///< one of FFmpeg or libsrt; ours is one of its values, and any other is left out with a warning
    left_out  ///< one of FFmpeg or libsrt that ringcast chooses by itself
};

struct KnownKey {
    std::string_view name;
    QueryKey kind;
    std::string_view means = {};  ///< own: our name of it; fits: the values that change nothing, "1|yes"
};

/// nullptr: nobody knows it. Letters of any case.
[[nodiscard]] const KnownKey* find_known_key(std::string_view name);

using QueryPairs = std::vector<std::pair<std::string, std::string>>;  ///< key as written, value decoded

/// Takes the query apart. In a streamid or passphrase '?', '=' and '&' are bytes like any other: such a value ends at
/// an '&' only where a known key and '=' follow. %XX is decoded wherever two hex digits stand; '+' stays '+'.
[[nodiscard]] QueryPairs split_query(std::string_view query);

[[nodiscard]] std::string percent_decoded(std::string_view text);

}  // namespace ringcast::srt
