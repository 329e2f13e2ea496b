// SPDX-License-Identifier: Apache-2.0
/// pts of the records of one flow: an anchor and exact counting from it, so that no rate drifts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include "ringcast/caps.hpp"

namespace ringcast {

class PtsCounter {
public:
    explicit PtsCounter(Rational per_second) : per_second_(per_second) {}

    struct Stamp {
        std::int64_t pts_ns;
        std::int64_t duration_ns;
        std::uint32_t flags;
    };
    /// The model says where the next record stands.
    void jump_to(std::int64_t pts_ns) {
        const std::int64_t tolerance = std::max<std::int64_t>(count_to_ns(1, per_second_) / 2, 1'000'000);
        flags_ |= layout::kFlagExplicitPts;
        if (count_ > 0 && std::abs(pts_ns - pts_at(count_)) > tolerance) flags_ |= layout::kFlagDiscontinuity;
        anchor_at(pts_ns);
    }
    Stamp next(std::uint64_t count) {
        const std::int64_t pts = pts_at(count_);
        count_ += count;
        return {pts, pts_at(count_) - pts, std::exchange(flags_, std::uint32_t{layout::kFlagKey})};
    }
    void start_at(std::int64_t pts_ns) { anchor_pts_ns_ = pts_ns; }
    /// The last `count` were given up; what comes instead stands at `pts_ns`, else where the first of them stood.
    void take_back(std::uint64_t count, std::optional<std::int64_t> pts_ns) {
        count_ -= count;
        const std::int64_t first = count_ >= anchor_count_
                                       ? pts_at(count_)
                                       : anchor_pts_ns_ - count_to_ns(anchor_count_ - count_, per_second_);
        flags_ |= layout::kFlagDiscontinuity;
        anchor_at(pts_ns.value_or(first));
    }
    /// Another rate from the next record on; what was counted keeps its pts.
    void change_rate(Rational per_second) {
        anchor_at(pts_at(count_));
        per_second_ = per_second;
    }
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::int64_t next_pts() const { return pts_at(count_); }

private:
    void anchor_at(std::int64_t pts_ns) {
        anchor_pts_ns_ = pts_ns;
        anchor_count_ = count_;
    }
    [[nodiscard]] std::int64_t pts_at(std::uint64_t count) const {
        return anchor_pts_ns_ + count_to_ns(count - anchor_count_, per_second_);
    }
    Rational per_second_;
    std::int64_t anchor_pts_ns_ = 0;
    std::uint64_t anchor_count_ = 0;
    std::uint64_t count_ = 0;
    std::uint32_t flags_ = layout::kFlagKey;
};

}  // namespace ringcast
