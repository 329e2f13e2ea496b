// SPDX-License-Identifier: Apache-2.0
#include "packet_output.hpp"

#include <span>
#include <utility>

#include "decoded_output.hpp"
#include "ringcast/error.hpp"

namespace ringcast::ingest {
namespace {

ProducerOptions with_packets(ProducerOptions options) {
    options.packets = true;
    return options;
}

bool same(const PacketStream& a, const PacketStream& b) {
    return a.codec == b.codec && a.width == b.width && a.height == b.height && a.fps == b.fps && a.rate == b.rate &&
           a.channels == b.channels && a.config == b.config;
}

}  // namespace

std::unique_ptr<Output> Output::make(const IngestOptions& options, Warn warn) {
    if (options.mode == IngestMode::packets) return std::make_unique<PacketOutput>(options.producer, std::move(warn));
    return std::make_unique<DecodedOutput>(options.producer, std::move(warn));
}

PacketOutput::PacketOutput(ProducerOptions options, Warn warn)
    : producer_(with_packets(std::move(options))), warn_(std::move(warn)) {
    if (const std::string text = producer_.warning(); !text.empty()) warn_(text);
}

void PacketOutput::declare(const PacketStream& stream) {
    auto& known = declared_[stream.id];
    if (known && same(*known, stream)) return;
    producer_.set_packet_stream(stream);
    known = stream;
}

/// Sinks send packets on from a keyframe; sound alone they take raw, and show black with it.
void PacketOutput::watch_sound(std::int64_t pts_ns) {
    if (has_warned_ || declared_[index_of(Track::video)]) return;
    if (!first_sound_ns_) first_sound_ns_ = pts_ns;
    constexpr std::int64_t kPatienceNs = 500'000'000;
    if (pts_ns - *first_sound_ns_ < kPatienceNs) return;
    has_warned_ = true;
    warn_("warning: sound without pictures: sinks wait for a picture; with --decode they take the sound alone");
}

void PacketOutput::write(const Sample& sample) {
    // Sinks are to know of both tracks at the first keyframe.
    if (sample.others) declare(sample.others->stream);
    if (sample.format) declare(sample.format->stream);
    const bool is_video = sample.track == Track::video;
    if (is_video && sample.key) waits_for_key_ = false;
    if (is_video && waits_for_key_) return;
    PacketView packet;
    packet.stream_id = static_cast<std::uint32_t>(sample.track);
    packet.pts_ns = sample.pts_ns;
    packet.dts_ns = sample.dts_ns;
    packet.duration_ns = sample.duration_ns;
    packet.key = sample.key;
    packet.data = std::as_bytes(std::span(sample.packet->data, static_cast<std::size_t>(sample.packet->size)));
    try {
        producer_.write_packet(packet);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::too_large) throw;
        warn_(std::string(error.what()) + "; left out up to the next keyframe");
        waits_for_key_ = is_video;
        return;
    }
    is_video ? static_cast<void>(++frames_) : watch_sound(sample.pts_ns);
}

}  // namespace ringcast::ingest
