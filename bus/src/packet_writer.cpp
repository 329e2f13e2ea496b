// SPDX-License-Identifier: Apache-2.0
#include "packet_writer.hpp"

#include <algorithm>

#include "ringcast/error.hpp"

namespace ringcast {
namespace {

/// Of a flow without video, where every packet is a place to start.
constexpr std::int64_t kConfigEveryNs = 1'000'000'000;

layout::Caps caps_of(const PacketStream& stream) {
    layout::Caps caps{};
    caps.format = static_cast<std::uint32_t>(stream.codec);
    caps.width = stream.width;
    caps.height = stream.height;
    caps.fps_num = stream.width > 0 ? stream.fps.num : 0;
    caps.fps_den = stream.width > 0 ? stream.fps.den : 0;
    caps.sample_rate = stream.rate;
    caps.channels = stream.channels;
    return caps;
}

}  // namespace

void PacketWriter::set_stream(const PacketStream& stream) {
    const bool is_video = stream.codec == Codec::h264 || stream.codec == Codec::h265;
    const bool is_audio = stream.codec == Codec::aac || stream.codec == Codec::opus;
    constexpr std::uint32_t kMostSide = 1U << 16U;
    constexpr std::uint32_t kMostRate = 768'000;
    constexpr std::uint32_t kMostChannels = 255;
    const bool is_sane = stream.width <= kMostSide && stream.height <= kMostSide && stream.rate <= kMostRate &&
                         stream.channels <= kMostChannels;
    const bool fits = is_video ? stream.width > 0 && stream.height > 0 && stream.rate == 0
                               : is_audio && stream.width == 0 && stream.rate > 0 && stream.channels > 0;
    if (!fits || !is_sane) {
        throw Error(ErrorCode::invalid_argument,
                    "bus '" + bus_ + "': packet stream " + std::to_string(stream.id) +
                        " needs a codec, and width and height (video) or rate and channels (audio), not both");
    }
    Stream& known = streams_[stream.id];
    known.caps = caps_of(stream);
    known.config = stream.config;
    known.config_due = true;
    ++known.generation;
}

bool PacketWriter::has_video() const {
    return std::any_of(streams_.begin(), streams_.end(), [](const auto& entry) { return entry.second.caps.width > 0; });
}

void PacketWriter::check(const PacketView& packet) const {
    const auto found = streams_.find(packet.stream_id);
    if (found == streams_.end()) {
        throw Error(ErrorCode::invalid_argument, "bus '" + bus_ + "': packet of stream " +
                                                     std::to_string(packet.stream_id) +
                                                     ", which set_packet_stream() has not declared");
    }
    const Stream& stream = found->second;
    if (packet.dts_ns <= stream.last_dts_ns) {
        throw Error(ErrorCode::invalid_argument, "bus '" + bus_ + "': dts " + std::to_string(packet.dts_ns) +
                                                     " ns of packet stream " + std::to_string(packet.stream_id) +
                                                     " does not rise (before: " + std::to_string(stream.last_dts_ns) +
                                                     " ns)");
    }
}

void PacketWriter::write(const PacketView& packet) {
    Stream& stream = streams_.at(packet.stream_id);
    const bool starts_here = packet.key && (stream.caps.width > 0 || !has_video());
    const bool repeat = starts_here && (stream.caps.width > 0 || last_config_dts_ns_ == INT64_MIN ||
                                        packet.dts_ns - last_config_dts_ns_ >= kConfigEveryNs);
    if (repeat || stream.config_due) write_configs(packet, repeat);
    stream.last_dts_ns = packet.dts_ns;
    RecordFields fields;
    fields.pts_ns = packet.pts_ns;
    fields.dts_ns = packet.dts_ns;
    fields.duration_ns = packet.duration_ns;
    fields.media_index = stream.count++;
    fields.flags = layout::kFlagExplicitPts | (packet.key ? std::uint32_t{layout::kFlagKey} : 0U);
    fields.stream_id = packet.stream_id;
    fields.caps = stream.caps;
    fields.caps_generation = stream.generation;
    publish_(fields, packet.data);
}

void PacketWriter::write_configs(const PacketView& packet, bool of_all) {
    for (auto& [id, stream] : streams_) {
        if (!of_all && id != packet.stream_id) continue;
        RecordFields fields;
        fields.pts_ns = packet.pts_ns;
        fields.dts_ns = packet.dts_ns;
        fields.flags = layout::kFlagConfig | layout::kFlagExplicitPts;
        fields.stream_id = id;
        fields.caps = stream.caps;
        fields.caps_generation = stream.generation;
        publish_(fields, stream.config);
        stream.config_due = false;
    }
    if (of_all) last_config_dts_ns_ = packet.dts_ns;
}

}  // namespace ringcast
