// SPDX-License-Identifier: Apache-2.0
#include "file/recording.hpp"

#include <algorithm>
#include <utility>

#include "mux/formats.hpp"
#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

constexpr AVRational kMillisecond{1, 1000};
constexpr AVRational kFragmentLength{1, 1};  // seconds: what a kill -9 can cost

constexpr AVRational kMicrosecond{1, 1'000'000};

std::int64_t first_shift_us(Container container, std::span<const ringcast_sink_stream* const> streams) {
    // Only mp4 can hide the encoder's lead-in, which lies before 0. The time of MPEG-TS runs on from file to file.
    if (container == Container::ts) return kTsShiftUs;
    std::int64_t lead_in_us = 0;
    for (const ringcast_sink_stream* stream : streams) {
        if (container == Container::mp4 || stream->initial_padding == 0) continue;
        const AVRational sample{1, static_cast<int>(stream->sample_rate)};
        lead_in_us =
            std::max(lead_in_us, av_rescale_q_rnd(stream->initial_padding, sample, {1, AV_TIME_BASE}, AV_ROUND_UP));
    }
    return lead_in_us;
}

bool is_key(const ringcast_sink_packet& packet) {
    return (packet.flags & RINGCAST_SINK_PACKET_KEY) != 0;
}

}  // namespace

Recording::Recording(const Settings& settings, std::span<const ringcast_sink_stream* const> streams,
                     RecordingFiles& files)
    : settings_(settings), files_(files), lead_stream_(lead_stream_of(streams)) {
    for (const ringcast_sink_stream* stream : streams) {
        const AVRational timebase{static_cast<int>(stream->timebase_num), static_cast<int>(stream->timebase_den)};
        streams_.push_back({*stream, {stream->extradata, stream->extradata + stream->extradata_size}, timebase});
        streams_.back().description.extradata = streams_.back().extradata.data();
    }
    shift_us_ = first_shift_us(settings.container, streams);
    // Before the file: a recording that cannot be leaves none.
    check_codecs(recording_format(settings.container).name, streams);
    open_file();
    try {
        open_muxer();
    } catch (...) {
        out_.file->remove();
        throw;
    }
}

void Recording::open_file() {
    out_.file = files_.next_file();
    part_ = {};
}

void Recording::open_muxer() {
    std::vector<const ringcast_sink_stream*> descriptions;
    for (const Stream& stream : streams_)
        descriptions.push_back(&stream.description);
    muxer_ = std::make_unique<Muxer>(recording_format(settings_.container), descriptions, out_);
}

void Recording::packet(const ringcast_sink_packet& packet) {
    if (packet.stream >= streams_.size()) {
        throw SinkError(RINGCAST_SINK_E_INTERNAL, "packet of stream " + std::to_string(packet.stream) +
                                                      ", but headers() named only " + std::to_string(streams_.size()));
    }
    try {
        take(packet);
    } catch (const SinkError& error) {
        if (error.code() == RINGCAST_SINK_E_STORAGE) save_after_failure();
        throw;
    }
}

void Recording::take(const ringcast_sink_packet& packet) {
    const bool lead = is_lead(packet);
    if (lead && !cut_pts_ && is_key(packet) && is_due(packet)) {
        cut_pts_ = packet.pts;
        cut_dts_ = packet.dts;
    }
    const bool sound_waits = settings_.split.is_set() && streams_.size() > 1;
    // Whether a packet of sound is the last one of its file shows with what follows it.
    if (!lead || cut_pts_) release_newest();
    if (sound_waits && (!lead || !newest_.empty())) {
        newest_.emplace_back(packet);
    } else {
        route(packet);
    }
}

void Recording::release_newest() {
    for (const HeldPacket& held : std::exchange(newest_, {}))
        route(held.packet);
}

void Recording::route(const ringcast_sink_packet& packet) {
    const bool belongs_after_cut = cut_pts_ && is_lead(packet) && packet.dts >= cut_dts_;
    if (cut_pts_ && seam_is_complete(packet)) cut();
    if (cut_pts_ && belongs_after_cut) {
        held_.emplace_back(packet);
    } else {
        write(packet);
    }
}

bool Recording::is_due(const ringcast_sink_packet& key) const {
    if (!part_.first_pts || !settings_.split.is_set()) return false;
    const SplitLimit& limit = settings_.split;
    const bool long_enough =
        av_compare_ts(key.pts - *part_.first_pts, lead().timebase, limit.time.count(), kMillisecond) >= 0;
    if (limit.time.count() > 0 && long_enough) return true;
    // One more GOP like the largest so far would make the file larger than was asked for.
    const std::uint64_t gop = std::max(part_.largest_gop, part_.bytes - part_.bytes_at_key);
    const std::uint64_t written = std::max(part_.bytes, static_cast<std::uint64_t>(out_.file->size()));
    return limit.bytes > 0 && written + gop > limit.bytes;
}

/// Packets come in the order of their dts. With B-frames a keyframe's dts lies before its pts, and sound that belongs
/// before the cut comes after it.
bool Recording::seam_is_complete(const ringcast_sink_packet& packet) const {
    const AVRational timebase = streams_[packet.stream].timebase;
    if (!is_lead(packet)) return av_compare_ts(packet.pts, timebase, *cut_pts_, lead().timebase) >= 0;
    if (packet.dts < cut_dts_) return false;
    const bool all_sound_came = streams_.size() < 2 || cut_dts_ >= *cut_pts_;
    return all_sound_came || av_compare_ts(packet.dts - *cut_pts_, timebase, kSeamPatience.count(), kMicrosecond) >= 0;
}

void Recording::write(const ringcast_sink_packet& packet) {
    const Stream& stream = streams_[packet.stream];
    ringcast_sink_packet moved = packet;
    if (is_lead(packet)) {
        note_lead(packet);
    } else if (cut_pts_) {
        const std::int64_t cut = av_rescale_q(*cut_pts_, lead().timebase, stream.timebase);
        moved.duration = std::clamp<std::int64_t>(cut - packet.pts, 1, packet.duration);
    }
    moved.pts -= stream.origin;
    moved.dts -= stream.origin;
    muxer_->write(moved, shift_us_);
    part_.bytes += packet.data_size;
    if (is_whole_after_each_packet(settings_.container)) mark_whole();
}

void Recording::note_lead(const ringcast_sink_packet& packet) {
    if (!part_.first_pts) {
        part_.first_pts = packet.pts;
        part_.fragment_dts = packet.dts;
    }
    if (is_key(packet)) {
        part_.largest_gop = std::max(part_.largest_gop, part_.bytes - part_.bytes_at_key);
        part_.bytes_at_key = part_.bytes;
    }
    start_fragment_when_due(packet);
    part_.end_pts = std::max(part_.end_pts, packet.pts + packet.duration);
}

void Recording::start_fragment_when_due(const ringcast_sink_packet& packet) {
    if (av_compare_ts(packet.dts - part_.fragment_dts, lead().timebase, 1, kFragmentLength) < 0) return;
    // The first flush of a delayed moov writes the moov alone, and the fragment stays behind.
    if (settings_.container == Container::mp4 && part_.first_fragment) muxer_->flush();
    muxer_->flush();
    mark_whole();
    out_.file->start_writeback();
    part_.first_fragment = false;
    part_.fragment_dts = packet.dts;
    files_.on_progress(length_to(part_.end_pts));
    check_space();
}

void Recording::check_space() {
    const std::uint64_t left = free_bytes(out_.file->path().parent_path());
    if (left >= settings_.min_free) return;
    const std::string path = out_.file->path();
    finish();
    throw SinkError(RINGCAST_SINK_E_STORAGE, path + ": only " + shown_bytes(left) +
                                                 " left on its disk, less than the " + shown_bytes(settings_.min_free) +
                                                 " of min_free=; stopped, and all of it plays: free some space or " +
                                                 "choose another path=, then start the sink again");
}

void Recording::mark_whole() {
    if (length_to(part_.end_pts).count() == 0) return;  // nothing yet that would be kept
    out_.file->mark_whole();
    part_.whole_pts = part_.end_pts;
}

std::chrono::milliseconds Recording::length_to(std::int64_t pts) const {
    if (!part_.first_pts || pts <= *part_.first_pts) return std::chrono::milliseconds(0);
    return std::chrono::milliseconds(av_rescale_q(pts - *part_.first_pts, lead().timebase, kMillisecond));
}

void Recording::cut() {
    const std::int64_t at = *std::exchange(cut_pts_, std::nullopt);
    const bool time_runs_on = settings_.container == Container::ts;
    if (time_runs_on) {
        muxer_->flush();
    } else {
        muxer_->finish();
        muxer_.reset();
        shift_us_ = 0;
        for (Stream& stream : streams_)
            stream.origin = av_rescale_q(at, lead().timebase, stream.timebase);
    }
    out_.file->mark_whole();
    close_file(false);
    open_file();
    if (time_runs_on) {
        muxer_->set_option("mpegts_flags", "+resend_headers");
    } else {
        open_muxer();
    }
    for (const HeldPacket& held : std::exchange(held_, {}))
        write(held.packet);
}

void Recording::finish() {
    if (!out_.file) return;
    try {
        release_newest();
        if (cut_pts_) cut();
        if (!part_.first_pts) {
            muxer_.reset();
            std::exchange(out_.file, nullptr)->remove();
            return;
        }
        muxer_->finish();
        out_.file->mark_whole();
    } catch (const SinkError& error) {
        if (error.code() == RINGCAST_SINK_E_STORAGE) save_after_failure();
        throw;
    }
    close_file(false);
}

void Recording::close_file(bool torn) {
    const std::int64_t end = torn ? part_.whole_pts : part_.end_pts;
    files_.on_closed(std::exchange(out_.file, nullptr), length_to(end), torn);
}

/// What cannot be written any more is taken back, so that the rest plays.
void Recording::save_after_failure() noexcept {
    muxer_.reset();
    newest_.clear();
    if (!out_.file) return;
    if (out_.file->whole_size() == 0 || length_to(part_.whole_pts).count() == 0) {
        files_.on_nothing_whole(std::exchange(out_.file, nullptr));
        return;
    }
    out_.file->truncate_to_whole();
    close_file(true);
}

}  // namespace ringcast::sink
