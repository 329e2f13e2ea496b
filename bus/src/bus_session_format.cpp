// SPDX-License-Identifier: Apache-2.0
/// What a flow holds changes while it is written.
#include "bus_session.hpp"
#include "flow_plan.hpp"
#include "ringcast/error.hpp"
#include "system.hpp"

namespace ringcast {

void BusSession::change_format(FlowKind kind, const ProducerOptions& options, bool may_shrink) {
    OwnedFlow& owned = *flow(kind);
    FlowPlan wanted = plan_flows(options, UINT64_MAX / 2).flows.front();
    if (same(owned.caps, wanted.caps)) return;
    const auto geometry = read_geometry(*owned.object.as<layout::FlowHeader>(), owned.object.size());
    if (!geometry) throw Error(ErrorCode::damaged, "bus '" + bus_name_ + "': a flow of this producer is damaged");
    if (!(may_shrink ? holds(*geometry, wanted) : is_large_enough(*geometry, wanted))) {
        if (free_shm_bytes() >= wanted.bytes()) {
            supersede(owned, wanted);
        } else if (const auto shrunk = plan_into(options, *geometry)) {
            wanted = *shrunk;
        } else if (!is_large_enough(*geometry, wanted)) {
            wanted = plan_flows(options).flows.front();
            supersede(owned, wanted);
        }
    }
    auto& header = *owned.object.as<layout::FlowHeader>();
    header.depth_ns = owned.depth_ns = wanted.depth_ns;
    header.depth_wanted_ns = wanted.depth_wanted_ns;
    owned.caps = wanted.caps;
    ++owned.caps_generation;
}

void BusSession::supersede(OwnedFlow& owned, const FlowPlan& plan) {
    const FileLock bus_lock = lock_bus(bus_name_);
    ShmObject object = make_flow(plan, owned.writer.next_index());
    object.as<layout::FlowHeader>()->caps_generation = owned.caps_generation + 1;
    const FlowMemory memory(object.data(), *read_geometry(*object.as<layout::FlowHeader>(), object.size()));
    object.publish();
    owned.object.as<layout::FlowHeader>()->superseded.store(1, std::memory_order_release);
    owned.object = std::move(object);
    owned.writer = FlowWriter(memory);
    has_superseded_ = true;
    wake();
}

}  // namespace ringcast
