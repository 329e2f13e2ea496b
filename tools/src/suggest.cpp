// SPDX-License-Identifier: Apache-2.0
#include "suggest.hpp"

#include <algorithm>
#include <utility>

namespace ringcast::tools {

namespace {

constexpr std::size_t kMostListed = 5;

/// Letters that may be wrong in a word of this length and still be taken for a slip.
std::size_t slips_allowed(std::size_t length) {
    return std::max<std::size_t>(1, (length + 1) / 3);
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Three rows are enough: a swap looks two rows back.
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& names) {
    std::vector<std::pair<std::size_t, std::string>> found;
    for (const std::string& name : names) {
        const std::size_t distance = edit_distance(word, name);
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
