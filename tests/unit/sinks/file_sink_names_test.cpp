// SPDX-License-Identifier: Apache-2.0
// Where a recording goes: names, folders, files that are in the way.
#include <gtest/gtest.h>

#include <ctime>

#include "recorder_driver.hpp"

namespace ringcast::test {
namespace {

TEST(FileSinkNames, name_that_is_no_date_is_refused_with_an_example) {
    auto sink = recorder("rec-%q.mp4");
    EXPECT_EQ(sink.create_result(), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(sink.host().error().find("%Y%m%d"), std::string::npos) << sink.host().error();
}

TEST(FileSinkNames, name_with_a_date_is_expanded_and_never_refused) {
    const TemporaryFolder folder;
    const auto pattern = folder / "%Y/100%%-rec-%Y.mp4";
    for (int run = 0; run < 2; ++run) {
        auto sink = recorder(pattern);
        ASSERT_EQ(sink.feed(media(), 1'000'000), RINGCAST_SINK_OK) << sink.host().error();
        ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    }
    std::time_t now = std::time(nullptr);
    const std::string year = std::to_string(std::localtime(&now)->tm_year + 1900);
    EXPECT_EQ(read_media(folder / (year + "/100%-rec-" + year + ".mp4")).video.size(), 25u);
    EXPECT_EQ(read_media(folder / (year + "/100%-rec-" + year + "-2.mp4")).video.size(), 25u);
}

TEST(FileSinkNames, too_little_space_at_the_start_is_told_with_the_fix) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mp4", "min_free=900TB");
    EXPECT_EQ(sink.connect(), RINGCAST_SINK_E_STORAGE);
    EXPECT_NE(sink.host().error().find("min_free="), std::string::npos) << sink.host().error();
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(FileSinkNames, wrong_limits_are_refused_with_an_example) {
    for (const std::string word : {"split=10", "split=10M", "split=0s", "split=1kB", "split=1h|", "split=|1h",
                                   "split=1h|2h", "split=1GB,2GB", "min_free=5%"}) {
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

TEST_P(FileSinkFormats, old_file_stays_until_the_one_that_replaces_it_plays) {
    const TemporaryFolder folder;
    const auto path = folder / ("out." + GetParam());
    std::ofstream(path) << "precious";
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    // The disk is full before the header, and before the first second, is whole.
    for (const std::uint64_t limit : {8, 200}) {
        EXPECT_EQ(in_a_child([&] {
                      limit_file_size(limit);
                      auto sink = recorder(path, "overwrite=yes");
                      const auto result = sink.feed(media());
                      sink.disconnect(true);
                      sink.linger();
                      return result == RINGCAST_SINK_E_STORAGE ? 0 : 1;
                  }),
                  0);
        EXPECT_EQ(contents(path), "precious") << limit;
        EXPECT_EQ(names_in(folder), std::vector<std::string>{"out." + GetParam()}) << limit;
    }
    {
        auto idle = recorder(path, "overwrite=yes");
        ASSERT_EQ(idle.connect(), RINGCAST_SINK_OK) << idle.host().error();
        ASSERT_EQ(idle.headers(media()), RINGCAST_SINK_OK) << idle.host().error();
        EXPECT_EQ(contents(path), "precious") << "nothing came yet";
        ASSERT_EQ(idle.disconnect(true), RINGCAST_SINK_OK) << idle.host().error();
        EXPECT_EQ(contents(path), "precious") << "and nothing will";
        EXPECT_EQ(names_in(folder), std::vector<std::string>{"out." + GetParam()});
    }
    auto sink = recorder(path, "overwrite=yes");
    ASSERT_EQ(sink.feed(media(), 500'000), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK) << sink.host().error();
    sink.linger();
    EXPECT_GE(decode_media(path).pictures.size(), 12u) << "less than a second, but it ended well";
    EXPECT_EQ(names_in(folder), std::vector<std::string>{"out." + GetParam()});
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(FileSinkNames, recording_that_dies_in_its_first_second_leaves_the_file_it_was_to_replace) {
    const TemporaryFolder folder;
    std::ofstream(folder / "out.mp4") << "precious";
    feed_and_die(700'000, [&] { return recorder(folder / "out.mp4", "overwrite=yes"); });
    EXPECT_EQ(contents(folder / "out.mp4"), "precious");
    auto sink = recorder(folder / "out.mp4", "overwrite=yes");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK) << sink.host().error();
    sink.linger();
    EXPECT_EQ(decode_media(folder / "out.mp4").pictures, decode_pictures(media()));
    EXPECT_EQ(names_in(folder), std::vector<std::string>{"out.mp4"});
}

TEST(FileSinkNames, what_a_recording_that_died_in_its_first_second_left_is_removed_by_the_next_recorder_of_that_name) {
    const TemporaryFolder folder;
    std::ofstream(folder / "out.mp4") << "precious";
    feed_and_die(700'000, [&] { return recorder(folder / "out.mp4", "overwrite=yes"); });
    ASSERT_EQ(names_in(folder), (std::vector<std::string>{".out.mp4.replacing", "out.mp4"}));
    auto other = recorder(folder / "other.mp4");
    ASSERT_EQ(other.connect(), RINGCAST_SINK_OK) << other.host().error();
    EXPECT_EQ(names_in(folder).size(), 2U) << "it is another recorder's";
    auto sink = recorder(folder / "out.mp4", "overwrite=no");
    EXPECT_EQ(sink.connect(), RINGCAST_SINK_E_CONFIG) << "there is a file of that name";
    EXPECT_EQ(names_in(folder), std::vector<std::string>{"out.mp4"});
}

TEST(FileSinkNames, a_recording_that_is_still_to_replace_a_file_is_left_alone_by_others_of_that_name) {
    const TemporaryFolder folder;
    std::ofstream(folder / "out.mp4") << "precious";
    auto first = recorder(folder / "out.mp4", "overwrite=yes");
    ASSERT_EQ(first.feed(media(), 500'000), RINGCAST_SINK_OK);
    auto second = recorder(folder / "out.mp4", "overwrite=number");
    ASSERT_EQ(second.connect(), RINGCAST_SINK_OK);
    ASSERT_EQ(first.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(read_media(folder / "out.mp4").video.size(), 13u);
}

TEST(FileSinkNames, two_recorders_cannot_replace_one_file_at_once) {
    const TemporaryFolder folder;
    std::ofstream(folder / "out.mp4") << "precious";
    auto first = recorder(folder / "out.mp4", "overwrite=yes");
    ASSERT_EQ(first.feed(media(), 500'000), RINGCAST_SINK_OK);
    auto second = recorder(folder / "out.mp4", "overwrite=yes");
    EXPECT_EQ(second.feed(media()), RINGCAST_SINK_E_CONFIG);
    expect_one_line(second.host().error(), "another sink records to " + (folder / "out.mp4").string());
    ASSERT_EQ(first.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(read_media(folder / "out.mp4").video.size(), 13u);
}

TEST(FileSinkNames, file_behind_a_symbolic_link_is_replaced_and_the_link_stays) {
    const TemporaryFolder folder;
    fs::create_directory(folder / "disk");
    std::ofstream(folder / "disk/real.mkv") << "precious";
    fs::create_symlink(folder / "disk/real.mkv", folder / "out.mkv");
    auto sink = recorder(folder / "out.mkv", "overwrite=yes");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    sink.linger();
    EXPECT_TRUE(fs::is_symlink(folder / "out.mkv"));
    EXPECT_EQ(names_in(folder / "disk"), std::vector<std::string>{"real.mkv"});
    EXPECT_EQ(read_media(folder / "disk/real.mkv").video.size(), 160u);
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
