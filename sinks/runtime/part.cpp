// SPDX-License-Identifier: Apache-2.0
#include "runtime/part.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "ringcast/error.hpp"
#include "runtime/media_time.hpp"
#include "runtime/passed_audio.hpp"
#include "runtime/passed_video.hpp"

namespace ringcast::runtime {
namespace {

/// Of one track for the other in an offline rendering. What is encoded meanwhile waits in the interleaver.
constexpr std::int64_t kPatienceNs = 600 * kSecondNs;
constexpr std::size_t kMostPictureBytes = 256U << 20U;  // that wait for their sound with shortest=yes

constexpr std::int64_t kMostLagNs = 500 * kMillisecondNs;
/// So much encoded sound waits at the start for the first picture, which is where the output begins.
constexpr Int128 kMostEarlyNs = kSecondNs;
constexpr std::size_t kMostEarly = 256;
/// Longer than an encoder looks ahead.
constexpr std::int64_t kMostEncoderDelayNs = 5 * kSecondNs;

StallShow stall_show(StallScreen::Kind kind) {
    if (kind == StallScreen::Kind::slate) return StallShow::slate;
    return kind == StallScreen::Kind::stop ? StallShow::stop : StallShow::hold;
}

/// Well before the ring would lap the reader; 0, never, for one who gets every record.
std::int64_t lag_limit(const SinkOptions& options, const OutputFormat& format) {
    if (options.is_lossless() || format.passed.video) return 0;  // without one packet those after it are worth nothing
    if (options.lag_limit) return options.lag_limit->count();
    return format.ring_ns > 0 ? std::min(kMostLagNs, format.ring_ns / 2) : kMostLagNs;
}

TimelineOptions timeline_options(const SinkOptions& options, const OutputFormat& format, std::size_t picture_bytes) {
    TimelineOptions timeline;
    timeline.fps = format.fps;
    timeline.rate = format.passed.audio ? format.passed.audio->format.rate : options.audio.rate;
    timeline.ticks_per_picture = format.ticks_per_picture;
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

std::unique_ptr<AudioLane> make_audio(const SinkOptions& options, const PassedStreams& passed) {
    if (passed.audio) return std::make_unique<PassedAudio>(*passed.audio);
    return std::make_unique<EncodedAudio>(options.audio);
}

std::unique_ptr<VideoLane> make_video(const SinkOptions& options, const OutputFormat& format, AudioLane& audio) {
    if (!format.passed.video) return std::make_unique<EncodedVideo>(options.video, format.size, format.fps);
    PassedAudio* sound = format.passed.audio ? &dynamic_cast<PassedAudio&>(audio) : nullptr;
    return std::make_unique<PassedVideo>(format.passed, sound);
}

/// Encoded tracks come without a hole, so their order can be strict. Sound that is passed on has holes, and may stop
/// for good: the pictures wait for it, but not for ever.
InterleaverOptions interleaver_options(const std::vector<StreamInfo>& streams, const OutputFormat& format, bool fills) {
    InterleaverOptions interleaver;
    interleaver.mode = format.passed.audio ? InterleaveMode::bounded : InterleaveMode::strict;
    if (format.passed.audio) interleaver.trail_ns = 0;
    if (!format.passed.video && !fills) interleaver.max_hold_ns = kMostEncoderDelayNs;
    interleaver.video_timebase = streams[0].timebase;
    interleaver.audio_timebase = streams[1].timebase;
    return interleaver;
}

/// A peer that shows what it gets gets it at once: no track waits for one that is merely in step.
InterleaverOptions for_peer(const SinkOptions& options, InterleaverOptions interleaver) {
    if (!options.sends_live()) return interleaver;
    interleaver.mode = InterleaveMode::bounded;
    interleaver.trail_ns = InterleaverOptions{}.trail_ns;
    return interleaver;
}

}  // namespace

std::size_t most_held_pictures(std::size_t picture_bytes) {
    return std::max<std::size_t>(kMostPictureBytes / std::max<std::size_t>(picture_bytes, 1), 2);
}

Part::Part(const SinkOptions& options, const OutputFormat& format, PacketHandler handler)
    : fills_(options.fills()),
      one_flow_(format.passed.video && format.passed.audio),
      audio_(make_audio(options, format.passed)),
      video_(make_video(options, format, *audio_)),
      timeline_(timeline_options(options, format, video_->picture_bytes())),
      interleaver_(for_peer(options, interleaver_options(streams(), format, fills_))),
      handler_(std::move(handler)),
      from_lanes_([this](Packet&& packet) { deliver(std::move(packet)); }) {}

std::vector<StreamInfo> Part::streams() const {
    std::vector<StreamInfo> streams{video_->stream(), audio_->stream()};
    for (StreamInfo& stream : streams)
        stream.epoch_realtime_ns = epoch_realtime_ns_;
    return streams;
}

void Part::enter_bus(std::uint64_t video_cursor, std::uint64_t audio_cursor) {
    video_->enter_bus(video_cursor);
    audio_->enter_bus(audio_cursor);
}

void Part::flush(std::uint64_t video_index, std::uint64_t audio_index) {
    timeline_.flush(video_->id_of(video_index), audio_->id_of(audio_index));
}

PassedStreams Part::next_streams() const {
    return video_->next_streams().value_or(audio_->next_streams().value_or(PassedStreams{}));
}

bool Part::plays_out(bool holds_afterwards) {
    timeline_.play_out(holds_afterwards);
    return fills_ && timeline_.holds_media();
}

ReadStatus Part::read_video(FlowReader& flow) {
    return video_->read(flow, timeline_);
}

void Part::tell_video() {
    video_->tell(timeline_);
    if (const auto sound = video_->take_sound()) untold_audio_.push_back(*sound);
    while (one_flow_ && !untold_audio_.empty()) {
        const Int128 span_ns = Int128{untold_audio_.back().pts_ns} - untold_audio_.front().pts_ns;
        if (!timeline_.started() && span_ns < kMostEarlyNs && untold_audio_.size() < kMostEarly) return;
        tell_audio();
    }
}

ReadStatus Part::copy_audio(FlowReader& flow) {
    // The sound comes encoded with the pictures; what another writer adds as PCM has no place.
    if (one_flow_) return flow.try_read([](const Record&) {});
    std::optional<AudioRecord> record;
    const ReadStatus status = audio_->read(flow, record);
    if (record) untold_audio_.push_back(*record);
    return status;
}

std::optional<std::int64_t> Part::next_audio_pts() const {
    if (untold_audio_.empty() || one_flow_) return std::nullopt;
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
    audio_->forget_before(std::min(timeline_.audio_needed_from(), first_untold_id()));
    return operation.has_value();
}

TimelineCounters Part::counters() const {
    TimelineCounters counters = timeline_.counters();
    video_->adjust(counters);
    return counters;
}

void Part::tell_untold() {
    while (!untold_audio_.empty())
        tell_audio();
}

void Part::finish() {
    tell_untold();
    timeline_.finish();
}

void Part::stop() {
    tell_untold();
    timeline_.stop();
}

std::int64_t Part::output_end_ns() const {
    return std::max(timeline_.output_end_ns(Track::video), timeline_.output_end_ns(Track::audio));
}

std::uint64_t Part::first_untold_id() const {
    return untold_audio_.empty() ? UINT64_MAX : untold_audio_.front().id;
}

void Part::perform(const EmitFrame& frame) {
    const auto begin = std::chrono::steady_clock::now();
    video_->encode(frame, from_lanes_);
    // A repeated picture costs less, and a packet that is passed on next to nothing: neither says how fast encoding is.
    const bool encoded = dynamic_cast<const EncodedVideo*>(video_.get()) != nullptr;
    if (encoded && frame.kind == FrameKind::fresh) encode_times_.add(std::chrono::steady_clock::now() - begin);
}
void Part::perform(const StartSegment& segment) {
    audio_->start_segment(segment, from_lanes_);
}
void Part::perform(const CopySamples& samples) {
    audio_->copy(samples, from_lanes_);
}
void Part::perform(const EmitSilence& samples) {
    audio_->silence(samples, from_lanes_);
}

void Part::perform(const EndOutput& end) {
    video_->drain(from_lanes_);
    audio_->finish(end.samples, from_lanes_);
    interleaver_.cut(Track::audio, end.samples, audio_->stream().sample_rate);
    interleaver_.end(Track::video);
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
