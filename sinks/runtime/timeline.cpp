// SPDX-License-Identifier: Apache-2.0
/// Records in, operations out. timeline_join.cpp has what happens where records do not simply go on, timeline_clock.cpp
/// what does when they do not come.
#include "runtime/timeline.hpp"

#include <type_traits>

#include "runtime/timeline_impl.hpp"

namespace ringcast::runtime {
namespace {

constexpr std::int64_t kNoLimit = std::int64_t{1} << 60;

}  // namespace

// ---- Input ----

bool Timeline::Impl::on_video(const VideoRecord& record) {
    if (finishing_) return false;
    accept(video_feed_, record);
    return !video_feed_.waiting.empty() || (video_.has_picture() && video_.last_id() == record.id);
}

bool Timeline::Impl::on_audio(const AudioRecord& record) {
    if (finishing_ || record.sample_rate == 0 || record.sample_count == 0) return false;
    accept(audio_feed_, record);
    return !audio_feed_.waiting.empty() || (audio_.has_input() && audio_.last_id() == record.id);
}

template <class Record>
void Timeline::Impl::accept(RecordFeed<Record>& feed, Record record) {
    record.pts_ns = saturate(record.pts_ns);
    record.capture_time_ns = saturate(record.capture_time_ns);
    newest_capture_ns_ = std::max(newest_capture_ns_, record.capture_time_ns);
    if constexpr (std::is_same_v<Record, AudioRecord>) next_audio_id_ = record.id + 1;
    if (!started_) begin(record.session, record.pts_ns, record.capture_time_ns);
    feed.waiting.push_back(record);
    settle(false);
}

// The first record is due when it was made: one that is on time never waits.
void Timeline::Impl::begin(std::uint64_t session, std::int64_t pts_ns, std::int64_t capture_time_ns) {
    started_ = true;
    session_ = session;
    const std::int64_t start = start_pts_ns_.value_or(pts_ns);
    video_.join(0, start);
    audio_.join(0, start);
    const std::int64_t now = now_ns_.value_or(capture_time_ns);
    origin_ns_ = std::clamp(capture_time_ns, now - kSecondNs, now) - video_.pts_to_ns(pts_ns);
}

void Timeline::Impl::settle(bool force) {
    do {
        drain(video_feed_);
        drain(audio_feed_);
    } while (join_jump(force));
    fill_missing();
}

template <class Record>
void Timeline::Impl::drain(RecordFeed<Record>& feed) {
    while (!feed.waiting.empty()) {
        const Record record = feed.waiting.front();
        const bool void_record = is_void(feed, record);
        if (!void_record && feed.jumps(record, session_)) return;
        feed.waiting.pop_front();
        if (void_record) {
            count_void(record);
        } else {
            take(feed, record);
        }
    }
}

template <class Record>
void Timeline::Impl::take(RecordFeed<Record>& feed, const Record& record) {
    auto& track = track_of(record);
    const std::int64_t late_ns = track.end_ns() - track.pts_to_ns(record.pts_ns);
    const bool on_another_clock = late_ns > kFarNs || late_ns < -kFarNs;
    const bool counted_too_low = feed.filling && !record.explicit_pts && late_ns > kLateNs;
    // After a flush the counts of the two tracks need not agree: one may have been pushed far ahead.
    const bool counted_apart = feed.recounts && !record.explicit_pts && (late_ns > kLateNs || late_ns < -kLateNs);
    if (on_another_clock || counted_apart || (counted_too_low && !is_clocked())) {
        join_at_end(record);
    } else if (feed.filling && is_clocked()) {
        rejoin(record);
    }
    if (stall_held_ticks_ > 0) give_back_hold(record);
    place(record, feed.filling);

    if (!feed.seen) feed.first_capture_ns = record.capture_time_ns;
    feed.last_capture_ns = record.capture_time_ns;
    feed.end_ns = track.end_ns();
    feed.previous = record;
    feed.seen = feed.continues = true;
    feed.recounts = false;
    feed.came = true;
    playing_out_ = false;
    feed.arrived_ns = arrival_of(record.capture_time_ns);
    // One that came too late to have a place leaves the track as missing as it was.
    feed.filling = feed.filling && is_clocked() && track.last_id() != record.id;
}

void Timeline::Impl::place(const VideoRecord& record, bool was_filled) {
    const std::int64_t hole_ns = video_.pts_to_ns(record.pts_ns) - video_.end_ns();
    video_.place(record, !was_filled && hole_ns <= options_.track_wait_ns);
}

// ---- Output ----

// With `shortest` a tick is safe once the sound reaches at least its middle: the end can then not fall before it.
bool Timeline::Impl::video_may_leave(std::int64_t tick) const {
    if (!options_.shortest || finishing_ || video_.held() > options_.most_held_pictures) return true;
    return grid_.nearest_tick(audio_.end_sample()) > tick;
}

/// True when the picture in front could have left long ago: the encoder cannot follow.
bool Timeline::Impl::is_overdue() const {
    if (options_.lag_limit_ns == 0 || !now_ns_ || finishing_ || counters_.frames == 0) return false;
    const std::int64_t due_ns = is_clocked() ? origin_ns_ + grid_.tick_to_ns(video_.popped_tick()) : INT64_MIN;
    // What is filled in is late by nature.
    if (!video_.front_is_fresh()) return is_clocked() && *now_ns_ - due_ns > options_.lag_limit_ns + kSecondNs;
    return *now_ns_ - std::max(video_.front_capture_ns(), due_ns) > options_.lag_limit_ns;
}

/// Sound leaves up to the end of the tick that is due, and not before its picture as long as that comes: what has left
/// cannot be held with it any more.
std::int64_t Timeline::Impl::sound_limit() const {
    if (finishing_) return kNoLimit;
    const std::int64_t picture_end = grid_.tick_to_sample(video_.end_tick());
    if (options_.shortest || (is_clocked() && comes(video_feed_))) {
        return is_clocked() ? std::min(picture_end, grid_.tick_to_sample(due_tick() + 1)) : picture_end;
    }
    return is_clocked() ? grid_.tick_to_sample(due_tick() + 1) : kNoLimit;
}

std::optional<Operation> Timeline::Impl::pop() {
    current_audio_id_.reset();
    if (ended_) return std::nullopt;
    const std::int64_t due = is_clocked() ? due_tick() : kNoLimit;
    const std::int64_t limit_sample = sound_limit();
    const std::int64_t tick = video_.front_tick().value_or(kNoLimit);
    const std::int64_t sample = audio_.front_sample().value_or(kNoLimit);
    const bool video_ready = tick != kNoLimit && tick <= due && video_may_leave(tick);
    const bool audio_ready = audio_.can_pop(limit_sample);

    if (video_ready && (!audio_ready || grid_.tick_not_after(tick, sample))) {
        if (!is_overdue()) return pop_video();
        static_cast<void>(video_.pop());
        video_.count_drop();
        return pop();
    }
    if (audio_ready) return pop_audio(limit_sample);
    if (!finishing_) return std::nullopt;
    ended_ = true;
    const auto samples = static_cast<std::uint64_t>(end_.samples);
    if (samples > counters_.samples) counters_.silence_samples += samples - counters_.samples;
    counters_.samples = samples;
    return end_;
}

Operation Timeline::Impl::pop_video() {
    const EmitFrame frame = video_.pop();
    ++counters_.frames;
    if (frame.kind != FrameKind::fresh) ++counters_.repeated_frames;
    return frame;
}

Operation Timeline::Impl::pop_audio(std::int64_t limit_sample) {
    const std::int64_t before = audio_.popped_end();
    const Operation operation = audio_.pop(limit_sample);
    const auto samples = static_cast<std::uint64_t>(audio_.popped_end() - before);
    counters_.samples += samples;
    if (const auto* copy = std::get_if<CopySamples>(&operation)) {
        current_audio_id_ = copy->id;
    } else {
        counters_.silence_samples += samples;
    }
    return operation;
}

// ---- The facade ----

Timeline::Timeline(const TimelineOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Timeline::~Timeline() = default;
Timeline::Timeline(Timeline&&) noexcept = default;
Timeline& Timeline::operator=(Timeline&&) noexcept = default;

void Timeline::start_at(std::int64_t pts_ns) {
    impl_->start_at(pts_ns);
}
bool Timeline::on_video(const VideoRecord& record) {
    return impl_->on_video(record);
}
bool Timeline::on_audio(const AudioRecord& record) {
    return impl_->on_audio(record);
}
bool Timeline::wants_video(const VideoRecord& record) const {
    return impl_->wants_video(record);
}
void Timeline::tell_time(std::int64_t now_ns) {
    impl_->tell_time(now_ns);
}
void Timeline::advance(std::int64_t now_ns) {
    impl_->advance(now_ns);
}
void Timeline::flush(std::uint64_t video_id, std::uint64_t audio_id) {
    impl_->flush(video_id, audio_id);
}
std::optional<std::int64_t> Timeline::next_due_ns() const {
    return impl_->next_due_ns();
}
bool Timeline::is_full() const {
    return impl_->is_full();
}
bool Timeline::holds_media() const {
    return impl_->holds_media();
}
void Timeline::play_out(bool holds_afterwards) {
    impl_->play_out(holds_afterwards);
}
bool Timeline::is_stalled() const {
    return impl_->is_stalled();
}
bool Timeline::gave_up() const {
    return impl_->gave_up();
}
void Timeline::finish() {
    impl_->finish();
}
void Timeline::stop() {
    impl_->stop();
}
std::optional<Operation> Timeline::pop() {
    return impl_->pop();
}
std::uint64_t Timeline::video_needed_from() const {
    return impl_->video_needed_from();
}
std::uint64_t Timeline::audio_needed_from() const {
    return impl_->audio_needed_from();
}
TimelineCounters Timeline::counters() const {
    return impl_->counters();
}
bool Timeline::started() const {
    return impl_->started();
}
bool Timeline::ended() const {
    return impl_->ended();
}
std::int64_t Timeline::output_end_ns(Track track) const {
    return impl_->output_end_ns(track);
}

}  // namespace ringcast::runtime
