// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "recorder_driver.hpp"

namespace ringcast::test {
namespace {

/// Seconds to the place where the tone begins.
double onset(const std::vector<float>& samples, int rate) {
    const auto loud = std::ranges::find_if(samples, [](float sample) { return std::abs(sample) > 0.2F; });
    return static_cast<double>(loud - samples.begin()) / rate;
}

INSTANTIATE_TEST_SUITE_P(Each, FileSinkFormats, testing::Values("mp4", "mkv", "ts", "flv"));

TEST_P(FileSinkFormats, recording_holds_every_picture_once_and_in_order) {
    const TemporaryFolder folder;
    const auto path = folder / ("out." + GetParam());
    auto sink = recorder(path);
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK) << sink.host().error();

    EXPECT_EQ(decode_media(path).pictures, decode_pictures(media()));
    const ReadMedia read = read_media(path);
    ASSERT_EQ(read.video.size(), 160u);
    // Matroska and FLV have no time before 0: sound and picture alike begin one AAC priming later. MPEG-TS moves both.
    const double first = read.video.front().pts;
    EXPECT_NEAR(first, GetParam() == "mp4" ? 0 : GetParam() == "ts" ? 1.0 : 1024.0 / 48000, 0.001);
    const bool has_durations = GetParam() == "mp4" || GetParam() == "mkv";
    for (std::size_t i = 0; i < read.video.size(); ++i) {
        EXPECT_NEAR(read.video[i].pts - first, static_cast<double>(i) / 25, 0.0011) << "frame " << i;
        if (has_durations) {
            EXPECT_NEAR(read.video[i].duration, 0.04, 0.0006) << "frame " << i;
        }
    }
    EXPECT_NEAR(read.duration, 6.4, 0.045);
}

TEST_P(FileSinkFormats, sound_starts_with_the_picture_and_has_no_hole) {
    const TemporaryFolder folder;
    const auto path = folder / ("out." + GetParam());
    auto sink = recorder(path);
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);

    const ReadMedia read = read_media(path);
    ASSERT_FALSE(read.audio.empty());
    EXPECT_NEAR(read.audio.front().pts - read.video.front().pts, -1024.0 / 48000, 0.001) << "priming lies before";
    for (std::size_t i = 1; i < read.audio.size(); ++i) {
        EXPECT_NEAR(read.audio[i].pts - read.audio[i - 1].pts, 1024.0 / 48000, 0.0011);
    }
    const Decoded decoded = decode_media(path);
    EXPECT_NEAR(decoded.first_sample_pts + onset(decoded.samples, 48000) - read.video.front().pts, 0, 0.005);
    const std::vector<float> inner(decoded.samples.begin() + 2048, decoded.samples.end() - 4096);
    EXPECT_GT(quietest_window(inner, 48000), 0.3);
    EXPECT_LT(largest_step(inner), 0.04);  // a 440 Hz tone at 0.5 steps 0.029 at most
}

TEST_P(FileSinkFormats, recording_of_a_killed_process_plays_up_to_its_last_whole_second) {
    const TemporaryFolder folder;
    const auto path = folder / ("out." + GetParam());
    record_and_die(path);

    const auto pictures = decode_media(path).pictures;
    const auto wanted = decode_pictures(media());
    ASSERT_GE(pictures.size(), 125u) << "five whole seconds";
    ASSERT_LE(pictures.size(), wanted.size());
    EXPECT_TRUE(std::equal(pictures.begin(), pictures.end(), wanted.begin()));
    const ReadMedia read = read_media(path);
    EXPECT_GE(read.audio.back().pts - read.video.front().pts, 4.9);
}

TEST_P(FileSinkFormats, fractional_frame_rate_keeps_exact_times) {
    const TemporaryFolder folder;
    const auto path = folder / ("out." + GetParam());
    const TestMedia ntsc = make_media({.fps = "30000/1001", .frames = 95, .gop = 60, .rate = 44100});
    auto sink = recorder(path);
    ASSERT_EQ(sink.feed(ntsc), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    const ReadMedia read = read_media(path);
    ASSERT_EQ(read.video.size(), 95u);
    // Matroska and FLV count milliseconds, MPEG-TS ticks of 11 us.
    const double tolerance = GetParam() == "mp4" ? 1e-6 : GetParam() == "ts" ? 12e-6 : 0.0011;
    for (std::size_t i = 0; i < read.video.size(); ++i) {
        EXPECT_NEAR(read.video[i].pts - read.video.front().pts, static_cast<double>(i) * 1001 / 30000, tolerance);
    }
}

TEST_P(FileSinkFormats, each_stream_after_the_first_becomes_a_part_of_its_own) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / ("out." + GetParam()), "fast_start=no");
    std::ofstream(folder / ("out-2." + GetParam())) << "somebody else's";
    for (int stream = 0; stream < 2; ++stream) {
        ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
        ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK) << sink.host().error();
    }
    EXPECT_EQ(read_media(folder / ("out." + GetParam())).video.size(), 160u);
    EXPECT_EQ(contents(folder / ("out-2." + GetParam())), "somebody else's");
    EXPECT_EQ(read_media(folder / ("out-3." + GetParam())).video.size(), 160u);
    EXPECT_EQ(sink.host().info("path"), (folder / ("out-3." + GetParam())).string());
    EXPECT_GE(sink.bytes_sent(), fs::file_size(folder / ("out." + GetParam())) * 2) << "it counts over all parts";
}

TEST(FileSink, mp4_without_fast_start_has_a_fragment_for_each_second) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mp4", "fast_start=no");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    sink.linger();
    const std::string bytes = contents(folder / "out.mp4");
    EXPECT_NE(bytes.find("elst"), std::string::npos);
    EXPECT_NE(bytes.find("mfra"), std::string::npos);
    EXPECT_LT(bytes.find("moov"), bytes.find("moof"));
    EXPECT_EQ(occurrences(bytes, "moof"), 7u);
    EXPECT_EQ(names_in(folder), std::vector<std::string>{"out.mp4"});
}

TEST(FileSink, finished_mp4_has_its_index_first_and_every_packet) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mp4");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    sink.linger();
    const std::string bytes = contents(folder / "out.mp4");
    EXPECT_LT(bytes.find("moov"), bytes.find("mdat"));
    EXPECT_EQ(occurrences(bytes, "moof"), 0u);
    EXPECT_NE(bytes.find("elst"), std::string::npos) << "which hides the priming";
    EXPECT_EQ(decode_media(folder / "out.mp4").pictures, decode_pictures(media()));
    EXPECT_EQ(names_in(folder), std::vector<std::string>{"out.mp4"});
}

TEST(FileSink, rewriting_keeps_every_packet_wherever_a_recording_ends) {
    const TemporaryFolder folder;
    for (std::int64_t end_us = 5'000'000; end_us < 6'400'000; end_us += 120'000) {
        for (const std::string words : {"fast_start=no", "fast_start=yes"}) {
            auto sink = recorder(folder / (words + ".mp4"), words);
            ASSERT_EQ(sink.feed(media(), end_us), RINGCAST_SINK_OK);
            ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
            sink.linger();
        }
        const ReadMedia fragments = read_media(folder / "fast_start=no.mp4");
        const ReadMedia rewritten = read_media(folder / "fast_start=yes.mp4");
        ASSERT_EQ(occurrences(contents(folder / "fast_start=yes.mp4"), "moof"), 0u) << end_us;
        ASSERT_EQ(rewritten.video.size(), fragments.video.size()) << end_us;
        ASSERT_EQ(rewritten.audio.size(), fragments.audio.size()) << end_us;
        ASSERT_EQ(rewritten.audio.front().pts, fragments.audio.front().pts) << end_us;
        fs::remove(folder / "fast_start=no.mp4");
        fs::remove(folder / "fast_start=yes.mp4");
    }
}

TEST(FileSink, sound_alone_is_recorded) {
    const TemporaryFolder folder;
    const TestMedia sound = make_media({.frames = 75, .video = false});
    auto sink = recorder(folder / "out.mp4");
    ASSERT_EQ(sink.feed(sound), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_NEAR(read_media(folder / "out.mp4").duration, 3.0, 0.03);
}

TEST(FileSink, codec_the_container_cannot_carry_is_unsupported) {
    const TemporaryFolder folder;
    TestMedia odd = media();
    for (auto& stream : odd.streams)
        stream.description.extradata = stream.extradata.data();
    odd.streams[1].description.codec = 77;
    auto sink = recorder(folder / "out.mp4");
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
    EXPECT_EQ(sink.headers(odd), RINGCAST_SINK_E_UNSUPPORTED);
    EXPECT_NE(sink.host().error().find("77"), std::string::npos) << sink.host().error();
    EXPECT_TRUE(fs::is_empty(folder.path()));

    std::ofstream(folder / "old.mp4") << "precious";
    auto replacing = recorder(folder / "old.mp4", "overwrite=yes");
    ASSERT_EQ(replacing.connect(), RINGCAST_SINK_OK);
    EXPECT_EQ(replacing.headers(odd), RINGCAST_SINK_E_UNSUPPORTED);
    EXPECT_EQ(contents(folder / "old.mp4"), "precious") << "there is nothing to replace it with";
    EXPECT_EQ(names_in(folder), std::vector<std::string>{"old.mp4"});
}

}  // namespace
}  // namespace ringcast::test
