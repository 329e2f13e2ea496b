// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "hls/master_playlist.hpp"

namespace ringcast::sink {
namespace {

ringcast_sink_stream stream_of(std::uint32_t media, std::uint32_t codec, const std::vector<std::uint8_t>& config) {
    ringcast_sink_stream stream{};
    stream.media = media;
    stream.codec = codec;
    stream.width = 1280;
    stream.height = 720;
    stream.fps_num = 30000;
    stream.fps_den = 1001;
    stream.extradata = config.data();
    stream.extradata_size = config.size();
    return stream;
}

Rendition rendition(const std::vector<ringcast_sink_stream>& list) {
    std::vector<const ringcast_sink_stream*> streams;
    for (const auto& each : list)
        streams.push_back(&each);
    return rendition_of(streams);
}

TEST(MasterPlaylist, names_size_rate_and_codecs_of_h264_and_aac) {
    const std::vector<std::uint8_t> avcc{1, 0x64, 0x00, 0x1f, 0xff};
    const std::vector<std::uint8_t> aac{0x11, 0x90};
    const Rendition made = rendition({stream_of(RINGCAST_SINK_VIDEO, RINGCAST_SINK_H264, avcc),
                                      stream_of(RINGCAST_SINK_AUDIO, RINGCAST_SINK_AAC, aac)});
    EXPECT_EQ(master_playlist(made, SegmentType::ts, 1'500'000, 1'200'000),
              "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n"
              "#EXT-X-STREAM-INF:BANDWIDTH=1500000,AVERAGE-BANDWIDTH=1200000,CODECS=\"avc1.64001f,mp4a.40.2\","
              "RESOLUTION=1280x720,FRAME-RATE=29.970\nindex.m3u8\n");
}

TEST(MasterPlaylist, h265_is_named_with_profile_compatibility_tier_level_and_constraints) {
    // ISO/IEC 14496-15, annex E: its own example is hev1.1.6.L93.B0, Main profile, level 3.1.
    const std::vector<std::uint8_t> hvcc{1, 0x01, 0x60, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 93, 0xf0};
    const auto video = stream_of(RINGCAST_SINK_VIDEO, RINGCAST_SINK_H265, hvcc);
    EXPECT_EQ(rendition({video}).codecs, "hvc1.1.6.L93.B0");
}

TEST(MasterPlaylist, sound_alone_has_no_size_and_half_a_list_of_codecs_is_no_list) {
    const std::vector<std::uint8_t> aac{0x2b, 0x8a};
    const Rendition sound = rendition({stream_of(RINGCAST_SINK_AUDIO, RINGCAST_SINK_AAC, aac)});
    EXPECT_EQ(master_playlist(sound, SegmentType::fmp4, 2, 1),
              "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
              "#EXT-X-STREAM-INF:BANDWIDTH=2,AVERAGE-BANDWIDTH=1,CODECS=\"mp4a.40.5\"\nindex.m3u8\n");
    const Rendition half = rendition({stream_of(RINGCAST_SINK_AUDIO, RINGCAST_SINK_AAC, aac),
                                      stream_of(RINGCAST_SINK_VIDEO, RINGCAST_SINK_H264, {})});
    EXPECT_EQ(half.codecs, "");
}

}  // namespace
}  // namespace ringcast::sink
