// SPDX-License-Identifier: Apache-2.0
#include "rtmp/flv.hpp"

#include "rtmp/amf.hpp"

namespace ringcast::sink {

namespace {

constexpr std::uint8_t kAvc = 7;
constexpr std::uint8_t kKeyframe = 1U << 4U;
constexpr std::uint8_t kInterFrame = 2U << 4U;
// AAC is always called 44 kHz, 16 bit, stereo here; the truth is in its AudioSpecificConfig.
constexpr std::uint8_t kAac = 0xAF;

enum AvcPacket : std::uint8_t { kConfig = 0, kUnits = 1 };

void add_video(const ringcast_sink_stream& stream, std::vector<AmfWriter::Named>& members) {
    members.emplace_back("width", static_cast<double>(stream.width));
    members.emplace_back("height", static_cast<double>(stream.height));
    if (stream.fps_den != 0) members.emplace_back("framerate", static_cast<double>(stream.fps_num) / stream.fps_den);
    members.emplace_back("videocodecid", static_cast<double>(kAvc));
    members.emplace_back("videodatarate", static_cast<double>(stream.bitrate_bps) / 1000.0);
}

void add_audio(const ringcast_sink_stream& stream, std::vector<AmfWriter::Named>& members) {
    members.emplace_back("audiocodecid", static_cast<double>(kAac >> 4U));
    members.emplace_back("audiodatarate", static_cast<double>(stream.bitrate_bps) / 1000.0);
    members.emplace_back("audiosamplerate", static_cast<double>(stream.sample_rate));
    members.emplace_back("audiosamplesize", 16.0);
    members.emplace_back("audiochannels", static_cast<double>(stream.channels));
    members.emplace_back("stereo", stream.channels == 2);
}

}  // namespace

std::array<std::uint8_t, 5> flv_video_head(bool key, std::int32_t shift_ms) {
    const auto shift = static_cast<std::uint32_t>(shift_ms);
    return {static_cast<std::uint8_t>((key ? kKeyframe : kInterFrame) | kAvc), kUnits,
            static_cast<std::uint8_t>(shift >> 16U), static_cast<std::uint8_t>(shift >> 8U),
            static_cast<std::uint8_t>(shift)};
}

std::array<std::uint8_t, 5> flv_video_config_head() {
    return {kKeyframe | kAvc, kConfig, 0, 0, 0};
}

std::array<std::uint8_t, 2> flv_audio_head() {
    return {kAac, 1};
}

std::array<std::uint8_t, 2> flv_audio_config_head() {
    return {kAac, 0};
}

std::vector<std::uint8_t> flv_metadata(std::span<const ringcast_sink_stream* const> streams, std::string_view encoder) {
    std::vector<AmfWriter::Named> members{{"duration", 0.0}, {"filesize", 0.0}};
    for (const ringcast_sink_stream* stream : streams)
        stream->media == RINGCAST_SINK_VIDEO ? add_video(*stream, members) : add_audio(*stream, members);
    members.emplace_back("encoder", encoder);
    AmfWriter writer;
    writer.value(std::string_view("@setDataFrame")).value(std::string_view("onMetaData")).array(members);
    const auto bytes = writer.bytes();
    return {bytes.begin(), bytes.end()};
}

}  // namespace ringcast::sink
