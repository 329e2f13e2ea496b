// SPDX-License-Identifier: Apache-2.0
#include "decoded_output.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "coded_track.hpp"
#include "ringcast/error.hpp"
#include "runtime/av_log.hpp"

namespace ringcast::ingest {
namespace {

constexpr std::int64_t kTrackWaitNs = 500'000'000;
// Where the times stand still: pictures take megabytes.
constexpr std::size_t kMostPicturesHeld = 32;
constexpr std::size_t kMostSoundHeld = 1000;
constexpr unsigned kMostThreads = 4;

}  // namespace

DecodedOutput::DecodedOutput(ProducerOptions options, Warn warn)
    : options_(std::move(options)), warn_(std::move(warn)) {}

void DecodedOutput::write(const Sample& sample) {
    Decoder& decoder = decoders_[index_of(sample.track)];
    if (sample.format) {
        // What the decoder of the life before still holds comes first.
        if (decoder.context) decode(sample.track, nullptr);
        open_decoder(sample.track, sample.format);
    }
    if (!decoder.context) return;
    if (sample.track == Track::video && std::exchange(decoder.needs_key, false) && !sample.key) {
        decoder.needs_key = true;
        return;
    }
    AVPacket* packet = sample.packet.get();
    packet->pts = sample.pts_ns;
    packet->dts = sample.dts_ns;
    packet->duration = sample.duration_ns;
    decode(sample.track, packet);
}

void DecodedOutput::open_decoder(Track track, const std::shared_ptr<const TrackFormat>& format) {
    const AVCodecParameters& parameters = *format->parameters;
    const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
    Decoder& decoder = decoders_[index_of(track)];
    decoder = {};
    const std::string name = avcodec_get_name(parameters.codec_id);
    if (codec == nullptr) throw IngestError("this libavcodec has no decoder for " + name);
    auto context = runtime::av_owned<runtime::AVCodecContextPtr>(avcodec_alloc_context3(codec));
    if (avcodec_parameters_to_context(context.get(), &parameters) < 0) throw std::bad_alloc();
    context->pkt_timebase = kNanoseconds;
    // Threads by frame would hold one picture back for each of them.
    context->thread_type = FF_THREAD_SLICE;
    context->thread_count = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads));
    runtime::AvLogCapture words;
    if (const int code = avcodec_open2(context.get(), codec, nullptr); code < 0) {
        throw IngestError("the decoder for " + name +
                          " does not open: " + (words.text().empty() ? runtime::av_error_text(code) : words.text()));
    }
    decoder.context = std::move(context);
    decoder.format = format;
}

void DecodedOutput::decode(Track track, const AVPacket* packet) {
    AVCodecContext* context = decoders_[index_of(track)].context.get();
    runtime::AvLogCapture words;
    // A damaged packet is the network's; the decoder goes on with the next.
    if (avcodec_send_packet(context, packet) < 0 && !std::exchange(has_warned_, true))
        warn_("the stream is damaged: " + words.text());
    for (;;) {
        auto frame = runtime::av_owned<runtime::AVFramePtr>(av_frame_alloc());
        if (avcodec_receive_frame(context, frame.get()) < 0) return;
        if (frame->best_effort_timestamp != AV_NOPTS_VALUE) take(track, std::move(frame));
    }
}

void DecodedOutput::take(Track track, runtime::AVFramePtr frame) {
    has_come_[index_of(track)] = true;
    if (producer_ && !has_flow_[index_of(track)]) producer_.reset();  // the bus is opened again, with both
    held_.push_back({track, std::move(frame)});
    if (!producer_ && may_open()) open_bus();
    if (!producer_) return;
    for (const Decoded& each : std::exchange(held_, {}))
        put(each);
}

bool DecodedOutput::may_open() const {
    if (has_come_[0] && has_come_[1]) return true;
    if (held_.size() >= (held_.back().track == Track::video ? kMostPicturesHeld : kMostSoundHeld)) return true;
    return held_.back().frame->best_effort_timestamp - held_.front().frame->best_effort_timestamp >= kTrackWaitNs;
}

/// As the container says it, else as the pictures themselves do.
Rational DecodedOutput::fps() const {
    const Decoder& decoder = decoders_[index_of(Track::video)];
    if (decoder.format->fps.num > 0) return decoder.format->fps;
    return bus_fps(decoder.context->framerate);
}

void DecodedOutput::open_bus() {
    ProducerOptions options = options_;
    options.video.reset();
    options.audio.reset();
    for (const Decoded& each : held_) {
        if (each.track == Track::video && !options.video) {
            options.video = PictureWriter::format_of(*each.frame, fps());
        } else if (each.track == Track::audio && !options.audio) {
            options.audio = SoundWriter::format_of(*each.frame);
        }
    }
    // Of a track that has come before and does not at this moment.
    if (!options.video && has_come_[index_of(Track::video)]) options.video = options_.video;
    if (!options.audio && has_come_[index_of(Track::audio)]) options.audio = options_.audio;
    has_flow_ = {options.video.has_value(), options.audio.has_value()};
    producer_ = std::make_unique<Producer>(options);
    options_.video = options.video;
    options_.audio = options.audio;
    if (const std::string text = producer_->warning(); !text.empty()) warn_(text);
}

void DecodedOutput::put(const Decoded& decoded) {
    if (decoded.track == Track::video) {
        const VideoFormat format = PictureWriter::format_of(*decoded.frame, fps());
        if (!(format == *options_.video)) {
            producer_->set_video_format(format);
            options_.video = format;
        }
        picture_.write(*producer_, *decoded.frame);
        ++frames_;
        return;
    }
    const AudioFormat format = SoundWriter::format_of(*decoded.frame);
    if (!(format == *options_.audio)) {
        producer_->set_audio_format(format);
        options_.audio = format;
    }
    sound_.write(*producer_, *decoded.frame);
}

void DecodedOutput::discard() {
    held_.clear();
    decoders_ = {};
    has_come_ = {options_.video.has_value(), options_.audio.has_value()};
}

void DecodedOutput::end() {
    for (const Track track : {Track::video, Track::audio}) {
        if (decoders_[index_of(track)].context) decode(track, nullptr);
    }
    if (!producer_ && !held_.empty()) {
        open_bus();
        for (const Decoded& each : std::exchange(held_, {}))
            put(each);
    }
    if (producer_) producer_->end();
}

}  // namespace ringcast::ingest
