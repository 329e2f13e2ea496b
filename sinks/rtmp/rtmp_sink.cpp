// SPDX-License-Identifier: Apache-2.0
#include "rtmp/rtmp_sink.hpp"

#include <chrono>

#include "mux/sink_error.hpp"
#include "rtmp/flv.hpp"

namespace ringcast::sink {

namespace {

using Kind = RtmpSession::Kind;

constexpr std::chrono::milliseconds kGoodbyeLimit{2000};
// Between two connections, as when the key is replaced, nobody should wait for the old one.
constexpr std::chrono::milliseconds kShortGoodbyeLimit{500};
// nginx-rtmp, SRS and most platforms give a silent publisher up within a minute.
constexpr std::chrono::seconds kGhostLife{60};
constexpr std::uint64_t kUnknownRate = 1'000'000;  // bits per second, of a stream that is not made at a rate

void check_codecs(std::span<const ringcast_sink_stream* const> streams) {
    for (const ringcast_sink_stream* stream : streams) {
        if (stream->codec == RINGCAST_SINK_H264 || stream->codec == RINGCAST_SINK_AAC) continue;
        if (stream->media == RINGCAST_SINK_VIDEO) {
            throw SinkError(RINGCAST_SINK_E_UNSUPPORTED,
                            "RTMP carries H.264 only: use video.codec=h264, or for H.265 the sink hls, file or srt");
        }
        throw SinkError(RINGCAST_SINK_E_UNSUPPORTED,
                        "RTMP carries AAC only: use audio.codec=aac, or for Opus the sink file (.mkv, .mp4)");
    }
}

}  // namespace

RtmpSink::RtmpSink(Host host, const Options& options)
    : host_(host),
      url_(options.text("url")),
      key_(options.text("key")),
      target_(read_rtmp_target(url_, key_)),
      trust_(options.text("tls_ca"), options.choice("tls_verify", "yes|no") == "yes") {}

/// Runs one call of the host. An interrupt() is spent with the call it ends.
template <class Step>
void RtmpSink::step(Step&& body) {
    try {
        body();
    } catch (const SinkError& error) {
        const bool interrupted = error.code() == RINGCAST_SINK_E_INTERRUPTED;
        if (interrupted) stop_.clear();
        hung_up_early_ = session_ && session_->hung_up_early();
        if (session_ && session_->publishes()) note_trust(interrupted);
        throw;
    }
}

/// Of a connection that failed. One that could not be made, or was too short to believe the server, says nothing.
void RtmpSink::note_trust(bool interrupted) {
    if (ack_trust_ == AckTrust::none) return;
    if (interrupted && session_->was_held()) {
        ack_trust_ = AckTrust::wary;
    } else if (session_->believes_acknowledgements()) {
        ack_trust_ = AckTrust::full;
    }
}

void RtmpSink::connect() {
    stop_.clear();  // the host repeats its interrupts: one may come when the call it was for is over
    step([this] { open(); });
}

void RtmpSink::open() {
    session_.reset();
    host_.set_info("server", target_.place);
    if (target_.tls && !trust_.verifies()) {
        host_.warn("tls_verify=no: ANYBODY on the way to " + target_.place + " can read the stream and its key");
    }
    session_ = std::make_unique<RtmpSession>(
        SessionParts{target_, trust_, stop_, sent_, doubted_, hung_up_early_, ack_trust_});
}

void RtmpSink::headers(std::span<const ringcast_sink_stream* const> streams) {
    check_codecs(streams);
    step([&] {
        // A server may have closed a connection that waited long for its first picture.
        if (!session_->is_open()) open();
        if (!session_->publishes()) publish();
        send_headers(streams);
    });
}

/// A server may take a lost connection of ours for a publisher until its own time-out: its refusal means nothing then.
void RtmpSink::publish() {
    clock_ = StreamClock();
    try {
        session_->publish();
    } catch (const SinkError& error) {
        const bool ghost = lost_ && std::chrono::steady_clock::now() - *lost_ < kGhostLife;
        if (error.code() != RINGCAST_SINK_E_REJECTED || !ghost) throw;
        throw SinkError(RINGCAST_SINK_E_TRANSIENT, std::string(error.what()) + " (our lost connection?)");
    }
    host_.info("publishing to " + target_.place);
}

void RtmpSink::send_headers(std::span<const ringcast_sink_stream* const> streams) {
    std::uint64_t bits = 0;
    for (const ringcast_sink_stream* stream : streams)
        bits += stream->bitrate_bps > 0 ? stream->bitrate_bps : kUnknownRate;
    session_->expect_rate(bits / 8);
    session_->send(Kind::metadata, clock_.newest_ms(*streams.front()),
                   flv_metadata(streams, "ringcast " RINGCAST_VERSION));
    streams_.clear();
    for (const ringcast_sink_stream* stream : streams) {
        streams_.push_back(*stream);
        const std::uint32_t now = clock_.newest_ms(*stream);
        const std::span<const std::uint8_t> config(stream->extradata, stream->extradata_size);
        if (stream->media == RINGCAST_SINK_VIDEO) {
            session_->send(Kind::video, now, flv_video_config_head(), config);
        } else {
            session_->send(Kind::audio, now, flv_audio_config_head(), config);
        }
    }
}

void RtmpSink::packet(const ringcast_sink_packet& packet) {
    step([&] {
        session_->listen();
        const ringcast_sink_stream& stream = streams_.at(packet.stream);
        const auto times = clock_.times(packet, stream);
        const std::span<const std::uint8_t> data(packet.data, packet.data_size);
        if (stream.media == RINGCAST_SINK_VIDEO) {
            const bool key = (packet.flags & RINGCAST_SINK_PACKET_KEY) != 0;
            session_->send(Kind::video, times.dts_ms, flv_video_head(key, times.shift_ms), data);
        } else {
            session_->send(Kind::audio, times.dts_ms, flv_audio_head(), data);
        }
    });
}

void RtmpSink::disconnect(bool final) {
    if (session_) session_->goodbye(final ? kGoodbyeLimit : kShortGoodbyeLimit);
    if (session_ && session_->publishes() && !final) lost_ = std::chrono::steady_clock::now();
    session_.reset();
    doubted_ = 0;  // what was sent was sent; no watchdog looks on any more
    stop_.clear();
}

void RtmpSink::replace(const Options& changed) {
    const std::string url = changed.has("url") ? changed.text("url") : url_;
    const std::string key = changed.has("key") ? changed.text("key") : key_;
    RtmpTarget target = read_rtmp_target(url, key);
    const bool same = target.host == target_.host && target.app == target_.app && target.stream == target_.stream;
    target_ = std::move(target);
    url_ = url;
    key_ = key;
    if (same) return;  // the server may still hold our old connection
    lost_.reset();
    hung_up_early_ = false;
    ack_trust_ = AckTrust::full;
}

}  // namespace ringcast::sink
