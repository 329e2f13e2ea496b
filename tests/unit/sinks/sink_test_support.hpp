// SPDX-License-Identifier: Apache-2.0
/// What the tests of the built sinks share: the media they are fed, what stands in their folders, and a process of its
/// own for what ends or limits one.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
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

inline std::string contents(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Everything in the folder, hidden files too, in order.
inline std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}
inline std::vector<std::string> names_in(const TemporaryFolder& folder) {
    return names_in(folder.path());
}

inline bool was_told(const PluginDriver& sink, const std::string& text) {
    const auto log = sink.host().log();
    return std::ranges::any_of(log, [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

/// One line that names the thing.
inline void expect_one_line(const std::string& error, const std::string& thing) {
    EXPECT_NE(error.find(thing), std::string::npos) << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
}

/// What `body` returns, 0 when all is well, run in a process of its own; minus the signal that killed it.
template <class Body>
int in_a_child(Body&& body) {
    media();  // encoded once, not in each child
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// The sink that `make` makes is fed up to `until_us` in a process that dies as kill -9 makes it die, with all open.
template <class Make>
void feed_and_die(std::int64_t until_us, Make&& make) {
    ASSERT_EQ(in_a_child([&] {
                  PluginDriver sink = make();
                  if (sink.feed(media(), until_us) == RINGCAST_SINK_OK) ::kill(::getpid(), SIGKILL);
                  return 1;
              }),
              -SIGKILL)
        << "the child could not be fed";
}

/// The one kind of full disk a test can have anywhere.
inline void limit_file_size(std::uint64_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
}

}  // namespace ringcast::test
