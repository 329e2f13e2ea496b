// SPDX-License-Identifier: Apache-2.0
/// What the parser refuses names the right option, and no value where that may be a secret.
#include "host/command_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ringcast::host {
namespace {

class ParserWordsTest : public testing::Test {
protected:
    ParserWordsTest() {
        parser.option("--n", number, "").type_name("N");
        parser.option("--n-of-all", number, "").type_name("N");
        parser.flag("--a-long-flag", flag, "");
        parser.option("--odd", text, "").check([](const std::string& value) { return "no good: " + value; });
        parser.option("--colour", text, "").one_of({"red", "green"});
    }

    std::string refusal(const std::vector<std::string>& words, bool may_quote = true) {
        try {
            parser.parse(words, {.command = "it", .may_quote = may_quote});
        } catch (const WrongWords& wrong) {
            return wrong.what();
        }
        return "none";
    }

    CommandParser parser{"A command."};
    std::uint32_t number = 0;
    bool flag = false;
    std::string text;
};

TEST_F(ParserWordsTest, the_option_is_the_one_the_message_is_about_whatever_its_value_says) {
    EXPECT_EQ(refusal({"--n=--a-long-flag"}), "--n takes a value like 3, not \"--a-long-flag\"");
    EXPECT_EQ(refusal({"--n-of-all=x"}), "--n-of-all takes a value like 3, not \"x\"");
    EXPECT_EQ(refusal({"--n"}), "--n needs a value: it --n 3");
    EXPECT_EQ(refusal({"--a-long-flag=odd"}), "--a-long-flag stands alone: it takes no value");
}

TEST_F(ParserWordsTest, a_value_that_may_be_a_secret_is_in_no_message) {
    EXPECT_EQ(refusal({"--odd=s3cret"}, false), "--odd has a value that does not fit; see it --help");
    EXPECT_EQ(refusal({"--n=s3cret"}, false), "--n takes a value like 3");
    EXPECT_EQ(refusal({"--colour=s3cret"}, false), "--colour takes red or green");
    EXPECT_EQ(refusal({"s3cret"}, false), "a word does not fit; see it --help");
    EXPECT_EQ(refusal({"--odd=blue"}), "--odd: no good: blue");
}

}  // namespace
}  // namespace ringcast::host
