// SPDX-License-Identifier: Apache-2.0
#include "suggest.hpp"

#include <gtest/gtest.h>

namespace ringcast::tools {
namespace {

using Names = std::vector<std::string>;

TEST(Nearest, orders_by_distance) {
    EXPECT_EQ(nearest("tlak", {"walk", "talk", "music"}), (Names{"talk"}));
    EXPECT_EQ(nearest("talkk", {"talks", "talk", "talkkk"}), (Names{"talks", "talk", "talkkk"}));
}

TEST(Nearest, takes_the_beginning_of_a_name_for_the_name) {
    EXPECT_EQ(nearest("comp", {"completion", "clean"}), (Names{"completion"}));
}

TEST(Nearest, offers_nothing_for_a_word_that_is_far_from_all) {
    EXPECT_EQ(nearest("xx", {"ls", "up"}), Names{});
    EXPECT_EQ(nearest("banana", {"ls", "info", "tail"}), Names{});
}

TEST(MissingBusMessage, offers_near_names_first) {
    EXPECT_EQ(missing_bus_message("tlak", {"music", "talk"}), "no bus \"tlak\" is there; did you mean \"talk\"?");
}

TEST(MissingBusMessage, says_how_to_start_one_when_there_is_none) {
    EXPECT_EQ(missing_bus_message("talk", {}), "no bus \"talk\" is there; start one with: ringcast testsrc --bus talk");
}

TEST(MissingBusMessage, points_to_ls_when_only_others_are_there) {
    EXPECT_EQ(missing_bus_message("talk", {"zzz-zzz"}),
              "no bus \"talk\" is there; see what is there with: ringcast ls");
}

TEST(MissingBusMessage, lists_at_most_five_names) {
    const std::string message = missing_bus_message("bus0", {"bus1", "bus2", "bus3", "bus4", "bus5", "bus6"});
    EXPECT_NE(message.find("\"bus4\" or \"bus5\"?"), std::string::npos) << message;
    EXPECT_EQ(message.find("bus6"), std::string::npos) << message;
}

}  // namespace
}  // namespace ringcast::tools
