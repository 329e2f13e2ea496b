// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace ringcast::runtime {

/// How fast a count grows, over the newest two seconds.
class RateMeter {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// A count that falls begins anew.
    void look(TimePoint now, std::uint64_t count);
    /// 0 before the second look.
    [[nodiscard]] double per_second() const;

private:
    struct Look {
        TimePoint at;
        std::uint64_t count;
    };
    std::deque<Look> looks_;
};

}  // namespace ringcast::runtime
