// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <iterator>

#include "plugin_driver.hpp"
#include "test_media.hpp"

namespace ringcast::test {
namespace {

namespace fs = std::filesystem;

const TestMedia& media() {
    static const TestMedia made = make_media();
    return made;
}

PluginDriver recorder(const fs::path& path, const std::string& more = "overwrite=no") {
    return PluginDriver(FILE_SINK_SO, {"path=" + path.string(), more});
}

std::string contents(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Seconds to the place where the tone begins.
double onset(const std::vector<float>& samples, int rate) {
    const auto loud = std::ranges::find_if(samples, [](float sample) { return std::abs(sample) > 0.2F; });
    return static_cast<double>(loud - samples.begin()) / rate;
}

class FileSinkFormats : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Each, FileSinkFormats, testing::Values("mp4", "mkv"));

TEST_P(FileSinkFormats, recording_holds_every_picture_once_and_in_order) {
    const TemporaryFolder folder;
    const auto path = folder / ("out." + GetParam());
    auto sink = recorder(path);
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK) << sink.host().error();

    EXPECT_EQ(decode_media(path).pictures, decode_pictures(media()));
    const ReadMedia read = read_media(path);
    ASSERT_EQ(read.video.size(), 160u);
    // Matroska has no time before 0: everything, sound and picture alike, begins one AAC priming later.
    const double first = read.video.front().pts;
    EXPECT_NEAR(first, GetParam() == "mp4" ? 0 : 1024.0 / 48000, 0.001);
    for (std::size_t i = 0; i < read.video.size(); ++i) {
        EXPECT_NEAR(read.video[i].pts - first, static_cast<double>(i) / 25, 0.0011) << "frame " << i;
        EXPECT_NEAR(read.video[i].duration, 0.04, 0.0006) << "frame " << i;
    }
    EXPECT_NEAR(read.duration, 6.4, 0.04);
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
    media();
    const pid_t child = ::fork();
    if (child == 0) {
        auto sink = recorder(path);
        // Stops 0.5 s into its sixth second, with the file open, and dies as kill -9 makes it die.
        if (sink.feed(media(), 5'500'000) == RINGCAST_SINK_OK) ::kill(::getpid(), SIGKILL);
        ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child could not record";

    const auto pictures = decode_media(path).pictures;
    const auto wanted = decode_pictures(media());
    ASSERT_GE(pictures.size(), 125u) << "five whole seconds";
    ASSERT_LE(pictures.size(), wanted.size());
    EXPECT_TRUE(std::equal(pictures.begin(), pictures.end(), wanted.begin()));
    EXPECT_GE(read_media(path).audio.back().pts, 4.9);
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
    const double tolerance = GetParam() == "mp4" ? 1e-6 : 0.0011;  // Matroska counts milliseconds
    for (std::size_t i = 0; i < read.video.size(); ++i) {
        EXPECT_NEAR(read.video[i].pts - read.video.front().pts, static_cast<double>(i) * 1001 / 30000, tolerance);
    }
}

TEST_P(FileSinkFormats, each_stream_after_the_first_becomes_a_part_of_its_own) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / ("out." + GetParam()));
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

TEST_P(FileSinkFormats, full_disk_is_reported_and_what_was_written_plays) {
    const TemporaryFolder folder;
    const auto path = folder / ("out." + GetParam());
    const TestMedia& source = media();
    const pid_t child = ::fork();
    if (child == 0) {
        // A file size limit is the one kind of full disk a test can have anywhere.
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{200'000, 200'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        auto sink = recorder(path);
        const std::int32_t result = sink.feed(source);
        const bool named = sink.host().error().find(path.string()) != std::string::npos;
        sink.disconnect(true);
        ::_exit(result == RINGCAST_SINK_E_STORAGE && named ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_LT(fs::file_size(path), 200'000u) << "the torn end is taken back";
    const auto pictures = decode_media(path).pictures;
    const auto wanted = decode_pictures(source);
    ASSERT_GE(pictures.size(), 25u);
    EXPECT_LT(pictures.size(), wanted.size());
    EXPECT_TRUE(std::equal(pictures.begin(), pictures.end(), wanted.begin()));
}

TEST(FileSink, mp4_edit_list_hides_the_priming_and_index_is_at_the_end) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mp4");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    const std::string bytes = contents(folder / "out.mp4");
    EXPECT_NE(bytes.find("elst"), std::string::npos);
    EXPECT_NE(bytes.find("mfra"), std::string::npos);
    EXPECT_LT(bytes.find("moov"), bytes.find("moof"));
    std::size_t fragments = 0;
    for (std::size_t at = bytes.find("moof"); at != std::string::npos; at = bytes.find("moof", at + 4))
        ++fragments;
    EXPECT_EQ(fragments, 7u) << "one per second";
}

TEST(FileSink, missing_folders_are_made) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "a/b/out.mp4");
    ASSERT_EQ(sink.feed(media(), 1'000'000), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(read_media(folder / "a/b/out.mp4").video.size(), 25u);
}

TEST(FileSink, existing_file_is_refused_with_the_fix_and_kept) {
    const TemporaryFolder folder;
    std::ofstream(folder / "out.mp4") << "precious";
    auto sink = recorder(folder / "out.mp4");
    EXPECT_EQ(sink.connect(), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(sink.host().error().find("overwrite=yes"), std::string::npos) << sink.host().error();
    EXPECT_EQ(contents(folder / "out.mp4"), "precious");
}

TEST(FileSink, file_that_comes_into_being_during_the_wait_is_kept) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mp4");
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
    std::ofstream(folder / "out.mp4") << "precious";
    EXPECT_EQ(sink.headers(media()), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(sink.host().error().find("overwrite=yes"), std::string::npos) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(contents(folder / "out.mp4"), "precious");
}

TEST(FileSink, existing_file_is_replaced_when_asked) {
    const TemporaryFolder folder;
    std::ofstream(folder / "out.mkv") << std::string(5'000'000, 'x');
    auto sink = recorder(folder / "out.mkv", "overwrite=yes");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(read_media(folder / "out.mkv").video.size(), 160u);
    EXPECT_LT(fs::file_size(folder / "out.mkv"), 5'000'000u);
}

TEST(FileSink, other_extensions_are_refused_naming_the_possible_ones) {
    auto sink = recorder("out.flv");
    EXPECT_EQ(sink.create_result(), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(sink.host().error().find(".mp4 or .mkv"), std::string::npos) << sink.host().error();
}

TEST(FileSink, folder_that_cannot_be_made_is_one_line) {
    const TemporaryFolder folder;
    std::ofstream(folder / "plain") << "a file";
    auto sink = recorder(folder / "plain/out.mp4");
    EXPECT_EQ(sink.connect(), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(sink.host().error().find("plain"), std::string::npos);
    EXPECT_EQ(sink.host().error().find('\n'), std::string::npos);
}

TEST(FileSink, waiting_recorder_leaves_no_empty_file) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mp4");
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.headers(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_TRUE(fs::is_empty(folder.path()));
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
}

}  // namespace
}  // namespace ringcast::test
