// SPDX-License-Identifier: Apache-2.0
/// Real encoded media for sinks, and readers that say what is in a file.
#pragma once

#include <ringcast/sink.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ringcast::test {

struct MediaPacket {
    ringcast_sink_packet description{};
    std::vector<std::uint8_t> data;
    std::int64_t dts_us = 0;

    [[nodiscard]] ringcast_sink_packet view() const;
};

struct MediaStream {
    ringcast_sink_stream description{};
    std::vector<std::uint8_t> extradata;
};

/// Packets as the host delivers them: length-prefixed H.264 in frame ticks, raw AAC in samples, interleaved by dts.
struct TestMedia {
    std::vector<MediaStream> streams;
    std::vector<MediaPacket> packets;
    std::int64_t video_frames = 0;
};

struct MediaSettings {
    std::string fps = "25";
    int frames = 160;  ///< 6.4 s at 25 fps: three whole segments of 2 s and a short one
    int gop = 50;
    int rate = 48000;
    bool video = true;
    bool audio = true;
};

/// Encodes a moving test picture and a steady 440 Hz tone.
TestMedia make_media(const MediaSettings& settings = {});

/// One packet of a file, times in seconds.
struct ReadPacket {
    bool video = false;
    bool key = false;
    double pts = 0;
    double duration = 0;
};

struct ReadMedia {
    std::vector<ReadPacket> video;
    std::vector<ReadPacket> audio;
    double start = 0;  ///< as libavformat reports for the whole file
    double duration = 0;
};

/// Everything libavformat finds in a file (or "concat:a|b"). Throws when it cannot be opened.
ReadMedia read_media(const std::string& url);

/// Decoded: a checksum of the luma of each picture in output order, and the samples of the first channel.
struct Decoded {
    std::vector<std::uint64_t> pictures;
    std::vector<float> samples;
    double first_sample_pts = 0;
};
Decoded decode_media(const std::string& url);

/// The pictures of the packets themselves: what every output must show, once and in order.
std::vector<std::uint64_t> decode_pictures(const TestMedia& media);

/// The least root mean square of the samples over windows of 5 ms: a hole in a steady tone shows as a small number.
double quietest_window(const std::vector<float>& samples, int rate);

/// The largest step between neighbouring samples: a click or a cut-out piece shows as a large one.
double largest_step(const std::vector<float>& samples);

}  // namespace ringcast::test
