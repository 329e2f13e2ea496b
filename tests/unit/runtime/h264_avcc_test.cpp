// SPDX-License-Identifier: Apache-2.0
#include "runtime/h264_avcc.hpp"

#include <gtest/gtest.h>

#include "ringcast/error.hpp"

namespace ringcast::runtime::h264 {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::vector<Bytes> units_of(const Bytes& bytes) {
    std::vector<Bytes> copies;
    for (const auto unit : split_annex_b(bytes))
        copies.emplace_back(unit.begin(), unit.end());
    return copies;
}

const Bytes kSpsHigh{0x67, 100, 0, 31, 0xAC, 0xD9};
const Bytes kSpsMain{0x67, 77, 0x40, 30, 0x96};
const Bytes kPps{0x68, 0xEB, 0xE3};

Bytes annex_b(const std::vector<Bytes>& units) {
    Bytes bytes;
    for (const Bytes& unit : units) {
        bytes.insert(bytes.end(), {0, 0, 0, 1});
        bytes.insert(bytes.end(), unit.begin(), unit.end());
    }
    return bytes;
}

TEST(H264Avcc, splits_at_three_and_four_byte_start_codes) {
    EXPECT_EQ(units_of({0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 9}),
              (std::vector<Bytes>{{0x67, 1, 2}, {0x68, 3}, {0x65, 9}}));
    EXPECT_EQ(units_of({0, 0, 1, 0x41, 5}), (std::vector<Bytes>{{0x41, 5}}));
}

TEST(H264Avcc, zero_bytes_around_units_belong_to_none) {
    EXPECT_EQ(units_of({0, 0, 0, 0, 0, 1, 0x41, 5, 0, 0, 0, 0, 0, 1, 0x41, 6, 0, 0}),
              (std::vector<Bytes>{{0x41, 5}, {0x41, 6}}));
    EXPECT_EQ(units_of({9, 9, 0, 0, 1, 0x41}), (std::vector<Bytes>{{0x41}})) << "bytes before the first code";
}

TEST(H264Avcc, ones_and_emulation_prevention_inside_a_unit_stay) {
    EXPECT_EQ(units_of({0, 0, 1, 0x65, 1, 0, 1, 0, 0, 3, 1, 1}), (std::vector<Bytes>{{0x65, 1, 0, 1, 0, 0, 3, 1, 1}}));
}

TEST(H264Avcc, nothing_comes_of_nothing) {
    EXPECT_TRUE(units_of({}).empty());
    EXPECT_TRUE(units_of({0, 0}).empty());
    EXPECT_TRUE(units_of({0, 0, 1}).empty());
    EXPECT_TRUE(units_of({1, 2, 3, 4}).empty());
}

TEST(H264Avcc, lengths_stand_before_units) {
    const Bytes source{0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68};
    const auto units = split_annex_b(source);
    Bytes target(length_prefixed_size(units));
    write_length_prefixed(units, target.data());
    EXPECT_EQ(target, (Bytes{0, 0, 0, 3, 0x67, 1, 2, 0, 0, 0, 1, 0x68}));
}

TEST(H264Avcc, lengths_go_over_four_byte_codes_in_place) {
    Bytes bytes{0, 0, 0, 1, 0x41, 7, 0, 0, 0, 1, 0x41, 8, 9};
    const auto units = split_annex_b(bytes);
    write_length_prefixed(units, bytes.data());
    EXPECT_EQ(bytes, (Bytes{0, 0, 0, 2, 0x41, 7, 0, 0, 0, 3, 0x41, 8, 9}));
}

TEST(H264Avcc, record_holds_the_parameter_sets) {
    EXPECT_EQ(make_avcc(annex_b({kSpsMain, kPps})),
              (Bytes{1, 77, 0x40, 30, 0xFF, 0xE1, 0, 5, 0x67, 77, 0x40, 30, 0x96, 1, 0, 3, 0x68, 0xEB, 0xE3}));
}

TEST(H264Avcc, record_of_high_profile_ends_in_chroma_and_depth) {
    const Bytes record = make_avcc(annex_b({kSpsHigh, kPps, {0x06, 1, 2} /* SEI is left out */}));
    ASSERT_EQ(record.size(), 6 + 2 + kSpsHigh.size() + 1 + 2 + kPps.size() + 4);
    EXPECT_EQ(Bytes(record.end() - 4, record.end()), (Bytes{0xFD, 0xF8, 0xF8, 0}));
}

TEST(H264Avcc, a_record_passes_as_it_is) {
    const Bytes record = make_avcc(annex_b({kSpsMain, kPps}));
    EXPECT_EQ(make_avcc(record), record);
}

TEST(H264Avcc, headers_without_parameter_sets_are_refused) {
    EXPECT_THROW(make_avcc({}), Error);
    EXPECT_THROW(make_avcc(annex_b({kSpsMain})), Error);
    EXPECT_THROW(make_avcc(annex_b({kPps})), Error);
}

}  // namespace
}  // namespace ringcast::runtime::h264
