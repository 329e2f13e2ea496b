// SPDX-License-Identifier: Apache-2.0
#include "runtime/passed_audio.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "ringcast/error.hpp"
#include "runtime/media_time.hpp"

namespace ringcast::runtime {

namespace {

constexpr std::int64_t kAacFrame = 1024;  // samples; twice that with SBR
constexpr std::int64_t kOpusFrame = 960;  // 20 ms, the usual one
constexpr std::int64_t kLongestNs = kSecondNs;
constexpr std::int64_t kRoundingNs = kMillisecondNs;

StreamInfo info_of(const PassedStream& stream) {
    StreamInfo info;
    info.media = Media::audio;
    info.codec = stream.format.codec;
    info.sample_rate = stream.format.rate;
    info.channels = stream.format.channels;
    info.timebase = {1, info.sample_rate};
    info.extradata = stream.config;
    return info;
}

/// AAC with the header of an elementary stream in front, which containers do not take.
bool has_adts_header(const Record& record) {
    return record.payload.size() > 7 && record.payload[0] == std::byte{0xFF} &&
           (record.payload[1] & std::byte{0xF6}) == std::byte{0xF0};
}

}  // namespace

PassedAudio::PassedAudio(PassedStream stream) : info_(info_of(stream)) {
    constexpr std::size_t kLeastConfig = 2;
    if (info_.codec == Codec::aac && stream.config.size() < kLeastConfig)
        throw Error(ErrorCode::unsupported,
                    "the AAC packets of this bus cannot be sent on without an AudioSpecificConfig: the producer must "
                    "give it as config");
    streams_.audio = std::move(stream);
}

std::uint32_t PassedAudio::samples_of(const PacketFormat& format, std::int64_t duration_ns) {
    const std::int64_t frame = format.codec == Codec::aac ? kAacFrame : kOpusFrame;
    const std::int64_t said = scale(std::clamp<std::int64_t>(duration_ns, 0, kLongestNs), format.rate, kSecondNs);
    if (said == 0) return static_cast<std::uint32_t>(frame);
    const std::int64_t whole = std::max<std::int64_t>((said + frame / 2) / frame, 1) * frame;
    const bool rounded = std::abs(said - whole) <= scale(kRoundingNs, format.rate, kSecondNs);
    return static_cast<std::uint32_t>(rounded ? whole : said);
}

ReadStatus PassedAudio::read(FlowReader& flow, std::optional<AudioRecord>& record) {
    record.reset();
    return flow.try_read([&](const Record& packet) { record = take(packet); });
}

std::optional<AudioRecord> PassedAudio::take(const Record& record) {
    const PassedStream& stream = *streams_.audio;
    if (record.stream_id != stream.id) return std::nullopt;
    if ((record.flags & layout::kFlagConfig) != 0) {
        changed_ = streams_.take(record) || changed_;
        return std::nullopt;
    }
    if (changed_) return std::nullopt;
    if (info_.codec == Codec::aac && has_adts_header(record))
        throw Error(ErrorCode::unsupported,
                    "the AAC packets of this bus have ADTS headers: the producer must write raw AAC frames");
    AudioRecord block;
    block.id = id_of(record.index);
    block.pts_ns = record.pts_ns;
    block.capture_time_ns = record.capture_time_ns;
    block.session = record.session;
    block.sample_index = samples_read_;
    block.sample_count = samples_of(stream.format, record.duration_ns);
    block.sample_rate = info_.sample_rate;
    block.discontinuity = (record.flags & layout::kFlagDiscontinuity) != 0;
    block.explicit_pts = true;
    samples_read_ += block.sample_count;
    next_id_ = block.id + 1;
    bytes_held_ += record.payload.size();
    packets_.push_back({block.id, block.sample_count, copy_payload(record)});
    return block;
}

void PassedAudio::forget_before(std::uint64_t id) {
    while (!packets_.empty() && packets_.front().id < id) {
        bytes_held_ -= static_cast<std::size_t>(packets_.front().payload->size);
        packets_.pop_front();
    }
}

void PassedAudio::copy(const CopySamples& samples, const PacketHandler& handler) {
    forget_before(samples.id);
    if (samples.offset != 0 || packets_.empty() || packets_.front().id != samples.id) return;
    Packet out;
    out.stream = static_cast<std::uint32_t>(Media::audio);
    out.pts = out.dts = samples.position;
    out.duration = packets_.front().samples;
    out.key = true;
    bytes_held_ -= static_cast<std::size_t>(packets_.front().payload->size);
    out.payload = std::move(packets_.front().payload);
    packets_.pop_front();
    handler(std::move(out));
}

}  // namespace ringcast::runtime
