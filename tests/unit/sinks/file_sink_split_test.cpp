// SPDX-License-Identifier: Apache-2.0
// A recording in many files.
#include <gtest/gtest.h>

#include <fstream>

#include "recorder_driver.hpp"

namespace ringcast::test {
namespace {

ReadMedia as_one_file(const std::string& extension) {
    const TemporaryFolder folder;
    const auto path = folder / ("whole." + extension);
    auto sink = recorder(path);
    sink.feed(media());
    sink.disconnect(true);
    return read_media(path);
}

TEST_P(FileSinkFormats, split_parts_begin_with_a_keyframe_and_together_hold_every_packet_once) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / ("out." + GetParam()), "split=2s");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK) << sink.host().error();
    sink.linger();

    std::vector<std::string> names;
    for (const char* number : {"001", "002", "003", "004"})
        names.push_back("out-" + std::string(number) + "." + GetParam());
    ASSERT_EQ(names_in(folder), names);
    const ReadMedia whole = as_one_file(GetParam());
    std::vector<std::uint64_t> pictures;
    std::size_t sounds = 0;
    for (const std::string& name : names) {
        const ReadMedia read = read_media(folder / name);
        EXPECT_TRUE(read.video.front().key) << name;
        EXPECT_EQ(read.video.size(), name == names.back() ? 10u : 50u);
        // The first packet of the file is the one that begins after the cut: no sound is in both files or in none.
        const double lead = read.audio.front().pts - read.video.front().pts;
        EXPECT_GE(lead, name == names.front() ? -0.022 : -0.001);
        EXPECT_LT(lead, 1024.0 / 48000 + 0.001);
        sounds += read.audio.size();
        const auto decoded = decode_media(folder / name).pictures;
        pictures.insert(pictures.end(), decoded.begin(), decoded.end());
    }
    EXPECT_EQ(pictures, decode_pictures(media()));
    EXPECT_EQ(sounds, whole.audio.size());
}

TEST(FileSink, parts_of_a_split_transport_stream_joined_end_to_end_are_one_stream) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.ts", "split=2s");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    std::ofstream joined(folder / "joined.ts", std::ios::binary);
    for (const char* name : {"out-001.ts", "out-002.ts", "out-003.ts", "out-004.ts"})
        joined << contents(folder / name);
    joined.close();
    const Decoded decoded = decode_media(folder / "joined.ts");
    EXPECT_EQ(decoded.pictures, decode_pictures(media()));
    const std::vector<float> inner(decoded.samples.begin() + 2048, decoded.samples.end() - 4096);
    EXPECT_GT(quietest_window(inner, 48000), 0.3);
    EXPECT_LT(largest_step(inner), 0.04);
}

TEST(FileSink, split_by_size_keeps_every_file_below_it) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mkv", "split=300kB");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    sink.linger();
    std::vector<std::uint64_t> pictures;
    for (const std::string& name : names_in(folder)) {
        const auto decoded = decode_media(folder / name).pictures;
        pictures.insert(pictures.end(), decoded.begin(), decoded.end());
        if (decoded.size() > 50) {
            EXPECT_LE(fs::file_size(folder / name), 300'000u) << name << ", more than one GOP";
        }
    }
    EXPECT_GE(names_in(folder).size(), 2u);
    EXPECT_EQ(pictures, decode_pictures(media()));
}

}  // namespace
}  // namespace ringcast::test
