// SPDX-License-Identifier: Apache-2.0
/// The presentation clock: what is filled in when nothing comes, and what becomes of a track that comes late.
#include <utility>

#include "runtime/timeline_impl.hpp"

namespace ringcast::runtime {
namespace {

/// A track that is late for so long without a break is late, or missing, and not merely jittering.
constexpr std::int64_t kLateInARowNs = 500 * kMillisecondNs;
/// How far silence may be moved to a place where the sound is quiet.
constexpr std::int64_t kQuietReachNs = 200 * kMillisecondNs;

}  // namespace

/// In output time. Capture times are outside data.
std::int64_t Timeline::Impl::arrival_of(std::int64_t capture_time_ns) const {
    const std::int64_t now = out_now();
    return std::clamp(capture_time_ns - origin_ns_, now, now + kSecondNs);
}

void Timeline::Impl::advance(std::int64_t now_ns) {
    tell_time(now_ns);
    if (!is_clocked() || gave_up_) return;
    const std::int64_t now = out_now();
    const std::int64_t video_behind = now - video_.end_ns() - picture_rest_ns();
    const std::int64_t audio_behind = now - audio_.end_ns() - grid_.sample_to_ns(audio_.held_later());
    if (playing_out_) {
        stalled_since_ns_.reset();
    } else if (is_stall(video_behind, audio_behind)) {
        extend_stall(comes(video_feed_) || !comes(audio_feed_));
    } else {
        stalled_since_ns_.reset();
        watch_lateness(video_feed_, video_behind);
        watch_lateness(audio_feed_, audio_behind);
    }
    fill_on_clock();
}

/// A missing track; when nothing follows, no further than what is still held of the other.
void Timeline::Impl::fill_on_clock() {
    // No less behind than counts as late: when both are missing, that is a stall.
    const std::int64_t until_ns = out_now() - std::max(kFillMarginNs, tolerance_ns());
    const std::int64_t picture_until = playing_out_ ? std::min(until_ns, audio_.end_ns()) : until_ns;
    const std::int64_t sound_until = playing_out_ ? std::min(until_ns, video_.end_ns()) : until_ns;
    if (is_to_fill(video_feed_, audio_feed_)) video_.fill_to(grid_.ns_to_tick_floor(picture_until));
    if (is_to_fill(audio_feed_, video_feed_)) audio_.fill_to(grid_.ns_to_sample(sound_until));
}

// ---- Stalls: nothing comes ----

/// The sound may be there and yet have to wait: when it was given ahead of time, nothing is lost by holding it, and it
/// stays with its picture. Sound that is on time goes on without the picture (watch_lateness() sees to that).
bool Timeline::Impl::is_stall(std::int64_t video_behind_ns, std::int64_t audio_behind_ns) {
    const bool audio_is_early = -audio_behind_ns - counters_.delay_ns > tolerance_ns();
    const bool video_late = video_behind_ns > tolerance_ns();
    const bool audio_late = audio_behind_ns > tolerance_ns();
    if (stalled_since_ns_ && !is_over(audio_is_early)) {
        const bool timed_out = out_now() - *stalled_since_ns_ >= options_.stall_timeout_ns;
        // The picture alone has died: the sound goes on.
        if (timed_out && audio_is_early && comes(audio_feed_)) video_feed_.filling = true;
        return !video_feed_.filling || !audio_is_early;
    }
    if (comes(video_feed_) && comes(audio_feed_)) return video_late && (audio_late || audio_is_early);
    if (comes(video_feed_)) return video_late;
    if (comes(audio_feed_)) return audio_late;
    return video_late && audio_late;
}

/// Whether what was missed has come.
bool Timeline::Impl::is_over(bool audio_is_early) const {
    if (comes(video_feed_)) {
        return video_feed_.came || (comes(audio_feed_) && audio_feed_.came && !audio_is_early);
    }
    return audio_feed_.came || video_feed_.came;
}

void Timeline::Impl::extend_stall(bool by_video) {
    const std::int64_t target = due_tick() + 1;
    const std::int64_t end = by_video ? video_.end_tick() : grid_.nearest_tick(audio_.end_sample());
    if (!stalled_since_ns_) {
        stalled_since_ns_ = grid_.tick_to_ns(end);
        silence_end_ = stall_held_ticks_ = 0;
        video_feed_.came = audio_feed_.came = false;
        ++counters_.stalls;
    }
    if (out_now() - *stalled_since_ns_ >= options_.stall_timeout_ns) {
        if (options_.stall_show == StallShow::slate) video_.set_fill(FrameKind::stall_slate);
        gave_up_ = options_.stall_show == StallShow::stop;
    }
    if (end >= target || gave_up_) return;
    hold(target - end, std::nullopt);
    stall_held_ticks_ += target - end;
}

/// Explicit pts that went on during a stall bring it along as a gap: what was held already is not filled once more.
template <class Record>
void Timeline::Impl::give_back_hold(const Record& record) {
    const std::int64_t held = std::exchange(stall_held_ticks_, 0);
    const std::int64_t gap_ns = track_of(record).pts_to_ns(record.pts_ns) - std::max(video_.end_ns(), audio_.end_ns());
    if (!record.explicit_pts || gap_ns <= 0) return;
    const std::int64_t ticks = std::min(held, grid_.ns_to_tick_floor(gap_ns));
    const std::int64_t samples = grid_.tick_to_sample(shifted_ticks_) - grid_.tick_to_sample(shifted_ticks_ - ticks);
    shifted_ticks_ -= ticks;
    counters_.shifted_ns = grid_.tick_to_ns(shifted_ticks_);
    video_.shift(-ticks);
    audio_.shift(-samples);
}

template void Timeline::Impl::give_back_hold(const VideoRecord& record);
template void Timeline::Impl::give_back_hold(const AudioRecord& record);

/// Both tracks by one amount, counted in ticks, so that no rounding of samples ever adds up. The track that is filled
/// in already needs no more of it than a new place for what comes.
void Timeline::Impl::hold(std::int64_t ticks, std::optional<Track> only_shifted) {
    const std::int64_t samples = grid_.tick_to_sample(shifted_ticks_ + ticks) - grid_.tick_to_sample(shifted_ticks_);
    shifted_ticks_ += ticks;
    counters_.shifted_ns = grid_.tick_to_ns(shifted_ticks_);
    const std::int64_t picture_place = video_.popped_tick();
    if (only_shifted == Track::video) {
        video_.shift(ticks);
    } else {
        video_.hold(ticks);
    }
    if (only_shifted == Track::audio) {
        audio_.shift(samples);
        return;
    }
    const std::int64_t from = std::max(audio_.popped_end(), grid_.tick_to_sample(picture_place));
    const bool goes_on = stalled_since_ns_ && silence_end_ >= from;
    const std::int64_t place =
        goes_on ? silence_end_ : audio_.quiet_place(from, from + grid_.ns_to_sample(kQuietReachNs));
    if (!stalled_since_ns_ && place > audio_.end_sample()) {
        audio_.hold_later(place, samples);
    } else {
        silence_end_ = audio_.hold(place, samples);
    }
}

// ---- One track late, or missing ----

template <class Record>
void Timeline::Impl::watch_lateness(RecordFeed<Record>& feed, std::int64_t behind_ns) {
    if (!feed.seen || feed.filling || behind_ns <= tolerance_ns()) {
        feed.late_since_ns.reset();
        feed.most_late_ns = 0;
        return;
    }
    const std::int64_t now = out_now();
    if (!feed.late_since_ns) feed.late_since_ns = now;
    feed.most_late_ns = std::max(feed.most_late_ns, behind_ns);
    if (now - *feed.late_since_ns < kLateInARowNs) return;
    const bool comes = now - feed.arrived_ns < kLateInARowNs;
    feed.filling = !comes || !grow_delay(feed.most_late_ns, std::nullopt);
    feed.late_since_ns.reset();
    feed.most_late_ns = 0;
}

bool Timeline::Impl::grow_delay(std::int64_t late_ns, std::optional<Track> only_shifted) {
    if (late_ns > options_.most_delay_ns - counters_.delay_ns) return false;
    const std::int64_t ticks = grid_.ns_to_tick_floor(late_ns - 1) + 1;
    counters_.delay_ns += grid_.tick_to_ns(ticks);
    hold(ticks, only_shifted);
    return true;
}

template <class Missing, class Other>
bool Timeline::Impl::is_to_fill(RecordFeed<Missing>& missing, const RecordFeed<Other>& other) const {
    if (!missing.seen && other.seen && out_now() - session_start_ns_ >= options_.track_wait_ns) missing.filling = true;
    return missing.filling;
}

/// Pictures that come back late: the sound waits for them once, or, when it has waited enough, they go on at now: a
/// frozen picture is worse than one that is out of step.
void Timeline::Impl::rejoin(const VideoRecord& record) {
    const std::int64_t arrival = arrival_of(record.capture_time_ns);
    const std::int64_t late_ns = arrival - video_.pts_to_ns(record.pts_ns);
    if (late_ns <= tolerance_ns() || (audio_feed_.seen && !audio_feed_.filling && grow_delay(late_ns, Track::video))) {
        return;
    }
    video_.join(std::max(video_.end_tick(), grid_.ns_to_tick_floor(arrival)), record.pts_ns);
}

/// Sound that comes back late. Counted pts only say that nothing was pushed for a while: it goes on at now, and the
/// picture is left alone. Explicit pts are believed: the picture waits for it once; beyond that it has no place.
void Timeline::Impl::rejoin(const AudioRecord& record) {
    const std::int64_t arrival = arrival_of(record.capture_time_ns);
    const std::int64_t late_ns = arrival - audio_.pts_to_ns(record.pts_ns);
    if (!record.explicit_pts && late_ns > kLateNs) {
        audio_.join(std::max(audio_.end_sample(), grid_.ns_to_sample(arrival)), record.pts_ns);
    } else if (late_ns > tolerance_ns() && video_feed_.seen && !video_feed_.filling) {
        static_cast<void>(grow_delay(late_ns, Track::audio));
    }
}

}  // namespace ringcast::runtime
