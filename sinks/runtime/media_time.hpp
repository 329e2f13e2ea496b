// SPDX-License-Identifier: Apache-2.0
/// Exact arithmetic between output ticks, output samples and nanoseconds. Products are 128 bits wide, so nothing
/// truncates and nothing drifts, whatever the rates and however long the output.
#pragma once

#include <cstdint>

#include "ringcast/caps.hpp"

namespace ringcast::runtime {

__extension__ using Int128 = __int128;

inline constexpr std::int64_t kSecondNs = 1'000'000'000;
inline constexpr std::int64_t kMillisecondNs = 1'000'000;

/// Quotients for den > 0; num may be negative.
constexpr Int128 floor_div(Int128 num, Int128 den) {
    const Int128 quotient = num / den;
    return num % den < 0 ? quotient - 1 : quotient;
}
constexpr Int128 ceil_div(Int128 num, Int128 den) {
    return -floor_div(-num, den);
}
constexpr Int128 round_div(Int128 num, Int128 den) {
    return floor_div(2 * num + den, 2 * den);
}  // halves go up

/// Into a range whose sums and differences still fit 64 bits; pts from a hostile bus may be anything.
constexpr std::int64_t saturate(Int128 value) {
    constexpr Int128 kLimit = Int128{1} << 61;
    return static_cast<std::int64_t>(value > kLimit ? kLimit : value < -kLimit ? -kLimit : value);
}

/// a · b / c to nearest.
constexpr std::int64_t scale(std::int64_t a, std::int64_t b, std::int64_t c) {
    return saturate(round_div(static_cast<Int128>(a) * b, c));
}

/// The two grids of one output: tick n stands at n · fps.den / fps.num s, sample s at s / rate s.
class OutputGrid {
public:
    OutputGrid(Rational fps, std::uint32_t rate) : num_(fps.num), den_(fps.den), rate_(rate) {}

    [[nodiscard]] std::int64_t rate() const { return rate_; }
    /// Ticks per ns as tick_num / tick_den.
    [[nodiscard]] std::int64_t tick_num() const { return num_; }
    [[nodiscard]] std::int64_t tick_den() const { return den_ * kSecondNs; }

    [[nodiscard]] std::int64_t tick_to_ns(std::int64_t tick) const { return scale(tick, den_ * kSecondNs, num_); }
    [[nodiscard]] std::int64_t sample_to_ns(std::int64_t sample) const { return scale(sample, kSecondNs, rate_); }
    [[nodiscard]] std::int64_t ns_to_sample(std::int64_t ns) const { return scale(ns, rate_, kSecondNs); }
    [[nodiscard]] std::int64_t ns_to_tick_floor(std::int64_t ns) const {
        return static_cast<std::int64_t>(floor_div(static_cast<Int128>(ns) * tick_num(), tick_den()));
    }

    /// The sample where tick begins.
    [[nodiscard]] std::int64_t tick_to_sample(std::int64_t tick) const { return scale(tick, den_ * rate_, num_); }
    /// The tick whose beginning is nearest to the sample; halves go up.
    [[nodiscard]] std::int64_t nearest_tick(std::int64_t sample) const { return scale(sample, num_, den_ * rate_); }
    /// The first tick that does not begin before the sample.
    [[nodiscard]] std::int64_t first_tick_from(std::int64_t sample) const {
        const auto tick = static_cast<std::int64_t>(floor_div(static_cast<Int128>(sample) * num_, den_ * rate_));
        return tick_to_sample(tick) >= sample ? tick : tick + 1;
    }
    /// True when the tick begins no later than the sample.
    [[nodiscard]] bool tick_not_after(std::int64_t tick, std::int64_t sample) const {
        return static_cast<Int128>(tick) * den_ * rate_ <= static_cast<Int128>(sample) * num_;
    }

private:
    std::int64_t num_;
    std::int64_t den_;
    std::int64_t rate_;
};

}  // namespace ringcast::runtime
