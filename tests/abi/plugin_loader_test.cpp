// SPDX-License-Identifier: Apache-2.0
#include "host/plugin_loader.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "host/plugin_error.hpp"
#include "host/plugin_finder.hpp"

namespace ringcast::host {
namespace {

namespace fs = std::filesystem;

fs::path odd(const std::string& name) {
    return fs::path(ODD_PLUGINS) / (name + ".so");
}

/// The refusal's one line, or empty when there was none.
std::string loader_refusal(const fs::path& file) {
    try {
        Plugin::load(file);
    } catch (const PluginError& error) {
        return error.what();
    }
    return {};
}

void expect_says(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
}

class PluginFile : public testing::Test {
protected:
    PluginFile() {
        std::string name = (fs::temp_directory_path() / "ringcast-loader-XXXXXX").string();
        folder = mkdtemp(name.data());
    }
    ~PluginFile() override { fs::remove_all(folder); }
    fs::path folder;
};

TEST(PluginLoader, loads_a_plugin_and_names_it_by_its_content) {
    const Plugin plugin = Plugin::load(odd("none"));
    EXPECT_STREQ(plugin.api().name, "odd");
    EXPECT_EQ(plugin.content_hash().size(), 64U);
    EXPECT_NE(plugin.content_hash(), Plugin::load(odd("chatty")).content_hash());
}

TEST(PluginLoader, refuses_another_abi_major_and_says_which) {
    const std::string text = loader_refusal(odd("future_major"));
    expect_says(text, "built for sink ABI 2.1, this ringcast-sink speaks 1.1");
    expect_says(text, "future_major.so");
}

TEST(PluginLoader, refuses_a_library_without_the_symbol) {
    expect_says(loader_refusal(odd("no_symbol")), "exports no 'ringcast_sink_plugin'");
}

TEST(PluginLoader, refuses_a_descriptor_that_is_too_short) {
    expect_says(loader_refusal(odd("short_descriptor")), "descriptor has 64 bytes");
}

TEST(PluginLoader, refuses_a_descriptor_that_lacks_a_call) {
    expect_says(loader_refusal(odd("missing_call")), "leaves 'headers' empty");
}

TEST_F(PluginFile, refuses_a_file_that_is_not_elf) {
    std::ofstream(folder / "script.so") << "#!/bin/sh\necho no plugin, but long enough to hold an ELF header or two\n";
    expect_says(loader_refusal(folder / "script.so"), "not an ELF shared object");
}

TEST_F(PluginFile, refuses_a_truncated_library_without_crashing) {
    fs::copy_file(odd("none"), folder / "cut.so");
    fs::resize_file(folder / "cut.so", 4096);
    expect_says(loader_refusal(folder / "cut.so"), "cut short");
    fs::resize_file(folder / "cut.so", 70);
    expect_says(loader_refusal(folder / "cut.so"), "cut short");
}

TEST_F(PluginFile, refuses_a_file_it_cannot_read) {
    expect_says(loader_refusal(folder / "absent.so"), "No such file");
}

TEST_F(PluginFile, overwriting_the_file_leaves_the_loaded_plugin_alone) {
    fs::copy_file(odd("none"), folder / "mine.so");
    const Plugin plugin = Plugin::load(folder / "mine.so");
    {
        // In place, as `cp` and linkers do it: an mmap of the file itself would now see this.
        std::fstream file(folder / "mine.so", std::ios::in | std::ios::out | std::ios::binary);
        const std::string junk(fs::file_size(folder / "mine.so"), '\xcc');
        file.write(junk.data(), static_cast<std::streamsize>(junk.size()));
    }
    EXPECT_STREQ(plugin.api().name, "odd");
    EXPECT_EQ(plugin.api().connect(nullptr), 0);
    EXPECT_EQ(plugin.api().bytes_sent(nullptr), 0U);
}

class PluginPath : public PluginFile {
protected:
    PluginPath() { setenv("RINGCAST_PLUGIN_PATH", (":" + folder.string() + ":" + ODD_PLUGINS).c_str(), 1); }
    ~PluginPath() override { unsetenv("RINGCAST_PLUGIN_PATH"); }
};

TEST_F(PluginPath, finds_a_name_in_the_listed_folders_first_come_first_served) {
    EXPECT_EQ(find_plugin("none"), odd("none"));
    fs::copy_file(odd("none"), folder / "none.so");
    EXPECT_EQ(find_plugin("none"), folder / "none.so");
}

TEST_F(PluginPath, a_missing_name_says_where_it_looked_and_what_is_near) {
    try {
        find_plugin("chaty");
        FAIL() << "found";
    } catch (const PluginError& error) {
        expect_says(error.what(), "did you mean 'chatty'?");
        expect_says(error.what(), folder.string());
        expect_says(error.what(), ODD_PLUGINS);
    }
}

TEST_F(PluginPath, a_path_is_taken_as_it_stands) {
    EXPECT_EQ(find_plugin(odd("none").string()), odd("none"));
    EXPECT_THROW(find_plugin("./none.so"), PluginError);
}

}  // namespace
}  // namespace ringcast::host
