// SPDX-License-Identifier: Apache-2.0
#include "candidates.hpp"

#include <gtest/gtest.h>

namespace ringcast::tools {
namespace {

using Words = std::vector<std::string>;

/// A command line like the real one, with sources that know two buses and one plugin.
class CandidatesTest : public ::testing::Test {
protected:
    CandidatesTest() {
        parser_.set_version("1");
        parser_.add_verb("ls", "List.").flag("--json", json_, "Print JSON.");
        host::Command tail = parser_.add_verb("tail", "Follow.");
        tail.option("bus", bus_, "Bus.");
        tail.option("-f,--flow", flow_, "Flow.").type_name("video|audio");
        tail.option("--fps", fps_, "Rate.").type_name("F|N/D");
        tail.option("--format", format_, "Format.").one_of({"rgb24", "bgr24"});
        parser_.add_verb("sink", "Send out.").pass_words_on();
        sources_.buses = [] { return Words{"music", "talk"}; };
        sources_.plugins = [] { return Words{"file", "hls"}; };
        sources_.plugin = [](const std::string& plugin) {
            host::ProbeResult result;
            if (plugin != "hls") return result;
            result.usable = true;
            result.main_option = "dir";
            result.options = {{"dir", std::nullopt, "Folder.", ""}, {"mode", "event", "Kind.", "event|live"}};
            return result;
        };
    }

    Words complete(const Words& words) {
        Words result;
        const Candidates found = candidates_for(parser_, words, sources_);
        files_ = found.files;
        for (const Candidate& candidate : found.words)
            result.push_back(candidate.word);
        return result;
    }

    host::CommandParser parser_{"test", "ringcast"};
    CandidateSources sources_;
    std::string bus_;
    std::string flow_;
    std::string format_;
    std::string fps_;
    bool files_ = false;
    bool json_ = false;
};

TEST_F(CandidatesTest, offers_verbs_first) {
    EXPECT_EQ(complete({""}), (Words{"ls", "tail", "sink"}));
    EXPECT_EQ(complete({"t"}), (Words{"tail"}));
    EXPECT_EQ(complete({"--v"}), (Words{"--version"}));
}

TEST_F(CandidatesTest, offers_options_of_the_verb) {
    EXPECT_EQ(complete({"ls", "--"}), (Words{"--help", "--json"}));
    EXPECT_EQ(complete({"nonsense", "--"}), Words{});
}

TEST_F(CandidatesTest, offers_buses_where_a_bus_is_wanted_and_only_once) {
    EXPECT_EQ(complete({"tail", ""}), (Words{"music", "talk"}));
    EXPECT_EQ(complete({"tail", "ta"}), (Words{"talk"}));
    EXPECT_EQ(complete({"tail", "talk", ""}), Words{});
    EXPECT_EQ(complete({"tail", "--flow", "audio", ""}), (Words{"music", "talk"}));
}

TEST_F(CandidatesTest, offers_choices_of_an_option_however_they_were_declared) {
    EXPECT_EQ(complete({"tail", "--flow", ""}), (Words{"video", "audio"}));
    EXPECT_EQ(complete({"tail", "-f", "a"}), (Words{"audio"}));
    EXPECT_EQ(complete({"tail", "--format", ""}), (Words{"rgb24", "bgr24"}));
    EXPECT_EQ(complete({"tail", "--fps", ""}), Words{});
}

TEST_F(CandidatesTest, offers_plugins_then_the_options_of_the_plugin) {
    EXPECT_EQ(complete({"sink", ""}), (Words{"file", "hls"}));
    EXPECT_EQ(complete({"sink", "hls", "--bus", ""}), (Words{"music", "talk"}));
    const Words options = complete({"sink", "hls", ""});
    EXPECT_TRUE(files_);
    ASSERT_GT(options.size(), 3U);
    EXPECT_EQ(Words(options.begin(), options.begin() + 2), (Words{"dir=", "mode="})) << "the plugin's own come first";
    EXPECT_EQ(complete({"sink", "hls", "--o"}), (Words{"--once"}));
}

TEST_F(CandidatesTest, offers_the_options_of_the_host_and_their_choices_after_a_plugin) {
    EXPECT_EQ(complete({"sink", "hls", "on_"}), (Words{"on_stall=", "on_end="}));
    EXPECT_EQ(complete({"sink", "hls", "video.b"}), (Words{"video.bitrate=", "video.bufsize="}));
    EXPECT_EQ(complete({"sink", "hls", "reader="}), (Words{"reader=live", "reader=lossless"}));
    EXPECT_EQ(complete({"sink", "hls", "video.bitrate="}), Words{});
    EXPECT_EQ(complete({"sink", "broken", "video.b"}), Words{});
}

TEST_F(CandidatesTest, a_key_that_plugin_and_host_both_have_is_offered_once) {
    const auto plugin = sources_.plugin;
    sources_.plugin = [plugin](const std::string& name) {
        host::ProbeResult result = plugin(name);
        result.options.push_back({"on_end", "stay", "Mine.", "stay|go"});
        return result;
    };
    EXPECT_EQ(complete({"sink", "hls", "on_e"}), (Words{"on_end="}));
    EXPECT_EQ(complete({"sink", "hls", "on_end="}), (Words{"on_end=stay", "on_end=go"}));
}

TEST_F(CandidatesTest, offers_choices_of_a_plugin_option_with_its_key) {
    EXPECT_EQ(complete({"sink", "hls", "mode="}), (Words{"mode=event", "mode=live"}));
    EXPECT_EQ(complete({"sink", "hls", "mode=l"}), (Words{"mode=live"}));
    EXPECT_FALSE(files_);
}

TEST_F(CandidatesTest, offers_files_for_a_plugin_given_by_path_and_for_a_path_option) {
    EXPECT_EQ(complete({"sink", "./my"}), Words{});
    EXPECT_TRUE(files_);
    EXPECT_EQ(complete({"sink", "hls", "dir=/tm"}), Words{});
    EXPECT_TRUE(files_);
}

TEST_F(CandidatesTest, offers_nothing_for_a_plugin_that_cannot_be_probed) {
    EXPECT_EQ(complete({"sink", "broken", "x"}), Words{});
}

}  // namespace
}  // namespace ringcast::tools
