// SPDX-License-Identifier: Apache-2.0
#include "host/command_parser.hpp"

#include <gtest/gtest.h>

namespace ringcast::host {
namespace {

using Words = std::vector<std::string>;

class CommandParserTest : public testing::Test {
protected:
    CommandParserTest() {
        parser.set_version("it 1");
        parser.require_verb();
        show.set_usage("[FILE] [--rate HZ]");
        show.option("file", file, "What to show.");
        rate_option = show.option("-r,--rate", rate, "How often.").between(1, 50).show_default().type_name("HZ");
        show.option("--length", length, "How long.").excludes(*rate_option);
        show.option("--flow", flows, "Which.").one_of({"video", "audio"}).one_value_each();
        show.flag("--json", json, "As JSON.");
        show.on_call([this] { ++calls; });
        pass.pass_words_on();
        pass.on_call([this] { passed = pass.passed_words(); });
    }

    CommandParser parser{"Shows things.", "it"};
    Command show = parser.add_verb("show", "Show it.");
    Command pass = parser.add_verb("pass", "Pass it on.");
    std::optional<Option> rate_option;
    std::string file;
    std::uint32_t rate = 25;
    std::optional<double> length;
    Words flows;
    Words passed;
    bool json = false;
    int calls = 0;
};

TEST_F(CommandParserTest, values_of_all_kinds_are_set_before_the_verb_is_called) {
    EXPECT_EQ(parser.parse({"show", "--length", "1.5", "--flow", "audio", "a.txt", "--flow=video", "--json"}), "");
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(file, "a.txt");
    EXPECT_EQ(length, 1.5);
    EXPECT_EQ(flows, (Words{"audio", "video"}));
    EXPECT_TRUE(json);
    EXPECT_EQ(rate, 25U) << "what is not given keeps its value";
}

TEST_F(CommandParserTest, help_and_version_are_returned_and_call_no_verb) {
    EXPECT_EQ(parser.parse({"--version"}), "it 1\n");
    const std::string help = parser.parse({"show", "--help"});
    EXPECT_NE(help.find("Usage: it show [FILE] [--rate HZ]\n"), std::string::npos) << help;
    EXPECT_NE(help.find("-r,--rate HZ=25"), std::string::npos) << help;
    EXPECT_NE(help.find("--flow video|audio ..."), std::string::npos) << help;
    EXPECT_EQ(calls, 0);
}

TEST_F(CommandParserTest, a_refusal_says_which_verb_and_which_word) {
    const auto refusal = [this](const Words& words) {
        try {
            parser.parse(words);
        } catch (const WrongWords& wrong) {
            return wrong.where.full_name() + " | " + wrong.extra + " | " + wrong.what();
        }
        return std::string("none");
    };
    EXPECT_EQ(refusal({}), "it |  | which verb? see it --help");
    EXPECT_EQ(refusal({"show", "--rate"}), "it show |  | --rate needs a value: it show --rate 25");
    EXPECT_EQ(refusal({"show", "--rate", "51"}), "it show |  | --rate takes a number from 1 to 50, not \"51\"");
    EXPECT_EQ(refusal({"show", "--rate", "5", "--length", "1"}), "it show |  | --rate and --length do not go together");
    EXPECT_EQ(refusal({"show", "a", "b"}).substr(0, 14), "it show | b | ");
    EXPECT_EQ(calls, 0);
}

TEST_F(CommandParserTest, a_verb_that_passes_words_on_gets_them_all_in_order) {
    parser.parse({"pass", "file", "--rate", "x", "--help"});
    EXPECT_EQ(passed, (Words{"file", "--rate", "x", "--help"}));
}

TEST_F(CommandParserTest, what_was_declared_can_be_listed) {
    ASSERT_EQ(parser.verbs().size(), 2U);
    EXPECT_EQ(parser.verb("pass")->description(), "Pass it on.");
    EXPECT_FALSE(parser.verb("pas"));
    EXPECT_EQ(rate_option->long_names(), Words{"--rate"});
    EXPECT_TRUE(rate_option->takes_value_after("-r"));
    EXPECT_FALSE(rate_option->takes_value_after("--rates"));
    Words positionals;
    for (const Option& option : show.options()) {
        if (option.is_positional()) positionals.push_back(option.name());
        if (option.is_positional() || option.name() == "json") {
            EXPECT_FALSE(option.takes_value_after("--" + option.name())) << option.name();
        }
    }
    EXPECT_EQ(positionals, Words{"file"});
}

}  // namespace
}  // namespace ringcast::host
