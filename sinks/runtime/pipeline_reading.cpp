// SPDX-License-Identifier: Apache-2.0
/// The part of the pipeline that reads one session of the producer.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <thread>

#include "ringcast/error.hpp"
#include "runtime/pipeline.hpp"

namespace ringcast::runtime {

using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kBeginPatience{5};
constexpr std::chrono::milliseconds kBeginLook{2};

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

bool Pipeline::has_records() const {
    constexpr std::array kMedia{FlowKind::video, FlowKind::audio, FlowKind::packets};
    return std::any_of(kMedia.begin(), kMedia.end(),
                       [this](FlowKind kind) { return peek(bus_->flow(kind)).has_value(); });
}

/// The first record of the session has left the ring.
bool Pipeline::is_late() const {
    FlowReader* video = video_flow();
    const auto oldest = peek(video != nullptr ? video : sound_flow());
    return oldest && oldest->media_index > 0;
}

/// Who gets every record, or came in time, begins with the first. Else the output begins with what is newest: on the
/// clock what is older would be late already, and of a ring that is full the writer takes the oldest next.
void Pipeline::seek_start() {
    // The clock counts from when the first record was made: what came while the encoders opened is due at once.
    const bool came_first = was_ready_ || !options_.sink.fills();
    if (gets_every_record() || (came_first && !is_late())) return;
    FlowReader* video = video_flow();
    FlowReader* audio = sound_flow();
    if (video == nullptr) return leave_out_old_sound();
    if (!peek(video)) return;
    if (passes_)
        video->seek_keyframe();
    else
        video->seek_newest();
    const auto newest = peek(video);
    if (audio != nullptr && newest) audio->seek_pts(newest->pts_ns);
}

/// Blocks are no pictures: the newest one alone says nothing of where a sentence begins.
void Pipeline::leave_out_old_sound() {
    FlowReader* audio = sound_flow();
    const std::int64_t newest_ns = monotonic_ns();
    for (auto block = peek(audio); block; block = peek(audio)) {
        if (newest_ns - block->capture_time_ns <= options_.sink.track_wait.count()) return;
        static_cast<void>(audio->try_read([](const Record&) {}));
    }
}

/// Where the output will begin.
std::int64_t Pipeline::first_pts_ns() const {
    FlowReader* video = video_flow();
    const auto first = peek(video != nullptr ? video : sound_flow());
    return !first ? 0 : passes_ ? first->dts_ns : first->pts_ns;
}

void Pipeline::begin_reading() {
    const FlowReader* video = video_flow();
    const FlowReader* audio = bus_->flow(sound_kind());
    part_->enter_bus(video != nullptr ? video->cursor() : 0, audio != nullptr ? audio->cursor() : 0);
    flushes_seen_ = 0;
    take_flush();  // what was void before is no less so for a sink that comes later
    audio_waits_for_video_ = video != nullptr && video->cursor() > video->first_index();
    await_output();
    if (!output_failed()) board_->announce_ready();
    publish();
}

/// A lossless producer renders for those who say they are ready: that is said by an output that could be begun. Another
/// producer does not wait, so nobody may look away from its ring.
void Pipeline::await_output() {
    if (!gets_every_record() || output_thread_.queue().drops()) return;
    const auto deadline = steady_clock::now() + kBeginPatience;
    while (!is_stopping() && steady_clock::now() < deadline) {
        const OutputState state = output_thread_.view().state;
        if (state == OutputState::started || state == OutputState::failed) return;
        std::this_thread::sleep_for(kBeginLook);
    }
}

Pipeline::SessionEnd Pipeline::read_until_end() {
    for (;;) {
        // Ticket first, then the signs of an end, then the records: nothing that comes in between is missed.
        const std::uint32_t ticket = bus_->ticket();
        const bool ended = bus_->ended();
        const bool superseded = bus_->superseded();
        bus_->refresh();
        const bool read = read_available();
        // Before the clock is looked at: what an ended stream does not bring is not missing. While it encoded what it
        // read, time has passed, and the end may have come.
        const bool drained = !read && !output_thread_.queue().is_full();
        const bool over = drained && ended && !part_->plays_out(holds_after_end());
        const bool ends = bus_->ended() && !(drained && ended);
        const bool kept = !over && !ends && keep_time();
        publish();
        if (figures_.output.state == OutputState::failed) return SessionEnd::failed;
        if (damaged_) return SessionEnd::failed;
        if (over) return SessionEnd::ended;
        if (is_stopping()) return SessionEnd::stopped;
        if (part_->gave_up()) return SessionEnd::gave_up;
        if (packets_came_ || part_->needs_new_output()) return SessionEnd::changed;
        if (drained && superseded) return SessionEnd::moved_on;
        if (!read && !kept) idle(ticket);
    }
}

/// Takes what is there, in the order of its pts, as far as the queue has room. True when something was read.
bool Pipeline::read_available() {
    bool progressed = false;
    discard_packets();
    if (packets_came_) return false;
    while (!is_stopping() && !damaged_ && !part_->needs_new_output()) {
        progressed = copy_audio() || progressed;
        const bool stepped = step();
        take_flush();
        const bool fed = !output_thread_.queue().is_full() && feed_one();
        progressed = progressed || stepped || fed;
        if (!fed) break;
        if (output_thread_.view().state == OutputState::failed) break;
    }
    return progressed;
}

/// Everything that is readable was read: what is not here by now has not come. True when that gave something to do.
bool Pipeline::keep_time() {
    if (output_thread_.queue().is_full()) return false;
    part_->advance(monotonic_ns());
    return step();
}

bool Pipeline::step() {
    bool stepped = false;
    // Here and not with a picture that is read: what is filled in can be a keyframe, too.
    if (keyframe_wanted_.exchange(false, std::memory_order_relaxed)) part_->request_keyframe();
    part_->tell_time(monotonic_ns());
    while (!output_thread_.queue().is_full() && part_->step()) {
        part_->tell_time(monotonic_ns());
        if (steady_clock::now() >= next_publish_) publish();  // a slow encoder is no reason to look dead
        stepped = true;
    }
    return stepped;
}

/// The producer was interrupted: what it declared void must not be told. A record that was written afterwards is only
/// told after this, because who sees that record sees the flush.
void Pipeline::take_flush() {
    const FlushState flush = bus_->flush();
    if (flush.generation == flushes_seen_) return;
    flushes_seen_ = flush.generation;
    if (part_->started()) {
        log_->info("bus {}: the producer was interrupted; what was not sent yet is left out", options_.reader.bus);
    }
    part_->flush(flush.index[static_cast<std::size_t>(video_kind())],
                 flush.index[static_cast<std::size_t>(sound_kind())]);
}

/// Sound leaves the ring at once, whatever the picture does: only video may hold a lossless writer back.
bool Pipeline::copy_audio() {
    FlowReader* flow = sound_flow();
    if (flow == nullptr) return false;
    bool copied = false;
    while (!part_->holds_much_sound() && !part_->needs_new_output()) {
        const ReadStatus status = part_->copy_audio(*flow);
        if (status == ReadStatus::damaged) on_damage(flow->kind());
        if (status != ReadStatus::ok && status != ReadStatus::overrun) break;
        copied = true;
    }
    return copied;
}

/// Of the oldest unread picture and the oldest untold sound, takes the earlier one.
bool Pipeline::feed_one() {
    const std::optional<Record> video = part_->is_full() ? std::nullopt : peek(video_flow());
    figures_.lag_ns = video ? monotonic_ns() - video->capture_time_ns : 0;
    if (may_tell_audio(video)) {
        take_flush();
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
    const ReadStatus status = part_->read_video(*video_flow());
    if (status == ReadStatus::damaged) on_damage(video_kind());
    if (status == ReadStatus::ok) {
        take_flush();
        part_->tell_video();
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
    auto deadline = steady_clock::now() + kLookAround;
    // A full queue says itself when there is room.
    const auto due = output_thread_.queue().is_full() ? std::nullopt : part_->next_due_ns();
    if (due) deadline = std::min(deadline, steady_clock::time_point(std::chrono::nanoseconds(*due)));
    if (bus_->wait(ticket, deadline) != WaitResult::timed_out) {
        if (figures_.producer_gone && bus_->ticket() != ticket) figures_.producer_gone = false;
        return;
    }
    if (steady_clock::now() < next_look_) return;
    next_look_ = steady_clock::now() + kLookAround;
    const bool gone = !bus_->writer_alive() && !bus_->ended() && !bus_->superseded();
    if (gone && !figures_.producer_gone) {
        log_->warn("bus {}: the producer is gone without an end; the output stays open for the next one",
                   options_.reader.bus);
    }
    figures_.producer_gone = gone;
}

}  // namespace ringcast::runtime
