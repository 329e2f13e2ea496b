// SPDX-License-Identifier: Apache-2.0
#include "srt/srt_sink.hpp"

#include <algorithm>
#include <utility>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// The host gives a connect() 8 s.
constexpr milliseconds kConnectLimit{7000};
// disconnect() has 5 s.
constexpr milliseconds kGoodbyeLimit{4500};
// Between two connections, as when the passphrase is replaced, nobody should wait for the old one.
constexpr milliseconds kShortGoodbyeLimit{500};
constexpr milliseconds kDrainLook{10};
// Time for the last acknowledgement and for the other end's reader.
constexpr milliseconds kGrace{100};
// While a peer is jammed the host is told again once a second: each time it asks the encoder for a keyframe.
constexpr std::chrono::seconds kComplainEvery{1};
// A server that takes the call, looks at the streamid and hangs up has said no.
constexpr std::chrono::seconds kEarly{1};

std::int32_t code_of(srt::Failure failure) {
    switch (failure) {
        case srt::Failure::config:
            return RINGCAST_SINK_E_CONFIG;
        case srt::Failure::transient:
            return RINGCAST_SINK_E_TRANSIENT;
        case srt::Failure::rejected:
            return RINGCAST_SINK_E_REJECTED;
        case srt::Failure::interrupted:
            return RINGCAST_SINK_E_INTERRUPTED;
    }
    return RINGCAST_SINK_E_INTERNAL;
}

srt::SrtWords words_of(const Options& options) {
    srt::SrtWords words;
    for (const char* name : {"mode", "latency", "streamid", "passphrase", "pbkeylen", "maxbw"}) {
        if (options.has(name)) words[name] = options.text(name);
    }
    return words;
}

srt::SrtAddress read_address(const std::string& url, const srt::SrtWords& words) {
    try {
        return srt::read_srt_address(url, words);
    } catch (const srt::SrtError& error) {
        throw SinkError(code_of(error.failure()), error.what());
    }
}

void warn_of(const srt::SrtAddress& address, const Host& host) {
    for (const std::string& warning : address.warnings)
        host.warn(warning);
    const milliseconds late = address.latency + kGrace - kGoodbyeLimit;
    if (late <= milliseconds(0)) return;
    const auto tenths = late.count() / 100;
    host.warn("latency=" + std::to_string(address.latency.count()) + "ms: the last " + std::to_string(tenths / 10) +
              "." + std::to_string(tenths % 10) +
              " s may not arrive when the sink stops, for it waits at most 4.5 s then");
}

void check_codecs(std::span<const ringcast_sink_stream* const> streams) {
    for (const ringcast_sink_stream* stream : streams) {
        const bool video = stream->media == RINGCAST_SINK_VIDEO;
        if (video && (stream->codec == RINGCAST_SINK_H264 || stream->codec == RINGCAST_SINK_H265)) continue;
        if (!video && stream->codec == RINGCAST_SINK_AAC) continue;
        throw SinkError(RINGCAST_SINK_E_UNSUPPORTED,
                        video ? "SRT carries H.264 and H.265: use video.codec=h264 or h265"
                              : "SRT carries AAC: use audio.codec=aac, or for Opus the sink file (.mkv, .mp4)");
    }
}

}  // namespace

SrtSink::SrtSink(Host host, const Options& options)
    : host_(host), words_(words_of(options)), url_(options.text("url")), address_(read_address(url_, words_)) {
    warn_of(address_, host_);
    srt::set_srt_log([host](std::string_view line) { host.debug("libsrt: " + std::string(line)); });
}

SrtSink::~SrtSink() {
    hang_up();
    audience_.reset();
    srt::set_srt_log({});
}

template <class Step>
void SrtSink::step(Step&& body) {
    try {
        body();
    } catch (const srt::SrtError& error) {
        // An interrupt() is spent with the call it ends.
        if (error.failure() == srt::Failure::interrupted) poll_.clear_wake();
        throw SinkError(code_of(error.failure()), error.what());
    }
}

void SrtSink::connect() {
    poll_.clear_wake();  // the host repeats its interrupts: one may come when the call it was for is over
    step([this] { listens() ? listen() : call(); });
}

void SrtSink::listen() {
    if (audience_) return;
    auto audience = std::make_unique<SrtAudience>(address_, host_);
    host_.set_info("url", audience->place());
    const std::scoped_lock lock(mutex_);
    audience_ = std::move(audience);
}

void SrtSink::call() {
    hang_up();
    host_.set_info("server", address_.place());
    SrtPeer peer(srt::connect_srt(address_, poll_, kConnectLimit));
    {
        const std::scoped_lock lock(mutex_);
        peer_.emplace(std::move(peer));
    }
    was_jammed_ = false;
    host_.info("connected to " + address_.place() + ", latency " + std::to_string(peer_->latency().count()) + " ms" +
               (address_.passphrase.empty() ? "" : ", AES-" + std::to_string(address_.pbkeylen * 8)));
}

void SrtSink::headers(std::span<const ringcast_sink_stream* const> streams) {
    check_codecs(streams);
    step([this] {
        // A server may have closed a connection that waited long for its first picture.
        if (!listens() && !(peer_ && peer_->is_connected())) call();
    });
    if (messages_) messages_->flush();
    messages_ = std::make_unique<TsMessages>(streams, [this](auto message, bool start) { deliver(message, start); });
}

void SrtSink::deliver(std::span<const std::uint8_t> message, bool start) {
    if (audience_) {
        audience_->send(message, start);
    } else if (peer_) {
        const std::scoped_lock lock(mutex_);
        note(peer_->send(message, start));
    }
}

void SrtSink::note(SrtPeer::Sent sent) {
    lost_ = lost_ || sent == SrtPeer::Sent::lost;
    jammed_ = jammed_ || sent == SrtPeer::Sent::jammed;
}

void SrtSink::packet(const ringcast_sink_packet& packet) {
    lost_ = jammed_ = false;
    messages_->packet(packet);
    if (peer_) look_after_peer();
}

/// Tells the host what happened to the peer while this packet was sent.
void SrtSink::look_after_peer() {
    const auto now = steady_clock::now();
    if (now >= next_figures_) {
        next_figures_ = now + kFiguresEvery;
        const std::scoped_lock lock(mutex_);
        srt::SrtFigures figures = past_;
        add_figures(figures, peer_->figures(true));
        show_figures(host_, "", figures);
    }
    if (lost_ && peer_->age() < kEarly) {
        throw SinkError(RINGCAST_SINK_E_REJECTED,
                        address_.place() + " hung up right after it took the call: wrong streamid, or one in use?");
    }
    if (lost_) throw SinkError(RINGCAST_SINK_E_TRANSIENT, "the connection to " + address_.place() + " was lost");
    const bool freed = std::exchange(was_jammed_, peer_->is_jammed()) && !was_jammed_;
    if (freed) host_.request_keyframe();
    if (!was_jammed_ || (!jammed_ && now < next_complaint_)) return;
    next_complaint_ = now + kComplainEvery;
    throw SinkError(RINGCAST_SINK_E_AGAIN, address_.place() + " does not keep up");
}

void SrtSink::disconnect(bool final) {
    poll_.clear_wake();
    lost_ = false;
    if (messages_) messages_->flush();
    messages_.reset();
    drain(final ? kGoodbyeLimit : kShortGoodbyeLimit);
    hang_up();
    if (audience_ && final) audience_->dismiss();
    poll_.clear_wake();
}

/// Waits until what was sent has arrived, and until the other end has handed it out: when we close, libsrt throws away
/// there what its reader has not been given yet.
void SrtSink::drain(milliseconds limit) {
    const auto end = steady_clock::now() + limit;
    const auto wait = [&](milliseconds time) {
        const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
        return left.count() > 0 && poll_.wait(std::min(time, left)) != srt::SrtPoll::End::woken;
    };
    while (!is_drained()) {
        if (!wait(kDrainLook)) return;
    }
    if (latency().count() > 0) static_cast<void>(wait(latency() + kGrace));
}

bool SrtSink::is_drained() {
    if (audience_) return audience_->is_drained();
    const std::scoped_lock lock(mutex_);
    if (!peer_ || !peer_->is_connected() || peer_->is_jammed() || peer_->is_drained()) return true;
    peer_->probe();
    return false;
}

milliseconds SrtSink::latency() {
    if (audience_) return audience_->latency();
    return peer_ && peer_->is_connected() ? peer_->latency() : milliseconds(0);
}

void SrtSink::hang_up() {
    const std::scoped_lock lock(mutex_);
    if (!peer_) return;
    add_counts(past_, peer_->figures(false));
    peer_.reset();
    withdraw_figures(host_, "", false);
}

std::uint64_t SrtSink::bytes_sent() {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t now = audience_ ? audience_->bytes_sent() : peer_ ? peer_->figures(false).sent_bytes : 0;
    return past_.sent_bytes + now;
}

void SrtSink::replace(const Options& changed) {
    srt::SrtWords words = words_;
    for (const auto& [name, value] : words_of(changed))
        words[name] = value;
    const std::string url = changed.has("url") ? changed.text("url") : url_;
    srt::SrtAddress address = read_address(url, words);
    warn_of(address, host_);
    const bool same_place = address.mode == address_.mode && address.place() == address_.place();
    const std::scoped_lock lock(mutex_);
    if (audience_) {
        audience_->dismiss();
        if (same_place && address.latency == address_.latency && address.maxbw_bps == address_.maxbw_bps) {
            audience_->expect(address);
        } else {
            past_.sent_bytes += audience_->bytes_sent();
            audience_.reset();
        }
    }
    url_ = url;
    words_ = std::move(words);
    address_ = std::move(address);
}

std::uint32_t SrtSink::peers() {
    const std::scoped_lock lock(mutex_);
    return audience_ ? static_cast<std::uint32_t>(audience_->served()) : 1;
}

std::string SrtSink::waits_for() {
    const std::scoped_lock lock(mutex_);
    return audience_ ? audience_->waits_for() : std::string();
}

}  // namespace ringcast::sink
