// SPDX-License-Identifier: Apache-2.0
#include "srt/srt_peer.hpp"

#include <algorithm>

#include "srt/ts_messages.hpp"

namespace ringcast::sink {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// libsrt drops what is older than the peer's latency, and than a second in any case, with 20 ms to spare.
constexpr milliseconds kLibraryDrops{1000};
constexpr milliseconds kBeforeThat{100};
constexpr milliseconds kLookEvery{10};
// A probe, the question for what is missing, the answer and its acknowledgement take two round trips; the next probe
// before that would keep the buffer from ever being empty.
constexpr milliseconds kProbeEvery{100};
constexpr int kProbeRoundTrips = 4;

}  // namespace

SrtPeer::SrtPeer(srt::SrtSocket socket)
    : socket_(std::move(socket)),
      latency_(srt::peer_latency_of(socket_.get())),
      most_buffered_(std::max(kLibraryDrops, latency_) - kBeforeThat),
      since_(steady_clock::now()) {}

SrtPeer::Sent SrtPeer::send(std::span<const std::uint8_t> message, bool start) {
    const bool was_jammed = jammed_;
    look();
    if (lost_) return Sent::lost;
    if (waits_for_start_ && (!start || jammed_)) {
        if (begun_) ++skipped_;
        if (jammed_) probe();
        return jammed_ && !was_jammed ? Sent::jammed : Sent::skipped;
    }
    const int error = hand_over(message);
    if (error == SRT_SUCCESS) {
        waits_for_start_ = false;
        begun_ = true;
        return Sent::taken;
    }
    if (error == SRT_EASYNCSND || error == SRT_ECONGEST) return jam();
    lost_ = true;
    return Sent::lost;
}

/// libsrt's code of what went wrong, SRT_SUCCESS when nothing did.
int SrtPeer::hand_over(std::span<const std::uint8_t> message) {
    const auto size = static_cast<int>(message.size());
    const auto* bytes = reinterpret_cast<const char*>(message.data());
    if (srt_sendmsg2(socket_.get(), bytes, size, nullptr) != size) return srt_getlasterror(nullptr);
    last_sent_ = steady_clock::now();
    return SRT_SUCCESS;
}

void SrtPeer::probe() {
    const auto silence = steady_clock::now() - last_sent_;
    if (!begun_ || silence < kProbeEvery) return;
    const std::chrono::microseconds rtt(srt::figures_of(socket_.get(), false).rtt_us);
    if (silence < kProbeRoundTrips * rtt) return;
    // What does not get in changes nothing: then something newer is on its way already.
    if (hand_over(ts_null_message()) == SRT_SUCCESS) probe_bytes_ += TsMessages::kMessageBytes;
}

SrtPeer::Sent SrtPeer::jam() {
    jammed_since_ = steady_clock::now();
    jammed_ = waits_for_start_ = true;
    ++skipped_;
    return Sent::jammed;
}

void SrtPeer::look() {
    const auto now = steady_clock::now();
    if (now < next_look_) return;
    next_look_ = now + kLookEvery;
    lost_ = lost_ || !socket_.is_connected();
    const milliseconds buffered = srt::send_buffer_of(socket_.get());
    if (!jammed_ && buffered >= most_buffered_) {
        jammed_since_ = now;
        jammed_ = waits_for_start_ = true;
    } else if (jammed_ && buffered <= most_buffered_ / 2) {
        jammed_ = false;
    }
}

steady_clock::duration SrtPeer::jammed_for() const {
    return jammed_ ? steady_clock::now() - jammed_since_ : steady_clock::duration::zero();
}

steady_clock::duration SrtPeer::age() const {
    return steady_clock::now() - since_;
}

srt::SrtFigures SrtPeer::figures(bool new_interval) {
    // libsrt forgets them with the connection.
    const srt::SrtFigures now = srt::figures_of(socket_.get(), new_interval);
    if (now.sent_bytes >= newest_.sent_bytes) newest_ = now;
    srt::SrtFigures figures = newest_;
    figures.send_drop_packets += skipped_;
    // A probe is none of the stream. It may be counted here before libsrt does; the figure never falls.
    sent_bytes_ = std::max(sent_bytes_, figures.sent_bytes - std::min(figures.sent_bytes, probe_bytes_));
    figures.sent_bytes = sent_bytes_;
    return figures;
}

}  // namespace ringcast::sink
