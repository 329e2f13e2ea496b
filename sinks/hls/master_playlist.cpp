// SPDX-License-Identifier: Apache-2.0
#include "hls/master_playlist.hpp"

#include <array>
#include <cstdio>
#include <string_view>

namespace ringcast::sink {

namespace {

using Bytes = std::span<const std::uint8_t>;

template <typename... Values>
std::string formatted(const char* format, Values... values) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, values...);
    return text.data();
}

// avcC: version, profile, constraint flags, level.
std::string h264_name(Bytes config) {
    return config.size() < 4 ? std::string() : formatted("avc1.%02x%02x%02x", config[1], config[2], config[3]);
}

// hvcC (ISO/IEC 14496-15, 8.3.3), written as its annex E says: profile, compatibility bits turned around, tier and
// level, constraint bytes without the zeros at the end.
std::string h265_name(Bytes config) {
    if (config.size() < 13) return {};
    static constexpr std::array<const char*, 4> kSpaces{"", "A", "B", "C"};
    std::uint32_t compatible = 0;
    for (unsigned bit = 0; bit < 32; ++bit)
        compatible |= ((config[2 + bit / 8] >> (7 - bit % 8)) & 1U) << bit;
    std::string name = "hvc1.";
    name += kSpaces[config[1] >> 6];
    name += formatted("%u.%x.%c%u", config[1] & 0x1fU, compatible, (config[1] & 0x20) != 0 ? 'H' : 'L', config[12]);
    std::size_t last = 11;
    while (last > 6 && config[last] == 0)
        --last;
    for (std::size_t at = 6; at <= last; ++at)
        name += formatted(".%X", config[at]);
    return name;
}

// AudioSpecificConfig: five bits of object type, or 31 and six bits more.
std::string aac_name(Bytes config) {
    if (config.size() < 2) return {};
    unsigned type = config[0] >> 3;
    if (type == 31) type = 32 + ((config[0] & 7U) << 3 | config[1] >> 5);
    return "mp4a.40." + std::to_string(type);
}

std::string codec_name(const ringcast_sink_stream& stream) {
    const Bytes config(stream.extradata, stream.extradata_size);
    switch (stream.codec) {
        case RINGCAST_SINK_H264:
            return h264_name(config);
        case RINGCAST_SINK_H265:
            return h265_name(config);
        case RINGCAST_SINK_AAC:
            return aac_name(config);
        case RINGCAST_SINK_OPUS:
            return "opus";
        default:
            return {};
    }
}

}  // namespace

Rendition rendition_of(std::span<const ringcast_sink_stream* const> streams) {
    Rendition rendition;
    bool all_known = true;
    for (const auto* stream : streams) {
        const std::string name = codec_name(*stream);
        all_known = all_known && !name.empty();
        rendition.codecs += (rendition.codecs.empty() ? "" : ",") + name;
        if (stream->media != RINGCAST_SINK_VIDEO) continue;
        rendition.resolution = std::to_string(stream->width) + "x" + std::to_string(stream->height);
        if (stream->fps_den != 0) rendition.frame_rate = formatted("%.3f", double(stream->fps_num) / stream->fps_den);
    }
    // Half a list would be a promise that the rest is not there.
    if (!all_known) rendition.codecs.clear();
    return rendition;
}

std::string master_playlist(const Rendition& rendition, SegmentType type, std::uint64_t peak_bps,
                            std::uint64_t average_bps) {
    std::string text = type == SegmentType::fmp4 ? "#EXTM3U\n#EXT-X-VERSION:7\n" : "#EXTM3U\n#EXT-X-VERSION:3\n";
    text += "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH=" + std::to_string(peak_bps) +
            ",AVERAGE-BANDWIDTH=" + std::to_string(average_bps);
    if (!rendition.codecs.empty()) text += ",CODECS=\"" + rendition.codecs + "\"";
    if (!rendition.resolution.empty()) text += ",RESOLUTION=" + rendition.resolution;
    if (!rendition.frame_rate.empty()) text += ",FRAME-RATE=" + rendition.frame_rate;
    return text + "\n" + kPlaylistName + "\n";
}

}  // namespace ringcast::sink
