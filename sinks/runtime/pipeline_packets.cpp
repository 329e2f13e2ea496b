// SPDX-License-Identifier: Apache-2.0
/// The part of the pipeline that decides whether the pictures of a bus are encoded or its packets sent on.
#include <spdlog/spdlog.h>

#include "runtime/pipeline.hpp"

namespace ringcast::runtime {

/// Where the video of the present output comes from; nullptr while that flow is not there.
FlowReader* Pipeline::video_flow() const {
    return bus_->flow(passes_ ? FlowKind::packets : FlowKind::video);
}

/// Pictures are encoded where there are any; packets are sent on where there are only packets.
void Pipeline::look_for_packets() {
    FlowReader* packets = bus_->flow(FlowKind::packets);
    if (packets == nullptr || bus_->flow(FlowKind::video) != nullptr) {
        passes_ = false;
        return;
    }
    // Nothing has to be opened for packets, and a producer that waits for its readers has not written any yet.
    board_->announce_ready();
    passes_ = packets_.read_descriptions(*packets, options_.reader.bus);
}

/// An output that was held open goes on with a producer of its own kind only.
void Pipeline::leave_unfit_part() {
    if (!part_) return;
    bus_->refresh();
    const bool pictures = bus_->flow(FlowKind::video) != nullptr;
    const bool packets = bus_->flow(FlowKind::packets) != nullptr;
    const bool fits = passes_ ? packets || !pictures : pictures || !packets;
    if (fits) return;
    log_->info("bus {}: the producer gives {} now: a new output", options_.reader.bus,
               pictures ? "pictures" : "packets");
    static_cast<void>(close_part());
}

/// A lossless writer waits for every reader in every flow that the reader has open.
void Pipeline::discard_packets() {
    FlowReader* packets = passes_ ? nullptr : bus_->flow(FlowKind::packets);
    if (packets == nullptr) return;
    for (;;) {
        const ReadStatus status = packets->try_read([](const Record&) {});
        if (status != ReadStatus::ok && status != ReadStatus::overrun) return;
    }
}

}  // namespace ringcast::runtime
