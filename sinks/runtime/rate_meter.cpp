// SPDX-License-Identifier: Apache-2.0
#include "runtime/rate_meter.hpp"

namespace ringcast::runtime {
namespace {

constexpr std::chrono::seconds kWindow{2};
constexpr std::chrono::milliseconds kLeastApart{100};  // a look at every tick would only cost memory

}  // namespace

void RateMeter::look(TimePoint now, std::uint64_t count) {
    if (!looks_.empty() && count < looks_.back().count) looks_.clear();
    if (!looks_.empty() && now - looks_.back().at < kLeastApart) return;
    looks_.push_back({now, count});
    while (looks_.size() > 2 && now - looks_[1].at >= kWindow)
        looks_.pop_front();
}

double RateMeter::per_second() const {
    if (looks_.size() < 2) return 0.0;
    const std::chrono::duration<double> time = looks_.back().at - looks_.front().at;
    return static_cast<double>(looks_.back().count - looks_.front().count) / time.count();
}

}  // namespace ringcast::runtime
