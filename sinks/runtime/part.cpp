// SPDX-License-Identifier: Apache-2.0
#include "runtime/part.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "ringcast/error.hpp"
#include "runtime/media_time.hpp"
#include "runtime/passed_video.hpp"

namespace ringcast::runtime {
namespace {

/// Of one track for the other in an offline rendering. What is encoded meanwhile waits in the interleaver.
constexpr std::int64_t kPatienceNs = 600 * kSecondNs;
constexpr std::size_t kMostPictureBytes = 256U << 20U;  // that wait for their sound with shortest=yes

constexpr std::int64_t kMostLagNs = 500 * kMillisecondNs;

StallShow stall_show(StallScreen::Kind kind) {
    if (kind == StallScreen::Kind::slate) return StallShow::slate;
    return kind == StallScreen::Kind::stop ? StallShow::stop : StallShow::hold;
}

/// Well before the ring would lap the reader; 0, never, for one who gets every record.
std::int64_t lag_limit(const SinkOptions& options, const OutputFormat& format) {
    if (options.is_lossless() || format.passed) return 0;  // without one packet those after it are worth nothing
    if (options.lag_limit) return options.lag_limit->count();
    return format.ring_ns > 0 ? std::min(kMostLagNs, format.ring_ns / 2) : kMostLagNs;
}

TimelineOptions timeline_options(const SinkOptions& options, const OutputFormat& format, std::size_t picture_bytes) {
    TimelineOptions timeline;
    timeline.fps = format.fps;
    timeline.rate = options.audio.rate;
    timeline.shortest = options.shortest;
    timeline.most_held_pictures = most_held_pictures(picture_bytes);
    timeline.track_wait_ns = options.track_wait.count();
    timeline.fill = options.fills();
    timeline.stall_timeout_ns = options.stall_timeout.count();
    timeline.stall_show = stall_show(options.stall_show.kind);
    timeline.lag_limit_ns = lag_limit(options, format);
    if (format.patient) timeline.track_wait_ns = timeline.pause_wait_ns = kPatienceNs;
    return timeline;
}

std::unique_ptr<VideoLane> make_video(const SinkOptions& options, const OutputFormat& format) {
    if (format.passed) return std::make_unique<PassedVideo>(*format.passed);
    return std::make_unique<EncodedVideo>(options.video, format.size, format.fps);
}

/// Encoded tracks come without a hole, so their order can be strict. Of what is passed on a track may stop for good:
/// the other waits for it, but not for ever. To a peer that shows what it gets no track waits for one that is in step.
InterleaverOptions interleaver_options(const SinkOptions& options, const std::vector<StreamInfo>& streams,
                                       bool passed_audio) {
    InterleaverOptions interleaver;
    const bool live = options.sends_live();
    interleaver.mode = passed_audio || live ? InterleaveMode::bounded : InterleaveMode::strict;
    if (!live) interleaver.trail_ns = 0;
    interleaver.video_timebase = streams[0].timebase;
    interleaver.audio_timebase = streams[1].timebase;
    return interleaver;
}

}  // namespace

std::size_t most_held_pictures(std::size_t picture_bytes) {
    return std::max<std::size_t>(kMostPictureBytes / std::max<std::size_t>(picture_bytes, 1), 2);
}

Part::Part(const SinkOptions& options, const OutputFormat& format, PacketHandler handler)
    : fills_(options.fills()),
      video_(make_video(options, format)),
      timeline_(timeline_options(options, format, video_->picture_bytes())),
      audio_(video_->passed_audio() ? nullptr : std::make_unique<AudioLane>(options.audio)),
      interleaver_(interleaver_options(options, streams(), audio_ == nullptr)),
      handler_(std::move(handler)),
      from_lanes_([this](Packet&& packet) { deliver(std::move(packet)); }) {}

std::vector<StreamInfo> Part::streams() const {
    std::vector<StreamInfo> streams{video_->stream(), audio_ ? audio_->stream() : *video_->passed_audio()};
    for (StreamInfo& stream : streams)
        stream.epoch_realtime_ns = epoch_realtime_ns_;
    return streams;
}

void Part::enter_bus(std::uint64_t video_cursor, std::uint64_t audio_cursor) {
    video_->enter_bus(video_cursor);
    if (audio_) audio_->enter_bus(audio_cursor);
}

void Part::flush(std::uint64_t video_index, std::uint64_t audio_index) {
    video_->flush(video_->id_of(video_index));
    timeline_.flush(video_->id_of(video_index), audio_ ? audio_->id_of(audio_index) : 0);
}

bool Part::plays_out(bool holds_afterwards) {
    timeline_.play_out(holds_afterwards);
    return fills_ && timeline_.holds_media();
}

ReadStatus Part::read_video(FlowReader& flow) {
    return video_->read(flow, timeline_);
}

ReadStatus Part::copy_audio(FlowReader& flow) {
    // The sound comes encoded; what another writer adds as PCM later has no place.
    if (!audio_) return flow.try_read([](const Record&) {});
    std::optional<AudioRecord> record;
    const ReadStatus status = audio_->read(flow, record);
    if (record) untold_audio_.push_back(*record);
    return status;
}

std::optional<std::int64_t> Part::next_audio_pts() const {
    if (untold_audio_.empty()) return std::nullopt;
    return untold_audio_.front().pts_ns;
}

void Part::tell_audio() {
    // A block without a place is forgotten by its id like any other.
    static_cast<void>(timeline_.on_audio(untold_audio_.front()));
    untold_audio_.pop_front();
}

bool Part::step() {
    const auto operation = timeline_.pop();
    if (operation) std::visit([this](const auto& op) { perform(op); }, *operation);
    // What the timeline may still name includes blocks it has not heard of yet: their ids are higher.
    video_->forget_before(timeline_.video_needed_from());
    if (audio_) audio_->forget_before(std::min(timeline_.audio_needed_from(), first_untold_id()));
    return operation.has_value();
}

TimelineCounters Part::counters() const {
    TimelineCounters counters = timeline_.counters();
    video_->adjust(counters);
    return counters;
}

void Part::finish() {
    while (!untold_audio_.empty())
        tell_audio();
    timeline_.finish();
}

std::int64_t Part::output_end_ns() const {
    return std::max(timeline_.output_end_ns(Track::video), timeline_.output_end_ns(Track::audio));
}

std::uint64_t Part::first_untold_id() const {
    return untold_audio_.empty() ? UINT64_MAX : untold_audio_.front().id;
}

void Part::perform(const EmitFrame& frame) {
    video_->encode(frame, from_lanes_);
}
void Part::perform(const StartSegment& segment) {
    if (audio_) audio_->start_segment(segment, from_lanes_);
}
void Part::perform(const CopySamples& samples) {
    if (audio_) audio_->copy(samples, from_lanes_);
}
void Part::perform(const EmitSilence& samples) {
    if (audio_) audio_->silence(samples, from_lanes_);
}

void Part::perform(const EndOutput& end) {
    video_->drain(from_lanes_);
    interleaver_.end(Track::video);
    if (audio_) audio_->finish(end.samples, from_lanes_);
    interleaver_.end(Track::audio);
    while (auto packet = interleaver_.pop())
        handler_(std::move(*packet));
}

void Part::deliver(Packet&& packet) {
    const std::int64_t dts = packet.dts;
    const Track track = packet.stream == static_cast<std::uint32_t>(Media::video) ? Track::video : Track::audio;
    if (!interleaver_.push(track, dts, std::move(packet))) {
        throw Error(ErrorCode::system, std::string(track == Track::video ? "video" : "audio") + " encoder gave dts " +
                                           std::to_string(dts) + ", which does not rise");
    }
    while (auto ready = interleaver_.pop())
        handler_(std::move(*ready));
}

}  // namespace ringcast::runtime
