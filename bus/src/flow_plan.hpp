// SPDX-License-Identifier: Apache-2.0
/// How large the flow objects of a producer become.
#pragma once

#include <cstdint>
#include <optional>

#include "bus_session.hpp"

namespace ringcast {

/// Depth is media time: 1 s of video, 30 s of audio unless stated. When /dev/shm has less room the defaults shrink,
/// video to no fewer than 4 frames; a stated depth that does not fit throws Error(no_space).
FlowPlans plan_flows(const ProducerOptions& options);
FlowPlans plan_flows(const ProducerOptions& options, std::uint64_t free_bytes);
/// The deepest plan of the one flow in `options` that a standing ring holds; nullopt when none does, or a depth is
/// stated.
std::optional<FlowPlan> plan_into(const ProducerOptions& options, const FlowGeometry& geometry);

/// A ring of this geometry takes what is planned.
bool is_large_enough(const FlowGeometry& geometry, const FlowPlan& plan);
/// The same, without wasting more than is needed.
bool holds(const FlowGeometry& geometry, const FlowPlan& plan);

bool same(const layout::Caps& a, const layout::Caps& b);

}  // namespace ringcast
