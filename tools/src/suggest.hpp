// SPDX-License-Identifier: Apache-2.0
/// Near names for mistyped words.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringcast::tools {

/// The names a person may have meant, nearest first: at most a third of the word wrong (one letter always may be), or
/// the word is the beginning of the name.
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& names);

/// "a", "b" or "c"
std::string quoted_list(const std::vector<std::string>& names);

/// One line for a bus that is not there: near names, else what there is, else how to start one.
std::string missing_bus_message(const std::string& bus, const std::vector<std::string>& there);

}  // namespace ringcast::tools
