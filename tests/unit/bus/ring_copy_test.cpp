// SPDX-License-Identifier: Apache-2.0
#include "ring_copy.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace {
using namespace ringcast;

std::vector<std::byte> noise(std::size_t size) {
    std::vector<std::byte> bytes(size);
    std::uint32_t state = 1;
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}

TEST(RingCopy, copies_exactly_what_was_asked_at_every_alignment_and_length) {
    const auto source = noise(400'000);
    for (const std::size_t size : {0UL, 1UL, 63UL, 64UL, 65UL, 4096UL, 262'143UL, 262'144UL, 262'145UL, 300'000UL}) {
        for (const std::size_t to : {0UL, 1UL, 15UL, 63UL}) {
            for (const std::size_t from : {0UL, 3UL}) {
                std::vector<std::byte> target(size + 200, std::byte{0xee});
                copy_into_ring(target.data() + 64 + to, source.data() + from, size);
                ASSERT_EQ(std::memcmp(target.data() + 64 + to, source.data() + from, size), 0) << size << " " << to;
                ASSERT_EQ(target[64 + to - 1], std::byte{0xee});
                ASSERT_EQ(target[64 + to + size], std::byte{0xee});
            }
        }
    }
}

TEST(RingCopy, copies_lines_with_any_stride) {
    const auto source = noise(1000 * 1000);
    std::vector<std::byte> target(600 * 1000);
    copy_lines_into_ring(target.data(), 600, source.data() + 999 * 1000, -1000, 600, 1000);
    for (std::size_t line = 0; line < 1000; ++line) {
        ASSERT_EQ(std::memcmp(target.data() + line * 600, source.data() + (999 - line) * 1000, 600), 0) << line;
    }
}

}  // namespace
