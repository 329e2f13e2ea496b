// SPDX-License-Identifier: Apache-2.0
#include "suggest.hpp"

#include <algorithm>
#include <utility>

#include "runtime/option_values.hpp"

namespace ringcast::tools {

namespace {

constexpr std::size_t kMostListed = 5;

/// Letters that may be wrong in a word of this length and still be taken for a slip.
std::size_t slips_allowed(std::size_t length) {
    return std::max<std::size_t>(1, (length + 1) / 3);
}

}  // namespace

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& names) {
    std::vector<std::pair<std::size_t, std::string>> found;
    for (const std::string& name : names) {
        const std::size_t distance = runtime::edit_distance(word, name);
        const bool beginning = word.size() >= 2 && name.starts_with(word);
        if (beginning || distance <= slips_allowed(word.size())) found.emplace_back(distance, name);
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> result;
    result.reserve(found.size());
    for (auto& [distance, name] : found)
        result.push_back(std::move(name));
    return result;
}

std::string quoted_list(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
        text += "\"" + names[i] + "\"";
    }
    return text;
}

std::string missing_bus_message(const std::string& bus, const std::vector<std::string>& there) {
    const std::string missing = "no bus \"" + bus + "\" is there; ";
    std::vector<std::string> near = nearest(bus, there);
    if (!near.empty()) {
        near.resize(std::min(near.size(), kMostListed));
        return missing + "did you mean " + quoted_list(near) + "?";
    }
    if (there.empty()) return missing + "start one with: ringcast testsrc --bus " + bus;
    return missing + "see what is there with: ringcast ls";
}

}  // namespace ringcast::tools
