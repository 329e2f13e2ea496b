// SPDX-License-Identifier: Apache-2.0
#include "mux/quantity.hpp"

#include <gtest/gtest.h>

namespace ringcast::sink {
namespace {

using namespace std::chrono_literals;

TEST(Quantity, times_and_sizes_carry_their_unit) {
    EXPECT_EQ(parse_duration("2s"), 2s);
    EXPECT_EQ(parse_duration("1.5min"), 90s);
    EXPECT_EQ(parse_duration("200ms"), 200ms);
    EXPECT_EQ(parse_duration("0s"), 0s);
    EXPECT_EQ(parse_bytes("500MB"), 500'000'000U);
    EXPECT_EQ(parse_bytes("0.5KiB"), 512U);
    EXPECT_EQ(parse_bytes("1MiB"), 1'048'576U);
    EXPECT_EQ(parse_bytes("2TiB"), 2'199'023'255'552U);
}

TEST(Quantity, anything_else_is_none) {
    for (const char* text : {"", "2", "s", "-2s", "+2s", "2 s", ".5s", "5.s", "1.2.3s", "1e3s", "infs", "nans", "0x2s",
                             "2S", "2m", "2ss", "9999999999h"})
        EXPECT_FALSE(parse_duration(text)) << text;
    for (const char* text : {"500", "500M", "500mb", "-1MB", "1e3MB", "99999999TB"})
        EXPECT_FALSE(parse_bytes(text)) << text;
}

}  // namespace
}  // namespace ringcast::sink
