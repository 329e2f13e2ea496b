// SPDX-License-Identifier: Apache-2.0
/// What the tests of the HLS sink share: a sink in a folder, and what stands in that folder.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "sink_test_support.hpp"

namespace ringcast::test {

inline PluginDriver hls(const fs::path& dir, const std::string& more = "segment=2s") {
    return PluginDriver(HLS_SINK_SO, {"dir=" + dir.string(), more});
}

struct Listed {
    std::string name;
    double length = 0;
};

inline std::vector<Listed> listed(const fs::path& dir) {
    std::istringstream lines(contents(dir / "index.m3u8"));
    std::vector<Listed> segments;
    double length = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("#EXTINF:")) length = std::stod(line.substr(8));
        if (!line.starts_with('#')) segments.push_back({line, length});
    }
    return segments;
}

inline std::string joined(const fs::path& dir) {
    std::string url = "concat:";
    for (const Listed& segment : listed(dir))
        url += (url.back() == ':' ? "" : "|") + (dir / segment.name).string();
    return url;
}

inline double end_of(const std::vector<ReadPacket>& packets) {
    return packets.back().pts + packets.back().duration;
}

/// Lengths are true, keyframes come first, and no sound is missing or twice.
inline void expect_seamless(const fs::path& dir) {
    double cut = read_media(dir / listed(dir).front().name).video.front().pts;
    double sound_end = 0;
    for (const Listed& segment : listed(dir)) {
        const ReadMedia read = read_media(dir / segment.name);
        ASSERT_FALSE(read.video.empty()) << segment.name;
        EXPECT_TRUE(read.video.front().key) << segment.name;
        EXPECT_NEAR(read.video.front().pts, cut, 1e-4) << segment.name;
        EXPECT_NEAR(end_of(read.video) - cut, segment.length, 1e-4) << segment.name;
        if (sound_end != 0) {
            EXPECT_NEAR(read.audio.front().pts, sound_end, 1e-4) << segment.name << ": hole or overlap";
            EXPECT_GE(read.audio.front().pts, cut - 1e-4) << segment.name;
        }
        cut += segment.length;
        EXPECT_LT(read.audio.back().pts, cut) << segment.name << ": sound of the next segment";
        sound_end = end_of(read.audio);
    }
}

}  // namespace ringcast::test
