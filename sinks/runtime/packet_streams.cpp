// SPDX-License-Identifier: Apache-2.0
#include "runtime/packet_streams.hpp"

#include <cstring>
#include <new>

#include "ringcast/error.hpp"

namespace ringcast::runtime {

namespace {

/// avcC and hvcC begin with version 1; Annex B parameter sets with a start code.
void require_record(const PassedStream& stream, const std::string& bus) {
    const std::size_t least = stream.format.codec == Codec::h265 ? 23 : 7;
    if (stream.config.size() >= least && stream.config[0] == 1) return;
    const std::string record = stream.format.codec == Codec::h265 ? "hvcC" : "avcC";
    throw Error(ErrorCode::unsupported, "bus " + bus + ": packet stream " + std::to_string(stream.id) + " has no " +
                                            record + " record, so its " + std::string(name_of(stream.format.codec)) +
                                            " packets cannot be sent on: the producer must give it as config");
}

}  // namespace

bool is_video(Codec codec) {
    return codec == Codec::h264 || codec == Codec::h265;
}

AVPacketPtr copy_payload(const Record& record) {
    AVPacketPtr packet = av_owned<AVPacketPtr>(av_packet_alloc());
    if (av_new_packet(packet.get(), static_cast<int>(record.payload.size())) < 0) throw std::bad_alloc();
    std::memcpy(packet->data, record.payload.data(), record.payload.size());
    return packet;
}

bool PassedStreams::take(const Record& record) {
    const auto format = packet_format_of(record.caps);
    if ((record.flags & layout::kFlagConfig) == 0 || !format) return false;
    const bool sized =
        is_video(format->codec) ? format->width > 0 && format->height > 0 : format->rate > 0 && format->channels > 0;
    if (!sized) return false;
    std::optional<PassedStream>& kept = is_video(format->codec) ? video : audio;
    if (kept && kept->id != record.stream_id) return false;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(record.payload.data());
    PassedStream stream{record.stream_id, *format, {bytes, bytes + record.payload.size()}};
    const bool changed = kept && (kept->config != stream.config || kept->format.width != format->width ||
                                  kept->format.height != format->height || kept->format.codec != format->codec ||
                                  kept->format.rate != format->rate || kept->format.channels != format->channels);
    kept = std::move(stream);
    return changed;
}

bool PassedStreams::read_descriptions(FlowReader& flow, const std::string& bus) {
    Record next;
    while (flow.try_peek(next) == ReadStatus::ok) {
        const bool config = (next.flags & layout::kFlagConfig) != 0;
        if (!config && video) {
            require_record(*video, bus);
            return true;
        }
        static_cast<void>(flow.try_read([&](const Record& record) { static_cast<void>(take(record)); }));
    }
    return false;
}

bool PassedStreams::read_sound_description(FlowReader& flow) {
    Record next;
    while (flow.try_peek(next) == ReadStatus::ok) {
        if (audio && next.stream_id == audio->id && (next.flags & layout::kFlagConfig) == 0) return true;
        static_cast<void>(flow.try_read([&](const Record& record) { static_cast<void>(take(record)); }));
    }
    return false;
}

}  // namespace ringcast::runtime
