// SPDX-License-Identifier: Apache-2.0
#include "hls/byte_range.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ringcast::sink {
namespace {

std::string shown(std::string_view header, std::uint64_t size) {
    const auto wanted = parse_byte_range(header, size);
    if (std::holds_alternative<WholeFile>(wanted)) return "whole";
    if (std::holds_alternative<UnsatisfiableRange>(wanted)) return "unsatisfiable";
    const auto& range = std::get<ByteRange>(wanted);
    return std::to_string(range.first) + "-" + std::to_string(range.last);
}

TEST(ByteRange, plain_open_and_suffix_ranges_are_understood) {
    EXPECT_EQ(shown("bytes=0-0", 100), "0-0");
    EXPECT_EQ(shown("bytes=10-19", 100), "10-19");
    EXPECT_EQ(shown("bytes=10-", 100), "10-99");
    EXPECT_EQ(shown("bytes=-30", 100), "70-99");
}

TEST(ByteRange, ends_beyond_the_file_are_cut) {
    EXPECT_EQ(shown("bytes=90-500", 100), "90-99");
    EXPECT_EQ(shown("bytes=-500", 100), "0-99");
}

TEST(ByteRange, starts_beyond_the_file_cannot_be_satisfied) {
    EXPECT_EQ(shown("bytes=100-", 100), "unsatisfiable");
    EXPECT_EQ(shown("bytes=-0", 100), "unsatisfiable");
    EXPECT_EQ(shown("bytes=0-", 0), "unsatisfiable");
    EXPECT_EQ(shown("bytes=-5", 0), "unsatisfiable");
}

TEST(ByteRange, anything_else_asks_for_the_whole_file) {
    for (const char* header : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=1-2,5-6", "lines=1-2",
                               "bytes= 1-2", "bytes=1-2x", "bytes=-1-2", "bytes=99999999999999999999999-"}) {
        EXPECT_EQ(shown(header, 100), "whole") << header;
    }
}

}  // namespace
}  // namespace ringcast::sink
