// SPDX-License-Identifier: Apache-2.0
/// The query of an srt:// address, as platforms hand it out: for who connects, and for who hides what it carries.
/// Needs no libsrt.
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
    /// The values with which it ends a streamid or passphrase in front of it: "a|b", kNumber, kAny; none: never does.
    std::string_view ends_text_as = {};
};

inline constexpr std::string_view kNumber = "#";  ///< "200", "1.5s", "-1"
inline constexpr std::string_view kAny = "*";

/// nullptr: nobody knows it. Letters of any case.
[[nodiscard]] const KnownKey* find_known_key(std::string_view name);

/// A streamid or a passphrase: a secret, which may hold any byte.
[[nodiscard]] bool is_secret_key(const KnownKey* key);

/// One of "1316|live", letters of any case.
[[nodiscard]] bool is_one_of(std::string_view value, std::string_view choices);

/// As written, views into the query.
struct QueryPart {
    std::string_view whole;  ///< "key=value"
    std::string_view name;
    std::string_view value;
    const KnownKey* key;  ///< nullptr: nobody knows it
};

/// Takes the query apart. In a streamid or passphrase '?', '=' and '&' are bytes like any other: such a value ends at
/// an '&' only where a key follows that stands in addresses of SRT, with a value that fits it. Words such as port= or
/// timeout= may be part of it.
[[nodiscard]] std::vector<QueryPart> query_parts(std::string_view query);

using QueryPairs = std::vector<std::pair<std::string, std::string>>;  ///< key as written, value decoded

/// The parts, values decoded: %XX wherever two hex digits stand; '+' stays '+'.
[[nodiscard]] QueryPairs split_query(std::string_view query);

[[nodiscard]] std::string percent_decoded(std::string_view text);

}  // namespace ringcast::srt
