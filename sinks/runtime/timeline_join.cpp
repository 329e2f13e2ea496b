// SPDX-License-Identifier: Apache-2.0
/// Where records do not simply go on: new sessions, pts set back, a missing track, the end.
#include "runtime/timeline_impl.hpp"

namespace ringcast::runtime {
namespace {

/// How long one track that was set back waits for the other to be set back, too, in its own media time.
constexpr std::int64_t kBackwardWaitNs = 200 * kMillisecondNs;
/// A track set back alone takes the other's shift when that leaves a hole no longer than this.
constexpr std::int64_t kAdoptNs = kSecondNs;
/// At most this many records wait at a jump, whatever their pts say.
constexpr std::size_t kMaxWaiting = 256;

}  // namespace

// ---- Jumps: new sessions, pts set back ----

template <class Record>
std::optional<Timeline::Impl::Jump> Timeline::Impl::jump_of(const RecordFeed<Record>& feed) {
    if (feed.waiting.empty()) return std::nullopt;
    const Record& first = feed.waiting.front();
    return Jump{first.session, first.pts_ns, feed.waiting_span_ns(), feed.waiting.size() >= kMaxWaiting};
}

// Only called when both feeds are drained up to a jump: whatever still waits, waits at one.
bool Timeline::Impl::join_jump(bool force) {
    const auto video = jump_of(video_feed_);
    const auto audio = jump_of(audio_feed_);
    if (video && audio) {
        if (video->session == audio->session) {
            return join_both(video->session, std::min(video->pts_ns, audio->pts_ns));
        }
        // One is set back within the session that the other is about to leave: first things first.
        if (video->session == session_) return join_alone(Track::video, video->pts_ns);
        if (audio->session == session_) return join_alone(Track::audio, audio->pts_ns);
        return join_both(video->session, video->pts_ns);
    }
    if (video) return join_one(Track::video, *video, force);
    if (audio) return join_one(Track::audio, *audio, force);
    return false;
}

bool Timeline::Impl::join_one(Track track, const Jump& jump, bool force) {
    const bool other_absent =
        track == Track::video ? !audio_feed_.seen || audio_feed_.filling : !video_feed_.seen || video_feed_.filling;
    const bool new_session = jump.session != session_;
    const bool both = new_session || other_absent || is_cut(track);
    // Live, every moment of waiting here is one of a frozen picture.
    const std::int64_t wait_ns = new_session && !options_.fill ? options_.track_wait_ns : kBackwardWaitNs;
    if (!force && !other_absent && !jump.crowded && jump.waited_ns < wait_ns) return false;
    if (both) return join_both(jump.session, jump.pts_ns);
    return join_alone(track, jump.pts_ns);
}

// One common shift: what was sent ends at a whole tick, both tracks are padded to it, and `pts_ns` stands there in
// both.
bool Timeline::Impl::join_both(std::uint64_t session, std::int64_t pts_ns) {
    // What a dead producer gave ahead of time would be played to a frozen picture.
    if (is_clocked() && session != session_) {
        audio_.cut_to(std::max(audio_.popped_end(), grid_.tick_to_sample(std::max(video_.end_tick(), due_tick()))));
    }
    const std::int64_t tick = std::max(video_.nominal_end(), grid_.first_tick_from(audio_.end_sample()));
    video_.join(tick, pts_ns);
    audio_.join(grid_.tick_to_sample(tick), pts_ns);
    if (session != session_) retired_ = session_;
    session_ = session;
    session_start_ns_ = grid_.tick_to_ns(tick);
    video_feed_.recounts = video_feed_.cut;
    audio_feed_.recounts = audio_feed_.cut;
    restart(video_feed_);
    restart(audio_feed_);
    counters_.delay_ns = stall_held_ticks_ = 0;
    ++counters_.rebases;
    return true;
}

void Timeline::Impl::flush(std::uint64_t video_id, std::uint64_t audio_id) {
    video_feed_.void_before = std::max(video_feed_.void_before, video_id);
    audio_feed_.void_before = std::max(audio_feed_.void_before, audio_id);
    if (!started_ || finishing_) return;
    video_.void_queued();
    audio_.void_queued();
    video_feed_.cut = audio_feed_.cut = true;
    settle(false);
}

// The other track goes on as it did: it was not set back (or was, alone, before: then its shift is taken if it fits).
bool Timeline::Impl::join_alone(Track track, std::int64_t pts_ns) {
    const bool is_video = track == Track::video;
    const std::int64_t end_ns = is_video ? video_.end_ns() : audio_.end_ns();
    const std::int64_t others_pts_ns = is_video ? audio_.pts_at(end_ns) : video_.pts_at(end_ns);
    const std::int64_t hole_ns = pts_ns - others_pts_ns;
    const std::int64_t joined_pts_ns = hole_ns >= -kLateNs && hole_ns <= kAdoptNs ? others_pts_ns : pts_ns;
    if (is_video) {
        video_.join(video_.end_tick(), joined_pts_ns);
        video_feed_.continues = video_feed_.cut = false;
    } else {
        audio_.join(audio_.end_sample(), joined_pts_ns);
        audio_feed_.continues = audio_feed_.cut = false;
    }
    ++counters_.rebases;
    return true;
}

template <class Record>
void Timeline::Impl::restart(RecordFeed<Record>& feed) {
    feed.seen = feed.continues = feed.filling = feed.cut = false;
    feed.late_since_ns.reset();
}

// ---- A missing track ----

template <class Missing, class Other>
std::optional<std::int64_t> Timeline::Impl::fill_target(RecordFeed<Missing>& missing, const RecordFeed<Other>& other,
                                                        std::int64_t other_end_ns) const {
    if (!other.seen) return std::nullopt;
    const std::int64_t since_ns = missing.seen ? missing.end_ns : session_start_ns_;
    const std::int64_t since_capture_ns = missing.seen ? missing.last_capture_ns : other.first_capture_ns;
    const std::int64_t progress_ns = std::min(other_end_ns - since_ns, newest_capture_ns_ - since_capture_ns);
    if (progress_ns >= (missing.seen ? options_.pause_wait_ns : options_.track_wait_ns)) missing.filling = true;
    if (!missing.filling) return std::nullopt;
    return since_ns + progress_ns - kFillMarginNs;
}

void Timeline::Impl::fill_missing() {
    if (is_clocked()) return;  // advance() sees to it
    if (const auto target = fill_target(video_feed_, audio_feed_, audio_.end_ns())) {
        video_.fill_to(grid_.ns_to_tick_floor(*target));
    }
    if (const auto target = fill_target(audio_feed_, video_feed_, video_.end_ns())) {
        audio_.fill_to(grid_.ns_to_sample(*target));
    }
}

// ---- The end ----

void Timeline::Impl::finish() {
    if (finishing_) return;
    settle(true);
    finishing_ = true;
    if (options_.shortest && video_.has_picture() && audio_.has_input()) {
        cut_to_shortest();
    } else {
        pad_to_longest();
    }
}

/// Sound that was given ahead would play to a frozen picture.
void Timeline::Impl::stop() {
    if (!video_.has_picture() || options_.shortest) return finish();
    if (finishing_) return;
    settle(true);
    finishing_ = true;
    const std::int64_t tick = std::max(video_.nominal_end(), video_.popped_tick());
    const std::int64_t sample = grid_.tick_to_sample(tick);
    video_.fill_to(tick);
    audio_.cut_to(sample);
    audio_.fill_to(sample);
    end_ = {tick, sample};
}

void Timeline::Impl::pad_to_longest() {
    const std::int64_t sound_end = audio_.end_sample();
    const std::int64_t picture_end = video_.has_picture() ? video_.nominal_end() : video_.end_tick();
    const std::int64_t tick = std::max(picture_end, grid_.nearest_tick(sound_end));
    const std::int64_t sample = std::max(sound_end, grid_.tick_to_sample(tick));
    video_.fill_to(tick);
    audio_.fill_to(sample);
    end_ = {tick, sample};
}

void Timeline::Impl::cut_to_shortest() {
    const std::int64_t sound_end = audio_.end_sample();
    // What has left cannot be cut: pictures did so before their sound when too many of them were held.
    const std::int64_t sent = video_.popped_tick();
    const std::int64_t tick = std::max(sent, std::min(video_.nominal_end(), grid_.nearest_tick(sound_end)));
    const bool sound_is_longer = tick == video_.nominal_end();
    const std::int64_t tick_sample = grid_.tick_to_sample(tick);
    const std::int64_t sample = sound_is_longer ? tick_sample : std::max(sound_end, tick_sample);
    video_.cut_to(tick);
    video_.fill_to(tick);
    audio_.cut_to(sample);
    audio_.fill_to(sample);
    end_ = {tick, sample};
}

}  // namespace ringcast::runtime
