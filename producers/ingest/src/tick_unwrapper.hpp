// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ringcast::ingest {

/// Timestamps of a container count modulo 2^bits: MPEG-TS after 26.5 h, RTMP after 49.7 days. Both tracks of one
/// connection share one of these, so that they go around together. One thread.
class TickUnwrapper {
public:
    explicit TickUnwrapper(int bits) : bits_(bits) {}

    /// The one of all values `ticks` may stand for that is nearest to the one before.
    std::int64_t unwrap(std::int64_t ticks) {
        newest_ = has_newest_ ? near(ticks, newest_) : ticks;
        has_newest_ = true;
        return newest_;
    }
    /// The same near another time, such as a pts near its dts.
    [[nodiscard]] std::int64_t near(std::int64_t ticks, std::int64_t reference) const {
        constexpr int kNeverWraps = 63;
        if (bits_ <= 0 || bits_ >= kNeverWraps) return ticks;
        const std::uint64_t period = std::uint64_t{1} << static_cast<unsigned>(bits_);
        const std::uint64_t ahead =
            (static_cast<std::uint64_t>(ticks) - static_cast<std::uint64_t>(reference)) & (period - 1);
        const bool is_behind = ahead >= period / 2;
        return reference + static_cast<std::int64_t>(ahead) - (is_behind ? static_cast<std::int64_t>(period) : 0);
    }

private:
    int bits_;
    std::int64_t newest_ = 0;
    bool has_newest_ = false;
};

}  // namespace ringcast::ingest
