// SPDX-License-Identifier: Apache-2.0
/// How fast a producer really writes, from what its rings hold.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/caps.hpp"
#include "ringcast/layout.hpp"

namespace ringcast::tools {

/// Frames per second (video) or samples per second and channel (audio) by the producer's clock.
struct MeasuredRates {
    std::array<std::optional<double>, layout::kFlowCount> per_second;
    [[nodiscard]] std::optional<double> of(FlowKind kind) const {
        return per_second.at(static_cast<std::size_t>(kind));
    }
};

/// One record, as far as its pace goes.
struct Beat {
    std::uint64_t media_index = 0;
    std::int64_t capture_time_ns = 0;
    std::uint64_t session = 0;
};

/// Counts per second over the newest second of the beats, which are in the order of their indices. Nothing when fewer
/// than two of one session lie in it, or their counts or times do not rise.
std::optional<double> newest_rate(const std::vector<Beat>& beats);

/// Looks once over the rings and waits for nothing. Empty where the bus is gone, or holds too little to tell.
MeasuredRates measure_rates(const std::string& bus);

}  // namespace ringcast::tools
