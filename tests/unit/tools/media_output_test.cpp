// SPDX-License-Identifier: Apache-2.0
#include "media_output.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace ringcast::tools {
namespace {

constexpr std::int64_t kFrameNs = 40'000'000;

/// Writes through a ByteOutput into a file and gives back what stands there.
class MediaOutputTest : public ::testing::Test {
protected:
    std::string path_ =
        (std::filesystem::temp_directory_path() / ("media-output-test-" + std::to_string(getpid()))).string();
    void TearDown() override { std::filesystem::remove(path_); }

    std::string written() {
        std::ifstream file(path_, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }
};

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

TEST_F(MediaOutputTest, y4m_repeats_the_picture_where_frames_are_missing_and_keeps_an_odd_size) {
    const VideoFormat format{PixelFormat::i420, 5, 3, {25, 1}};
    const layout::Caps caps = make_caps(format);
    const std::vector<std::byte> grey(frame_bytes(caps), std::byte{100});
    ByteOutput out(path_, {});
    const auto y4m = make_media_output(MediaFormat::y4m, {.video = format, .audio = {}}, out);
    y4m->video({.caps = caps, .payload = grey, .pts_ns = 0});
    y4m->video({.caps = caps, .payload = grey, .pts_ns = 3 * kFrameNs});
    out.close();
    const std::string text = written();
    EXPECT_TRUE(text.starts_with("YUV4MPEG2 W5 H3 F25:1 Ip A1:1 C420")) << text.substr(0, 60);
    EXPECT_EQ(count_of(text, "FRAME\n"), 4U);
    // Luma 15 and twice 3 x 2 of chroma, nothing between.
    EXPECT_EQ(text.size() - text.find("FRAME\n"), 4 * (6 + 15 + 2 * 6U));
}

TEST_F(MediaOutputTest, y4m_does_not_make_up_an_hour_of_frames_for_a_jump) {
    const VideoFormat format{PixelFormat::i420, 4, 2, {25, 1}};
    const layout::Caps caps = make_caps(format);
    const std::vector<std::byte> grey(frame_bytes(caps), std::byte{100});
    ByteOutput out(path_, {});
    const auto y4m = make_media_output(MediaFormat::y4m, {.video = format, .audio = {}}, out);
    y4m->video({.caps = caps, .payload = grey, .pts_ns = 0});
    y4m->video({.caps = caps, .payload = grey, .pts_ns = 3600'000'000'000});
    y4m->video({.caps = caps, .payload = grey, .pts_ns = 3600'000'000'000 + kFrameNs});
    out.close();
    EXPECT_EQ(count_of(written(), "FRAME\n"), 3U);
}

TEST_F(MediaOutputTest, wav_is_silent_where_samples_are_missing) {
    const AudioFormat format{SampleFormat::s16, 8000, 1};
    const layout::Caps caps = make_caps(format);
    const std::vector<std::byte> loud(2 * 80, std::byte{0x11});  // 10 ms
    ByteOutput out(path_, {});
    const auto wav = make_media_output(MediaFormat::wav, {.video = {}, .audio = format}, out);
    wav->audio({.caps = caps, .payload = loud, .pts_ns = 0});
    wav->audio({.caps = caps, .payload = loud, .pts_ns = 30'000'000});
    wav->finish();
    out.close();
    const std::string text = written();
    const std::size_t data = text.find("data");
    ASSERT_NE(data, std::string::npos);
    const std::string samples = text.substr(data + 8);
    EXPECT_EQ(samples, std::string(160, '\x11') + std::string(320, '\0') + std::string(160, '\x11'));
}

TEST_F(MediaOutputTest, raw_writes_the_bytes_and_nothing_else) {
    const VideoFormat format{PixelFormat::rgb24, 2, 2, {25, 1}};
    const layout::Caps caps = make_caps(format);
    const std::vector<std::byte> bytes(12, std::byte{'x'});
    ByteOutput out(path_, {});
    const auto raw = make_media_output(MediaFormat::raw, {.video = format, .audio = {}}, out);
    raw->video({.caps = caps, .payload = bytes, .pts_ns = 0});
    raw->finish();
    out.close();
    EXPECT_EQ(written(), "xxxxxxxxxxxx");
    EXPECT_EQ(out.written(), 12U);
}

TEST(MediaFormatNames, follow_the_suffix) {
    EXPECT_EQ(media_format_of("a.b/c.wav"), MediaFormat::wav);
    EXPECT_EQ(media_format_of("c.mp4"), std::nullopt);
    EXPECT_EQ(media_format_of("wav"), std::nullopt);
    EXPECT_EQ(media_format_from("y4m"), MediaFormat::y4m);
}

}  // namespace
}  // namespace ringcast::tools
