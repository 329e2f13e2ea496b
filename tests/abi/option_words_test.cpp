// SPDX-License-Identifier: Apache-2.0
#include "host/option_words.hpp"

#include <gtest/gtest.h>

#include "host/plugin_error.hpp"
#include "host/plugin_loader.hpp"

namespace ringcast::host {
namespace {

using Pair = std::pair<std::string, std::string>;

const ringcast_sink_plugin_v1& odd_api() {
    static const Plugin plugin = Plugin::load(std::string(ODD_PLUGINS) + "/none.so");
    return plugin.api();
}

SplitWords split(const std::vector<std::string>& words) {
    return split_words(odd_api(), words);
}

std::string refusal(const std::vector<std::string>& words) {
    try {
        split(words);
    } catch (const UsageError& error) {
        return error.what();
    }
    return {};
}

TEST(OptionWords, a_bare_word_sets_the_main_option) {
    EXPECT_EQ(split({"out.mp4"}).plugin, (std::vector<Pair>{{"target", "out.mp4"}}));
}

TEST(OptionWords, sorts_words_into_the_plugins_and_the_hosts) {
    const SplitWords words = split({"mode=b", "audio.channels=1", "target=x=y"});
    EXPECT_EQ(words.plugin, (std::vector<Pair>{{"mode", "b"}, {"target", "x=y"}}));
    EXPECT_EQ(words.sink.audio.channels, 1U);
}

TEST(OptionWords, the_plugins_defaults_hold_and_the_users_words_win) {
    EXPECT_EQ(split({}).sink.audio.rate, 44100U);
    EXPECT_EQ(split({"audio.rate=48000"}).sink.audio.rate, 48000U);
    EXPECT_EQ(split({"mode=b", "mode=a"}).plugin, (std::vector<Pair>{{"mode", "a"}}));
}

TEST(OptionWords, a_bitrate_or_a_quality_chooses_the_rate_control) {
    EXPECT_EQ(split({"video.crf=23"}).sink.video.rate_control, runtime::RateControl::crf);
    EXPECT_NE(refusal({"video.crf=23", "video.bitrate=3M"}).find("contradict"), std::string::npos);
}

TEST(OptionWords, the_reader_is_lossless_on_a_sink_that_waits_unless_somebody_says_otherwise) {
    EXPECT_TRUE(split({}).sink.is_lossless());
    EXPECT_FALSE(split({"reader=live"}).sink.is_lossless());
    EXPECT_TRUE(split({"reader=live", "reader=lossless"}).sink.is_lossless());
}

TEST(OptionWords, an_unknown_key_names_the_nearest_of_both_tables) {
    EXPECT_NE(refusal({"targe=x"}).find("target"), std::string::npos);
    EXPECT_NE(refusal({"audio.chanels=1"}).find("audio.channels"), std::string::npos);
}

TEST(OptionWords, a_value_must_be_one_of_the_choices) {
    EXPECT_NE(refusal({"mode=c"}).find("a|b"), std::string::npos);
    EXPECT_NE(refusal({"mode=a|b"}).find("a|b"), std::string::npos);
}

TEST(OptionWords, a_second_bare_word_is_refused) {
    EXPECT_NE(refusal({"one", "two"}).find("'two'"), std::string::npos);
}

TEST(OptionWords, a_wrong_host_value_is_a_usage_error) {
    EXPECT_FALSE(refusal({"audio.rate=fast"}).empty());
}

TEST(OptionWords, a_default_that_depends_on_an_option_holds_with_that_value_only) {
    EXPECT_EQ(split({}).sink.audio.channels, 2U);
    EXPECT_EQ(split({"mode=b"}).sink.audio.channels, 1U);
    EXPECT_EQ(split({"mode=b", "mode=a"}).sink.audio.channels, 2U) << "the last word decides";
    EXPECT_EQ(split({"audio.channels=2", "mode=b"}).sink.audio.channels, 2U) << "the user's words win";
}

}  // namespace
}  // namespace ringcast::host
