// SPDX-License-Identifier: Apache-2.0
/// The recorder as its tests drive it.
#pragma once

#include "sink_test_support.hpp"

namespace ringcast::test {

inline PluginDriver recorder(const fs::path& path, const std::string& more = "overwrite=no") {
    return PluginDriver(FILE_SINK_SO, {"path=" + path.string(), more});
}

inline std::size_t occurrences(const std::string& bytes, const std::string& word) {
    std::size_t count = 0;
    for (std::size_t at = bytes.find(word); at != std::string::npos; at = bytes.find(word, at + word.size()))
        ++count;
    return count;
}

/// Records into `path` in a process that dies half a second into its sixth second, and adds `tail` to the file as a
/// write cut short would.
inline void record_and_die(const fs::path& path, const std::string& tail = "") {
    feed_and_die(5'500'000, [&] { return recorder(path); });
    if (!tail.empty()) std::ofstream(path, std::ios::binary | std::ios::app) << tail;
}

class FileSinkFormats : public testing::TestWithParam<std::string> {};

}  // namespace ringcast::test
