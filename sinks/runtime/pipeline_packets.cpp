// SPDX-License-Identifier: Apache-2.0
/// The part of the pipeline that decides whether the pictures of a bus are encoded or its packets sent on.
#include <spdlog/spdlog.h>

#include "runtime/pipeline.hpp"

namespace ringcast::runtime {

/// Where the sound of the present output comes from, when not from the flow of its pictures.
FlowReader* Pipeline::sound_flow() const {
    return bus_->flow(passes_ ? FlowKind::audio : sound_kind());
}

/// A producer may have a flow for raw sound and never use it.
bool Pipeline::has_samples() const {
    const FlowReader* samples = bus_->flow(FlowKind::audio);
    return samples != nullptr && samples->head() > samples->first_index();
}

/// Of each track: what is raw is encoded; packets are sent on where there are only packets. True when there are some.
bool Pipeline::look_for_packets() {
    passes_ = passes_sound_ = false;
    FlowReader* packets = bus_->flow(FlowKind::packets);
    const bool pictures = bus_->flow(FlowKind::video) != nullptr;
    if (packets == nullptr || (pictures && has_samples())) return false;
    if (pictures) {
        passes_sound_ = packets_.read_sound_description(*packets);
        return passes_sound_;
    }
    passes_ = packets_.read_descriptions(*packets, options_.reader.bus);
    passes_sound_ = passes_ && packets_.audio;
    return passes_;
}

/// A track may still come as packets.
bool Pipeline::awaits_packets() const {
    const bool raw = bus_->flow(FlowKind::video) != nullptr && has_samples();
    return bus_->flow(FlowKind::packets) != nullptr && !raw && !passes_ && !passes_sound_;
}

/// Pictures are there, and the sound may still come as packets.
bool Pipeline::awaits_sound() const {
    return awaits_packets() && bus_->flow(FlowKind::video) != nullptr;
}

PassedStreams Pipeline::passed_streams() const {
    PassedStreams passed;
    if (passes_) passed.video = packets_.video;
    if (passes_sound_) passed.audio = packets_.audio;
    return passed;
}

/// The output that follows the present one passes on what this one has read of late.
void Pipeline::take_next_streams() {
    packets_ = part_->next_streams();
    passes_sound_ = packets_.audio.has_value();
}

/// An output that was held open goes on with a producer of its own kind only.
void Pipeline::leave_unfit_part() {
    if (!part_) return;
    bus_->refresh();
    const bool pictures = bus_->flow(FlowKind::video) != nullptr;
    const bool packets = bus_->flow(FlowKind::packets) != nullptr;
    const bool video_fits = passes_ ? packets || !pictures : pictures || !packets;
    const bool sound_fits = !passes_sound_ || packets || !has_samples();
    if (video_fits && sound_fits) return;
    log_->info("bus {}: the producer gives {} now: a new output", options_.reader.bus,
               !sound_fits ? "raw sound"
               : pictures  ? "pictures"
                           : "packets");
    static_cast<void>(close_part(SessionEnd::changed));
}

/// A lossless writer waits for every reader in every flow that the reader has open. Packets that came after the output
/// had begun without them do not fit into it.
void Pipeline::discard_packets() {
    FlowReader* packets = bus_->flow(FlowKind::packets);
    if (packets == nullptr || passes_ || passes_sound_) return;
    if (awaits_packets()) {
        packets_came_ = look_for_packets();
        return;
    }
    for (;;) {
        const ReadStatus status = packets->try_read([](const Record&) {});
        if (status != ReadStatus::ok && status != ReadStatus::overrun) return;
    }
}

}  // namespace ringcast::runtime
