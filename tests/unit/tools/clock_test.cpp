// SPDX-License-Identifier: Apache-2.0
#include "clock.hpp"

#include <gtest/gtest.h>

namespace ringcast::tools {
namespace {

// In a constant expression an overflow does not compile.
constexpr std::int64_t kAbove = wrapping_sum(INT64_MAX, 1);
constexpr std::int64_t kBelow = wrapping_difference(INT64_MIN, 1);
constexpr std::int64_t kNegated = wrapping_difference(0, INT64_MIN);

TEST(Clock, times_from_shared_memory_wrap_instead_of_overflowing) {
    EXPECT_EQ(kAbove, INT64_MIN);
    EXPECT_EQ(kBelow, INT64_MAX);
    EXPECT_EQ(kNegated, INT64_MIN);
    EXPECT_EQ(wrapping_difference(wrapping_sum(3, INT64_MAX), INT64_MAX), 3);
}

}  // namespace
}  // namespace ringcast::tools
