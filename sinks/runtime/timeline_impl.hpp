// SPDX-License-Identifier: Apache-2.0
/// Inside of the timeline; only its .cpp files include this.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "runtime/audio_track.hpp"
#include "runtime/media_time.hpp"
#include "runtime/record_feed.hpp"
#include "runtime/timeline.hpp"
#include "runtime/video_track.hpp"

namespace ringcast::runtime {

/// A track that comes back after it was filled in: up to this late its late part is trimmed and sync kept; counted pts
/// that are further behind only say that nothing was pushed for a while, and go to the present end.
inline constexpr std::int64_t kLateNs = 500 * kMillisecondNs;

/// Beyond two frame times: what a source on time is late by (scheduling, blocks of sound).
inline constexpr std::int64_t kToleranceNs = 40 * kMillisecondNs;
/// The fill of a missing track stays this far behind the other, so that a track that joins on time loses nothing.
inline constexpr std::int64_t kFillMarginNs = 200 * kMillisecondNs;

class Timeline::Impl {
public:
    explicit Impl(const TimelineOptions& options)
        : options_(options), grid_(options.fps, options.rate), video_(grid_), audio_(grid_) {}

    void start_at(std::int64_t pts_ns) { start_pts_ns_ = saturate(pts_ns); }

    bool on_video(const VideoRecord& record);
    bool on_audio(const AudioRecord& record);
    [[nodiscard]] bool wants_video(VideoRecord record) const {
        record.pts_ns = saturate(record.pts_ns);
        if (finishing_ || is_void(video_feed_, record)) return false;
        const bool settled = started_ && video_feed_.seen && !video_feed_.filling && video_feed_.waiting.empty();
        return !settled || video_feed_.jumps(record, session_) || video_.has_place(record);
    }

    void tell_time(std::int64_t now_ns) { now_ns_ = std::max(now_ns_.value_or(INT64_MIN), saturate(now_ns)); }
    void advance(std::int64_t now_ns);
    void flush(std::uint64_t video_id, std::uint64_t audio_id);
    void finish();
    void stop();
    std::optional<Operation> pop();

    [[nodiscard]] std::optional<std::int64_t> next_due_ns() const {
        if (!is_clocked() || gave_up_) return std::nullopt;
        return origin_ns_ + grid_.tick_to_ns(due_tick() + 1) + 1;  // a tick that was rounded down is not due yet
    }
    [[nodiscard]] bool is_full() const { return options_.fill && video_.held() >= options_.most_held_pictures; }
    [[nodiscard]] bool holds_media() const { return video_.front_tick() || audio_.front_sample(); }
    void play_out(bool holds_afterwards) {
        if (!is_clocked()) return;
        video_feed_.filling = audio_feed_.filling = true;
        playing_out_ = holds_media() || !holds_afterwards;
    }
    [[nodiscard]] bool is_stalled() const { return stalled_since_ns_.has_value(); }
    [[nodiscard]] bool gave_up() const { return gave_up_; }

    [[nodiscard]] std::uint64_t video_needed_from() const { return video_.needed_from(); }
    [[nodiscard]] std::uint64_t audio_needed_from() const {
        if (current_audio_id_) return *current_audio_id_;
        if (const auto queued = audio_.first_id()) return *queued;
        return audio_feed_.waiting.empty() ? next_audio_id_ : audio_feed_.waiting.front().id;
    }
    [[nodiscard]] TimelineCounters counters() const {
        TimelineCounters counters = counters_;
        counters.dropped_frames = video_.dropped();
        counters.trimmed_samples = audio_.trimmed();
        counters.late_samples = audio_.late();
        return counters;
    }
    [[nodiscard]] bool started() const { return started_; }
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] std::int64_t output_end_ns(Track track) const {
        return track == Track::video ? grid_.tick_to_ns(video_.popped_tick())
                                     : grid_.sample_to_ns(static_cast<std::int64_t>(counters_.samples));
    }

private:
    struct Jump {
        std::uint64_t session;
        std::int64_t pts_ns;
        Int128 waited_ns;
        bool crowded;
    };

    // Input.
    template <class Record>
    void accept(RecordFeed<Record>& feed, Record record);
    template <class Record>
    void drain(RecordFeed<Record>& feed);
    template <class Record>
    void take(RecordFeed<Record>& feed, const Record& record);
    template <class Record>
    [[nodiscard]] bool is_void(const RecordFeed<Record>& feed, const Record& record) const {
        return (retired_ && record.session == *retired_) || record.id < feed.void_before;
    }
    void settle(bool force);
    void begin(std::uint64_t session, std::int64_t pts_ns, std::int64_t capture_time_ns);

    // Jumps.
    template <class Record>
    static std::optional<Jump> jump_of(const RecordFeed<Record>& feed);
    bool join_jump(bool force);
    [[nodiscard]] bool is_cut(Track track) const { return track == Track::video ? video_feed_.cut : audio_feed_.cut; }
    bool join_one(Track track, const Jump& jump, bool force);
    bool join_both(std::uint64_t session, std::int64_t pts_ns);
    bool join_alone(Track track, std::int64_t pts_ns);
    template <class Record>
    static void restart(RecordFeed<Record>& feed);

    // A missing track.
    template <class Missing, class Other>
    std::optional<std::int64_t> fill_target(RecordFeed<Missing>& missing, const RecordFeed<Other>& other,
                                            std::int64_t other_end_ns) const;
    void fill_missing();

    // The presentation clock; output time 0 is due at origin_ns_.
    [[nodiscard]] bool is_clocked() const { return options_.fill && started_ && !finishing_ && now_ns_; }
    [[nodiscard]] std::int64_t out_now() const { return now_ns_.value_or(0) - origin_ns_; }
    [[nodiscard]] std::int64_t due_tick() const { return grid_.ns_to_tick_floor(out_now()); }
    [[nodiscard]] std::int64_t arrival_of(std::int64_t capture_time_ns) const;
    /// What the ticks of one picture last beyond its first, which is all that a track knows of it.
    [[nodiscard]] std::int64_t picture_rest_ns() const { return grid_.tick_to_ns(ticks_per_picture() - 1); }
    [[nodiscard]] std::int64_t tolerance_ns() const { return grid_.tick_to_ns(2 * ticks_per_picture()) + kToleranceNs; }
    [[nodiscard]] std::int64_t ticks_per_picture() const { return options_.ticks_per_picture; }
    template <class Record>
    [[nodiscard]] static bool comes(const RecordFeed<Record>& feed) {
        return feed.seen && !feed.filling;
    }
    [[nodiscard]] bool is_stall(std::int64_t video_behind_ns, std::int64_t audio_behind_ns);
    [[nodiscard]] bool is_over(bool audio_is_early) const;
    [[nodiscard]] std::int64_t sound_limit() const;
    void extend_stall(bool by_video);
    void fill_on_clock();
    void hold(std::int64_t ticks, std::optional<Track> only_shifted);
    bool grow_delay(std::int64_t late_ns, std::optional<Track> only_shifted);
    template <class Record>
    void give_back_hold(const Record& record);
    template <class Record>
    void watch_lateness(RecordFeed<Record>& feed, std::int64_t behind_ns);
    template <class Missing, class Other>
    bool is_to_fill(RecordFeed<Missing>& missing, const RecordFeed<Other>& other) const;
    void rejoin(const VideoRecord& record);
    void rejoin(const AudioRecord& record);
    [[nodiscard]] bool is_overdue() const;

    // The two tracks, by the type of record.
    VideoTrack& track_of(const VideoRecord&) { return video_; }
    AudioTrack& track_of(const AudioRecord&) { return audio_; }
    void place(const VideoRecord& record, bool was_filled);
    void place(const AudioRecord& record, bool) { audio_.place(record); }
    void join_at_end(const VideoRecord& record) { video_.join(video_.end_tick(), record.pts_ns); }
    void join_at_end(const AudioRecord& record) { audio_.join(audio_.end_sample(), record.pts_ns); }
    void count_void(const VideoRecord&) { video_.count_drop(); }
    void count_void(const AudioRecord& record) { audio_.count_trim(record.sample_count); }

    // Output.
    void cut_to_shortest();
    void pad_to_longest();
    Operation pop_video();
    Operation pop_audio(std::int64_t limit_sample);
    [[nodiscard]] bool video_may_leave(std::int64_t tick) const;

    TimelineOptions options_;
    OutputGrid grid_;
    VideoTrack video_;
    AudioTrack audio_;
    RecordFeed<VideoRecord> video_feed_;
    RecordFeed<AudioRecord> audio_feed_;

    std::optional<std::int64_t> start_pts_ns_;
    bool started_ = false;
    std::uint64_t session_ = 0;
    std::optional<std::uint64_t> retired_;  // the session before: its late records are void
    std::int64_t session_start_ns_ = 0;     // output time where the present session (or joined clock) begins
    std::int64_t newest_capture_ns_ = 0;

    std::optional<std::int64_t> now_ns_;
    std::int64_t origin_ns_ = 0;
    std::optional<std::int64_t> stalled_since_ns_;  // output time
    std::int64_t silence_end_ = 0;                  // of the present stall, output sample: where it is made longer
    std::int64_t stall_held_ticks_ = 0;             // by the last stall, until a record comes
    std::int64_t shifted_ticks_ = 0;
    bool playing_out_ = false;
    bool gave_up_ = false;

    bool finishing_ = false;
    bool ended_ = false;
    EndOutput end_;
    std::optional<std::uint64_t> current_audio_id_;
    std::uint64_t next_audio_id_ = 0;
    TimelineCounters counters_;
};

}  // namespace ringcast::runtime
