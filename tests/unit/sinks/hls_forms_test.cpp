// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hls_reading.hpp"

namespace ringcast::test {
namespace {

/// Each segment of an fMP4 playlist as a file that plays: the initialisation before it.
std::string whole_fragments(const fs::path& dir, const fs::path& copy) {
    std::ofstream out(copy, std::ios::binary);
    out << contents(dir / "init-00000.mp4");
    for (const Listed& segment : listed(dir))
        out << contents(dir / segment.name);
    return copy.string();
}

TEST(HlsForms, fragmented_mp4_holds_every_picture_once_and_the_sound_without_a_seam) {
    const TemporaryFolder folder;
    auto sink = hls(folder / "hls", "segment_type=fmp4");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK) << sink.host().error();
    const auto segments = listed(folder / "hls");
    ASSERT_EQ(segments.size(), 4u);
    EXPECT_EQ(segments[0].name, "segment-00000.m4s");
    EXPECT_TRUE(contents(folder / "hls/segment-00001.m4s").substr(4).starts_with("stypmsdh"));
    EXPECT_EQ(contents(folder / "hls/init-00000.mp4").find("moof"), std::string::npos);
    const std::string joined_file = whole_fragments(folder / "hls", folder / "joined.mp4");
    const ReadMedia read = read_media(joined_file);
    EXPECT_EQ(read.video.size(), 160u);
    EXPECT_NEAR(read.video.front().pts, 0, 1e-6);
    EXPECT_NEAR(read.audio.front().pts, 0, 1e-4) << "the priming is left out";
    for (std::size_t i = 1; i < read.audio.size(); ++i)
        EXPECT_NEAR(read.audio[i].pts - read.audio[i - 1].pts, 1024.0 / 48000, 1e-4);
    const Decoded decoded = decode_media(joined_file);
    EXPECT_EQ(decoded.pictures, decode_pictures(media()));
    const std::vector<float> inner(decoded.samples.begin() + 2048, decoded.samples.end() - 4096);
    EXPECT_GT(quietest_window(inner, 48000), 0.3);
    EXPECT_LT(largest_step(inner), 0.04);
}

TEST(HlsForms, master_playlist_names_codecs_and_measured_rates) {
    const TemporaryFolder folder;
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    std::uint64_t bytes = 0;
    double seconds = 0;
    for (const Listed& segment : listed(folder.path())) {
        bytes += fs::file_size(folder / segment.name);
        seconds += segment.length;
    }
    const std::string text = contents(folder / "master.m3u8");
    const auto average = std::stod(text.substr(text.find("AVERAGE-BANDWIDTH=") + 18));
    EXPECT_NEAR(average, 8.0 * static_cast<double>(bytes) / seconds, 1);
    EXPECT_GE(std::stod(text.substr(text.find("BANDWIDTH=") + 10)), average);
    EXPECT_TRUE(text.ends_with(",FRAME-RATE=25.000\nindex.m3u8\n")) << text;
    EXPECT_NE(text.find(",mp4a.40.2\""), std::string::npos) << text;
}

}  // namespace
}  // namespace ringcast::test
