// SPDX-License-Identifier: Apache-2.0
/// The producer's clock, and sums of times that come from shared memory: any value, so they wrap.
#pragma once

#include <chrono>
#include <cstdint>

namespace ringcast::tools {

inline std::int64_t monotonic_now_ns() {
    return std::chrono::steady_clock::now().time_since_epoch().count();  // CLOCK_MONOTONIC, on Linux
}
constexpr std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
constexpr std::int64_t wrapping_difference(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

}  // namespace ringcast::tools
