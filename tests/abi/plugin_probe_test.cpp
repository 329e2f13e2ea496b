// SPDX-License-Identifier: Apache-2.0
#include "host/plugin_probe.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace ringcast::host {
namespace {

namespace fs = std::filesystem;

ProbeResult probe(const std::string& name) {
    return probe_plugin(fs::path(ODD_PLUGINS) / (name + ".so"), SINK_EXECUTABLE);
}

TEST(PluginProbe, tells_what_a_plugin_is) {
    const ProbeResult result = probe("none");
    ASSERT_TRUE(result.usable) << result.problem;
    EXPECT_EQ(result.name, "odd");
    EXPECT_EQ(result.version, "1.0");
    EXPECT_EQ(result.summary, "a plugin for tests");
    EXPECT_EQ(result.main_option, "target");
    EXPECT_TRUE(result.takes_packets);
    EXPECT_FALSE(result.takes_frames);
    ASSERT_EQ(result.options.size(), 2U);
    EXPECT_EQ(result.options[0].key, "target");
    EXPECT_FALSE(result.options[0].default_value);
    EXPECT_EQ(result.options[1].default_value, "a");
    EXPECT_EQ(result.options[1].choices, "a|b");
    EXPECT_EQ(result.defaults, (std::vector<std::string>{"audio.rate=44100", "audio.channels=1 if mode=b"}));
    EXPECT_EQ(result.content_hash.size(), 64U);
}

TEST(PluginProbe, a_crash_at_load_is_a_problem_of_that_plugin_only) {
    // AddressSanitizer would turn the signal into an exit status; the last word of its options wins.
    const char* inherited = std::getenv("ASAN_OPTIONS");
    setenv("ASAN_OPTIONS", ((inherited == nullptr ? "" : std::string(inherited) + ":") + "handle_segv=0").c_str(), 1);
    const ProbeResult result = probe("crash_at_load");
    EXPECT_FALSE(result.usable);
    EXPECT_NE(result.problem.find("crashed (signal 11"), std::string::npos) << result.problem;
}

TEST(PluginProbe, a_hang_at_load_is_ended) {
    const ProbeResult result = probe("hang_at_load");
    EXPECT_FALSE(result.usable);
    EXPECT_NE(result.problem.find("longer than 5 s"), std::string::npos) << result.problem;
}

TEST(PluginProbe, what_a_plugin_prints_is_not_taken_for_the_answer) {
    const ProbeResult result = probe("chatty");
    ASSERT_TRUE(result.usable) << result.problem;
    EXPECT_EQ(result.name, "odd");
}

TEST(PluginProbe, a_refusal_is_passed_on) {
    const ProbeResult result = probe("future_major");
    EXPECT_FALSE(result.usable);
    EXPECT_NE(result.problem.find("sink ABI 2.1"), std::string::npos) << result.problem;
}

TEST(PluginProbe, a_missing_sink_executable_is_named) {
    const ProbeResult result = probe_plugin("any.so", "/nonexistent/ringcast-sink");
    EXPECT_FALSE(result.usable);
    EXPECT_NE(result.problem.find("/nonexistent/ringcast-sink"), std::string::npos) << result.problem;
}

TEST(PluginProbe, lists_every_file_and_the_first_of_equal_names) {
    std::string name = (fs::temp_directory_path() / "ringcast-probe-XXXXXX").string();
    const fs::path folder = mkdtemp(name.data());
    fs::copy_file(fs::path(ODD_PLUGINS) / "none.so", folder / "a.so");
    fs::copy_file(fs::path(ODD_PLUGINS) / "crash_at_load.so", folder / "b.so");
    setenv("RINGCAST_PLUGIN_PATH", (folder.string() + ":" + folder.string()).c_str(), 1);
    const std::vector<ProbeResult> results = probe_plugins(SINK_EXECUTABLE);
    unsetenv("RINGCAST_PLUGIN_PATH");
    fs::remove_all(folder);
    ASSERT_GE(results.size(), 2U);
    EXPECT_EQ(results[0].file.filename(), "a.so");
    EXPECT_TRUE(results[0].usable);
    EXPECT_EQ(results[1].file.filename(), "b.so");
    EXPECT_FALSE(results[1].usable);
    for (std::size_t i = 2; i < results.size(); ++i)
        EXPECT_NE(results[i].file.parent_path(), folder);
}

}  // namespace
}  // namespace ringcast::host
