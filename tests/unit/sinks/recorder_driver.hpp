// SPDX-License-Identifier: Apache-2.0
/// The recorder as its tests drive it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "plugin_driver.hpp"
#include "test_media.hpp"

namespace ringcast::test {

namespace fs = std::filesystem;

inline const TestMedia& media() {
    static const TestMedia made = make_media();
    return made;
}

inline PluginDriver recorder(const fs::path& path, const std::string& more = "overwrite=no") {
    return PluginDriver(FILE_SINK_SO, {"path=" + path.string(), more});
}

inline std::string contents(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Everything in the folder, hidden files too, in order.
inline std::vector<std::string> names_in(const TemporaryFolder& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder.path()))
        names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}

inline bool was_told(const PluginDriver& sink, const std::string& text) {
    const auto log = sink.host().log();
    return std::ranges::any_of(log, [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

}  // namespace ringcast::test
