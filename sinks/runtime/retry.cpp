// SPDX-License-Identifier: Apache-2.0
#include "runtime/retry.hpp"

#include <algorithm>
#include <cstdint>

namespace ringcast::runtime {

using std::chrono::milliseconds;

void Retry::reset() {
    delay_ = policy_.first;
    rejections_ = 0;
    accepted_ = false;
}

void Retry::restart() {
    delay_ = policy_.first;
    rejections_ = 0;
}

void Retry::on_connection(std::chrono::nanoseconds moved) {
    if (moved >= policy_.healthy) delay_ = policy_.first;
    if (moved < policy_.accepted) return;
    accepted_ = true;
    rejections_ = 0;
}

milliseconds Retry::next_delay() {
    if (rejections_ >= 2 && !accepted_) return policy_.rejected;
    std::uniform_real_distribution<double> spread(1.0 - policy_.jitter, 1.0 + policy_.jitter);
    const auto delay = milliseconds(static_cast<std::int64_t>(static_cast<double>(delay_.count()) * spread(random_)));
    const auto grown = static_cast<std::int64_t>(static_cast<double>(delay_.count()) * policy_.growth);
    delay_ = std::min(milliseconds(grown), policy_.longest);
    return std::min(delay, policy_.longest);
}

}  // namespace ringcast::runtime
