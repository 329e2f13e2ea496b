// SPDX-License-Identifier: Apache-2.0
/// The part of the pipeline that reads one session of the producer.
#include <spdlog/spdlog.h>

#include "ringcast/error.hpp"
#include "runtime/pipeline.hpp"

namespace ringcast::runtime {

using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kLookAround{1};
constexpr std::size_t kMostAudioHeld = 256U << 20U;  // bytes; beyond it sound stays in the ring

std::int64_t monotonic_ns() {
    const auto now = steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

std::optional<Record> peek(FlowReader* flow) {
    Record record;
    if (flow == nullptr || flow->try_peek(record) != ReadStatus::ok) return std::nullopt;
    return record;
}

}  // namespace

void Pipeline::begin_reading() {
    const FlowReader* video = bus_->flow(FlowKind::video);
    audio_waits_for_video_ = video != nullptr && video->cursor() > video->first_index();
    board_->announce_ready();
    publish();
}

Pipeline::SessionEnd Pipeline::read_until_end() {
    for (;;) {
        // Ticket first, then the signs of an end, then the records: nothing that comes in between is missed.
        const std::uint32_t ticket = bus_->ticket();
        const bool ended = bus_->ended();
        const bool superseded = bus_->superseded();
        bus_->refresh();
        const bool progressed = read_available();
        publish();
        if (figures_.output.state == OutputState::failed) return SessionEnd::failed;
        if (damaged_) return SessionEnd::failed;
        if (is_stopping()) return SessionEnd::stopped;
        if (progressed) continue;
        if (!output_thread_.queue().is_full()) {
            if (ended) return SessionEnd::ended;
            if (superseded) return SessionEnd::moved_on;
        }
        idle(ticket);
    }
}

/// Takes what is there, in the order of its pts, as far as the queue has room. True when something was read.
bool Pipeline::read_available() {
    bool progressed = false;
    while (!is_stopping() && !damaged_) {
        progressed = copy_audio() || progressed;
        bool stepped = false;
        while (!output_thread_.queue().is_full() && part_->step())
            stepped = true;
        const bool fed = !output_thread_.queue().is_full() && feed_one();
        progressed = progressed || stepped || fed;
        if (!fed) break;
        if (output_thread_.view().state == OutputState::failed) break;
    }
    return progressed;
}

/// Sound leaves the ring at once, whatever the picture does: only video may hold a lossless writer back.
bool Pipeline::copy_audio() {
    FlowReader* flow = bus_->flow(FlowKind::audio);
    if (flow == nullptr) return false;
    bool copied = false;
    while (part_->audio_bytes_held() < kMostAudioHeld) {
        const ReadStatus status = part_->copy_audio(*flow);
        if (status == ReadStatus::damaged) on_damage(FlowKind::audio);
        if (status != ReadStatus::ok && status != ReadStatus::overrun) break;
        copied = true;
    }
    return copied;
}

/// Of the oldest unread picture and the oldest untold sound, takes the earlier one.
bool Pipeline::feed_one() {
    const std::optional<Record> video = peek(bus_->flow(FlowKind::video));
    figures_.lag_ns = video ? monotonic_ns() - video->capture_time_ns : 0;
    if (may_tell_audio(video)) {
        part_->tell_audio();
        figures_.record_seen = true;
        return true;
    }
    return video && read_video();
}

bool Pipeline::may_tell_audio(const std::optional<Record>& video) const {
    const std::optional<std::int64_t> audio_pts = part_->next_audio_pts();
    if (!audio_pts || audio_waits_for_video_) return false;
    return !video || *audio_pts <= video->pts_ns;
}

bool Pipeline::read_video() {
    if (keyframe_wanted_.exchange(false, std::memory_order_relaxed)) part_->request_keyframe();
    const ReadStatus status = part_->read_video(*bus_->flow(FlowKind::video));
    if (status == ReadStatus::damaged) on_damage(FlowKind::video);
    if (status == ReadStatus::ok) {
        audio_waits_for_video_ = false;
        figures_.record_seen = true;
    }
    return status == ReadStatus::ok || status == ReadStatus::overrun;
}

void Pipeline::on_damage(FlowKind kind) {
    damaged_ = true;
    log_->error("bus {}: the {} flow breaks its own rules and is not read any more; what was read is kept",
                options_.reader.bus, ringcast::name_of(kind));
}

/// Sleeps until there is something to do. A producer that is gone is noticed here, because its death wakes nobody.
void Pipeline::idle(std::uint32_t ticket) {
    if (bus_->wait(ticket, steady_clock::now() + kLookAround) != WaitResult::timed_out) {
        if (figures_.producer_gone && bus_->ticket() != ticket) figures_.producer_gone = false;
        return;
    }
    const bool gone = !bus_->writer_alive() && !bus_->ended() && !bus_->superseded();
    if (gone && !figures_.producer_gone) {
        log_->warn("bus {}: the producer is gone without an end; the output stays open for the next one",
                   options_.reader.bus);
    }
    figures_.producer_gone = gone;
}

}  // namespace ringcast::runtime
