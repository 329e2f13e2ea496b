// SPDX-License-Identifier: Apache-2.0
#include "srt/ts_messages.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "mux/formats.hpp"
#include "mux/seam.hpp"
#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

// Sound alone can be decoded from any packet; once a second or so is enough to begin.
constexpr unsigned kSoundStart = 48;
// The clock reference runs this much ahead of the packets: a receiver that keeps to it adds as much delay.
constexpr int kClockAheadUs = 100'000;

/// Each sound packet in a PES packet of its own, and the length of each picture in front of it: else a receiver has a
/// picture only when the next one begins.
Muxer::Format live_format() {
    return {.name = "mpegts",
            .seekable = false,
            .max_delay_us = kClockAheadUs,
            .options = {{"pes_payload_size", "0"}, {"omit_video_pes_length", "0"}}};
}

constexpr auto null_message() {
    std::array<std::uint8_t, TsMessages::kMessageBytes> message{};
    message.fill(0xFF);
    for (std::size_t at = 0; at < message.size(); at += kTsPacketBytes) {
        message[at] = 0x47;
        message[at + 1] = 0x1F;
        message[at + 3] = 0x10;
    }
    return message;
}

}  // namespace

std::span<const std::uint8_t> ts_null_message() noexcept {
    static constexpr auto kNull = null_message();
    return kNull;
}

void TsMessages::Cutter::write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const std::size_t part = std::min(bytes.size(), kMessageBytes - buffer_.size());
        buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(part));
        bytes = bytes.subspan(part);
        if (buffer_.size() == kMessageBytes) deliver();
    }
}

void TsMessages::Cutter::seek(std::int64_t /*position*/) {
    throw SinkError(RINGCAST_SINK_E_INTERNAL, "the MPEG-TS muxer wants to go back");
}

void TsMessages::Cutter::pad() {
    while (!buffer_.empty())
        write(ts_null_message().first(kTsPacketBytes));
}

void TsMessages::Cutter::deliver() {
    deliver_(buffer_, std::exchange(start_, false));
    buffer_.clear();
}

TsMessages::TsMessages(std::span<const ringcast_sink_stream* const> streams, Deliver deliver)
    : cutter_(std::move(deliver)),
      lead_stream_(lead_stream_of(streams)),
      has_video_(streams[lead_stream_]->media == RINGCAST_SINK_VIDEO),
      muxer_(live_format(), streams, cutter_) {}

bool TsMessages::is_start(const ringcast_sink_packet& packet) {
    if (packet.stream != lead_stream_) return false;
    if (has_video_) return (packet.flags & RINGCAST_SINK_PACKET_KEY) != 0;
    return since_start_++ % kSoundStart == 0;
}

void TsMessages::packet(const ringcast_sink_packet& packet) {
    if (is_start(packet)) {
        cutter_.pad();
        cutter_.begin_start();
        muxer_.set_option("mpegts_flags", "+resend_headers");
    }
    muxer_.write(packet, kTsShiftUs);
    muxer_.flush();
}

void TsMessages::flush() {
    cutter_.pad();
}

}  // namespace ringcast::sink
