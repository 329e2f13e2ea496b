// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ringcast::runtime {

/// How long the newest pictures took in the encoder.
class EncodeTimes {
public:
    void add(std::chrono::nanoseconds time) noexcept { times_[count_++ % times_.size()] = time.count(); }
    /// `share` of them took at most so long; 0 when there are none.
    [[nodiscard]] std::int64_t quantile_ns(double share) const;

private:
    std::array<std::int64_t, 512> times_{};  // 20 s at 25 fps
    std::size_t count_ = 0;
};

}  // namespace ringcast::runtime
