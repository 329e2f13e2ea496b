// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "hls_reading.hpp"

namespace ringcast::test {
namespace {

/// Counters of each PID go on over the seams, and each segment has PAT and PMT before its first media.
void expect_one_transport_stream(const fs::path& dir) {
    std::map<int, int> counters;
    for (const Listed& segment : listed(dir)) {
        const std::string bytes = contents(dir / segment.name);
        ASSERT_EQ(bytes.size() % 188, 0u) << segment.name;
        bool pat = false;
        bool pmt = false;
        for (std::size_t at = 0; at < bytes.size(); at += 188) {
            const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
            ASSERT_EQ(byte(0), 0x47);
            const int pid = (byte(1) & 0x1f) << 8 | byte(2);
            pat |= pid == 0;
            pmt |= pid == 0x1000;
            ASSERT_TRUE((pat && pmt) || pid < 0x100 || pid >= 0x1000) << segment.name << ": media before the tables";
            if ((byte(3) & 0x10) == 0) continue;
            const int counter = byte(3) & 0xf;
            const auto before = counters.find(pid);
            ASSERT_TRUE(before == counters.end() || counter == (before->second + 1) % 16)
                << segment.name << " pid " << pid;
            counters[pid] = counter;
        }
    }
}

TEST(HlsSink, segments_hold_every_picture_once_and_lengths_are_exact) {
    const TemporaryFolder folder;
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK) << sink.host().error();

    const auto segments = listed(folder.path());
    ASSERT_EQ(segments.size(), 4u);
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_DOUBLE_EQ(segments[i].length, 2.0);
    EXPECT_DOUBLE_EQ(segments[3].length, 0.4);
    expect_seamless(folder.path());
    EXPECT_EQ(decode_media(joined(folder.path())).pictures, decode_pictures(media()));
    EXPECT_TRUE(contents(folder / "index.m3u8").ends_with("#EXT-X-ENDLIST\n"));
}

TEST(HlsSink, each_segment_is_as_long_as_libavformat_finds_it) {
    const TemporaryFolder folder;
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    for (const Listed& segment : listed(folder.path())) {
        EXPECT_NEAR(read_media(folder / segment.name).duration, segment.length, 0.0401) << segment.name;
    }
}

TEST(HlsSink, tone_has_no_hole_and_no_click_over_the_seams) {
    const TemporaryFolder folder;
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    const Decoded decoded = decode_media(joined(folder.path()));
    ASSERT_GT(decoded.samples.size(), 298'000u);
    const std::vector<float> inner(decoded.samples.begin() + 2048, decoded.samples.end() - 4096);
    EXPECT_GT(quietest_window(inner, 48000), 0.3);
    EXPECT_LT(largest_step(inner), 0.04);
}

TEST(HlsSink, sound_that_trails_the_picture_still_lands_in_its_own_segment) {
    const TemporaryFolder folder;
    TestMedia trailing = media();
    for (auto& stream : trailing.streams)
        stream.description.extradata = stream.extradata.data();
    std::ranges::stable_sort(trailing.packets, {}, [](const MediaPacket& packet) {
        return packet.dts_us + (packet.description.stream == 1 ? 120'000 : 0);
    });
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.feed(trailing), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    ASSERT_EQ(listed(folder.path()).size(), 4u);
    expect_seamless(folder.path());
    EXPECT_EQ(decode_media(joined(folder.path())).pictures, decode_pictures(media()));
}

TEST(HlsSink, picture_goes_on_when_the_sound_stops_coming) {
    const TemporaryFolder folder;
    TestMedia silent = media();
    for (auto& stream : silent.streams)
        stream.description.extradata = stream.extradata.data();
    std::erase_if(silent.packets, [](const MediaPacket& packet) {
        return packet.description.stream == 1 && packet.dts_us > 1'000'000;
    });
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.feed(silent), RINGCAST_SINK_OK);
    EXPECT_EQ(listed(folder.path()).size(), 2u) << "two cuts lie more than the patience back, the third does not";
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(listed(folder.path()).size(), 4u);
    EXPECT_EQ(decode_media(joined(folder.path())).pictures, decode_pictures(media()));
}

TEST(HlsSink, transport_stream_counters_go_on_over_the_seams_and_tables_come_first) {
    const TemporaryFolder folder;
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    expect_one_transport_stream(folder.path());
}

TEST(HlsSink, longer_segments_are_cut_at_the_next_keyframe) {
    const TemporaryFolder folder;
    auto sink = hls(folder.path(), "segment=3s");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    const auto segments = listed(folder.path());
    ASSERT_EQ(segments.size(), 2u);
    EXPECT_DOUBLE_EQ(segments[0].length, 4.0);
    EXPECT_DOUBLE_EQ(segments[1].length, 2.4);
    EXPECT_NE(contents(folder / "index.m3u8").find("TARGETDURATION:4\n"), std::string::npos);
    expect_seamless(folder.path());
}

TEST(HlsSink, ntsc_rate_keeps_exact_lengths) {
    const TemporaryFolder folder;
    const TestMedia ntsc = make_media({.fps = "30000/1001", .frames = 130, .gop = 60, .rate = 44100});
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.feed(ntsc), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    const auto segments = listed(folder.path());
    ASSERT_EQ(segments.size(), 3u);
    EXPECT_DOUBLE_EQ(segments[0].length, 2.002);
    EXPECT_NEAR(segments[2].length, 10 * 1001 / 30000.0, 1e-6);
    expect_seamless(folder.path());
}

TEST(HlsSink, segments_appear_only_when_whole_and_before_the_playlist_names_them) {
    const TemporaryFolder folder;
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.headers(media()), RINGCAST_SINK_OK);
    std::size_t most = 0;
    for (const MediaPacket& packet : media().packets) {
        ASSERT_EQ(sink.packet(packet), RINGCAST_SINK_OK);
        std::size_t visible = 0;
        for (const auto& entry : fs::directory_iterator(folder.path())) {
            visible += entry.path().filename().string().starts_with("segment-") ? 1 : 0;
        }
        const auto segments = listed(folder.path());
        EXPECT_EQ(visible, segments.size());
        most = std::max(most, visible);
    }
    EXPECT_EQ(most, 3u);
}

TEST(HlsSink, two_sinks_cannot_share_a_folder) {
    const TemporaryFolder folder;
    auto first = hls(folder.path());
    auto second = hls(folder.path());
    ASSERT_EQ(first.connect(), RINGCAST_SINK_OK);
    EXPECT_EQ(second.connect(), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(second.host().error().find("dir="), std::string::npos) << second.host().error();
}

TEST(HlsSink, unusable_folders_and_options_are_one_line) {
    const TemporaryFolder folder;
    std::ofstream(folder / "plain") << "a file";
    auto below_a_file = hls(folder / "plain/hls");
    EXPECT_EQ(below_a_file.connect(), RINGCAST_SINK_E_CONFIG);
    expect_one_line(below_a_file.host().error(), "plain/hls");
    for (const char* word : {"segment=2", "segment=fast", "segment=0s", "segment=2h", "mode=sideways", "segment=-2s",
                             "window=2", "window=six", "segment_type=mkv", "segment_name=talk", "segment_name=../%d",
                             "segment_name=%s", "segment_name=%05d.mp4", "segment_name=%d%d", "segment_name=.%d"}) {
        auto sink = hls(folder.path(), word);
        EXPECT_EQ(sink.create_result(), RINGCAST_SINK_E_CONFIG) << word;
        EXPECT_NE(sink.host().error().find(word), std::string::npos) << sink.host().error();
    }
}

TEST(HlsSink, full_disk_is_reported_and_the_published_part_is_closed) {
    const TemporaryFolder folder;
    const TestMedia& source = media();
    std::size_t segment_size = 0;
    {
        auto sink = hls(folder / "free");
        ASSERT_EQ(sink.feed(source), RINGCAST_SINK_OK);
        segment_size = fs::file_size(folder / "free/segment-00001.ts");
        ASSERT_GT(segment_size, fs::file_size(folder / "free/segment-00000.ts"));
    }
    EXPECT_EQ(in_a_child([&] {
                  limit_file_size(segment_size - 1000);  // the second segment is a little too big
                  auto sink = hls(folder / "full");
                  if (sink.feed(source) != RINGCAST_SINK_E_STORAGE) return 1;
                  return sink.disconnect(true) == RINGCAST_SINK_OK ? 0 : 2;
              }),
              0);
    EXPECT_EQ(listed(folder / "full").size(), 1u);
    EXPECT_TRUE(contents(folder / "full/index.m3u8").ends_with("#EXT-X-ENDLIST\n"));
    expect_seamless(folder / "full");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder / "full"), {}), 3) << "no torn segment is left";
}

TEST(HlsSink, sound_alone_is_segmented) {
    const TemporaryFolder folder;
    const TestMedia sound = make_media({.frames = 125, .video = false});
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.feed(sound), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    ASSERT_EQ(listed(folder.path()).size(), 3u);
    expect_one_transport_stream(folder.path());
    const ReadMedia read = read_media(joined(folder.path()));
    for (std::size_t i = 1; i < read.audio.size(); ++i) {
        EXPECT_NEAR(read.audio[i].pts - read.audio[i - 1].pts, 1024.0 / 48000, 1e-4);
    }
}

TEST(HlsSink, stopping_before_the_first_record_leaves_the_folder_empty) {
    const TemporaryFolder folder;
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.headers(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace ringcast::test
