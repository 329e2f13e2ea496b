// SPDX-License-Identifier: Apache-2.0
#include "runtime/encode_times.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ringcast::runtime {

std::int64_t EncodeTimes::quantile_ns(double share) const {
    const std::size_t known = std::min(count_, times_.size());
    if (known == 0) return 0;
    std::vector<std::int64_t> times(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(known));
    const double rank = std::ceil(share * static_cast<double>(known)) - 1.0;
    const auto place = static_cast<std::ptrdiff_t>(std::clamp(rank, 0.0, static_cast<double>(known - 1)));
    std::nth_element(times.begin(), times.begin() + place, times.end());
    return times[static_cast<std::size_t>(place)];
}

}  // namespace ringcast::runtime
