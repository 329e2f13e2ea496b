// SPDX-License-Identifier: Apache-2.0
// Where a recording goes: names, folders, files that are in the way.
#include <gtest/gtest.h>
#include <unistd.h>

#include "recorder_driver.hpp"

namespace ringcast::test {
namespace {

TEST(FileSinkNames, name_that_is_no_date_is_refused_with_an_example) {
    auto sink = recorder("rec-%q.mp4");
    EXPECT_EQ(sink.create_result(), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(sink.host().error().find("%Y%m%d"), std::string::npos) << sink.host().error();
}

TEST(FileSinkNames, too_little_space_at_the_start_is_told_with_the_fix) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mp4", "min_free=900TB");
    EXPECT_EQ(sink.connect(), RINGCAST_SINK_E_STORAGE);
    EXPECT_NE(sink.host().error().find("min_free="), std::string::npos) << sink.host().error();
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(FileSinkNames, wrong_limits_are_refused_with_an_example) {
    for (const std::string word : {"split=10", "split=10M", "split=0s", "split=1kB", "min_free=5%"}) {
        auto sink = recorder("out.mp4", word);
        EXPECT_EQ(sink.create_result(), RINGCAST_SINK_E_CONFIG) << word;
        EXPECT_NE(sink.host().error().find(word.substr(0, 5)), std::string::npos) << sink.host().error();
    }
}

TEST(FileSinkNames, missing_folders_are_made) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "a/b/out.mp4");
    ASSERT_EQ(sink.feed(media(), 1'000'000), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(read_media(folder / "a/b/out.mp4").video.size(), 25u);
}

TEST(FileSinkNames, existing_file_is_refused_with_the_fix_and_kept) {
    const TemporaryFolder folder;
    std::ofstream(folder / "out.mp4") << "precious";
    auto sink = recorder(folder / "out.mp4");
    EXPECT_EQ(sink.connect(), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(sink.host().error().find("overwrite=yes"), std::string::npos) << sink.host().error();
    EXPECT_EQ(contents(folder / "out.mp4"), "precious");
}

TEST(FileSinkNames, existing_file_is_kept_and_the_recording_goes_on_beside_it_when_asked) {
    const TemporaryFolder folder;
    std::ofstream(folder / "out.mp4") << "precious";
    for (const char* name : {"out-2.mp4", "out-3.mp4"}) {
        auto sink = recorder(folder / "out.mp4", "overwrite=number");
        ASSERT_EQ(sink.feed(media(), 1'000'000), RINGCAST_SINK_OK) << sink.host().error();
        ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
        EXPECT_EQ(read_media(folder / name).video.size(), 25u);
    }
    EXPECT_EQ(contents(folder / "out.mp4"), "precious");
}

TEST(FileSinkNames, file_that_comes_into_being_during_the_wait_is_kept) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mp4");
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
    std::ofstream(folder / "out.mp4") << "precious";
    EXPECT_EQ(sink.headers(media()), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(sink.host().error().find("overwrite=yes"), std::string::npos) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(contents(folder / "out.mp4"), "precious");
}

TEST(FileSinkNames, existing_file_is_replaced_when_asked) {
    const TemporaryFolder folder;
    std::ofstream(folder / "out.mkv") << std::string(5'000'000, 'x');
    auto sink = recorder(folder / "out.mkv", "overwrite=yes");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(read_media(folder / "out.mkv").video.size(), 160u);
    EXPECT_LT(fs::file_size(folder / "out.mkv"), 5'000'000u);
}

TEST(FileSinkNames, other_extensions_are_refused_naming_the_possible_ones) {
    auto sink = recorder("out.avi");
    EXPECT_EQ(sink.create_result(), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(sink.host().error().find(".mp4, .mkv, .ts or .flv"), std::string::npos) << sink.host().error();
}

TEST(FileSinkNames, folder_that_cannot_be_made_is_one_line) {
    const TemporaryFolder folder;
    std::ofstream(folder / "plain") << "a file";
    auto sink = recorder(folder / "plain/out.mp4");
    EXPECT_EQ(sink.connect(), RINGCAST_SINK_E_CONFIG);
    expect_one_line(sink.host().error(), "plain");
}

TEST(FileSinkNames, waiting_recorder_leaves_no_empty_file) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mp4");
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.headers(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace ringcast::test
