// SPDX-License-Identifier: Apache-2.0
// Full disks, crashes, and what the next recorder makes of what they left.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "recorder_driver.hpp"

namespace ringcast::test {
namespace {

TEST_P(FileSinkFormats, full_disk_is_reported_and_what_was_written_plays) {
    const TemporaryFolder folder;
    const auto path = folder / ("out." + GetParam());
    EXPECT_EQ(in_a_child([&] {
                  limit_file_size(200'000);
                  auto sink = recorder(path);
                  if (sink.feed(media()) != RINGCAST_SINK_E_STORAGE) return 1;
                  sink.disconnect(true);
                  sink.linger();
                  return sink.host().error().find(path.string()) == std::string::npos ? 2 : 0;
              }),
              0);
    EXPECT_LT(fs::file_size(path), 200'000u) << "the torn end is taken back";
    if (GetParam() == "ts") {
        EXPECT_EQ(names_in(folder), std::vector<std::string>{"out.ts"}) << "nothing is left to repair";
    }
    const auto pictures = decode_media(path).pictures;
    const auto wanted = decode_pictures(media());
    ASSERT_GE(pictures.size(), 25u);
    EXPECT_LT(pictures.size(), wanted.size());
    EXPECT_TRUE(std::equal(pictures.begin(), pictures.end(), wanted.begin()));
}

TEST_P(FileSinkFormats, disk_that_is_full_before_the_first_second_leaves_no_file_and_says_so) {
    const TemporaryFolder folder;
    // Where not even the header fits, the error of headers() says it all.
    const bool begins = GetParam() == "mp4" || GetParam() == "ts";
    EXPECT_EQ(in_a_child([&] {
                  limit_file_size(200);
                  auto sink = recorder(folder / ("out." + GetParam()));
                  if (sink.feed(media()) != RINGCAST_SINK_E_STORAGE) return 1;
                  sink.disconnect(true);
                  sink.linger();
                  return was_told(sink, "is removed") == begins && !was_told(sink, "recorded") ? 0 : 2;
              }),
              0);
    EXPECT_EQ(names_in(folder), std::vector<std::string>{});
}

TEST(FileSink, file_that_cannot_be_marked_is_not_left_behind) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mp4");
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
    fs::create_directory(folder / ".out.mp4.unfinished");
    EXPECT_EQ(sink.headers(media()), RINGCAST_SINK_E_STORAGE);
    EXPECT_FALSE(fs::exists(folder / "out.mp4"));
}

TEST(FileSink, mark_stays_until_the_recording_is_on_the_disk) {
    const TemporaryFolder folder;
    auto sink = recorder(folder / "out.mkv");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    sink.interrupt();  // nothing is begun in the background
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(names_in(folder), (std::vector<std::string>{".out.mkv.unfinished", "out.mkv"}));
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK) << "which lets it go on";
    sink.linger();
    EXPECT_EQ(names_in(folder), std::vector<std::string>{"out.mkv"});
}

/// A recording that ended well, by a sink that was stopped before it was on the disk.
void record_and_stop(const fs::path& path) {
    auto sink = recorder(path, "fast_start=no");
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    sink.interrupt();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK) << sink.host().error();
}

TEST_P(FileSinkFormats, recording_that_ended_well_but_was_not_on_the_disk_yet_loses_nothing_to_the_next_recorder) {
    const TemporaryFolder folder;
    const auto path = folder / ("out." + GetParam());
    record_and_stop(path);
    const std::string recorded = contents(path);
    auto next = recorder(path);
    ASSERT_EQ(next.connect(), RINGCAST_SINK_OK) << next.host().error();
    next.linger();
    EXPECT_TRUE(contents(path) == recorded) << "not a byte is touched";
    EXPECT_EQ(decode_media(path).pictures, decode_pictures(media()));
    EXPECT_EQ(names_in(folder), std::vector<std::string>{"out." + GetParam()});
}

TEST(FileSink, note_of_a_whole_recording_is_not_believed_when_the_machine_was_restarted_or_the_file_is_shorter) {
    for (const bool restarted : {true, false}) {
        const TemporaryFolder folder;
        const auto path = folder / "out.ts";
        record_and_stop(path);
        std::string mark = contents(folder / ".out.ts.unfinished");
        const auto boot = mark.find("boot ");
        ASSERT_NE(boot, std::string::npos) << mark;
        if (restarted) {
            std::ofstream(folder / ".out.ts.unfinished") << mark.replace(boot + 5, 4, "gone");
        } else {
            fs::resize_file(path, fs::file_size(path) - 1000);
        }
        auto next = recorder(path);
        ASSERT_EQ(next.connect(), RINGCAST_SINK_OK) << next.host().error();
        next.linger();
        EXPECT_TRUE(was_told(next, "torn bytes")) << "the newest picture may be cut off";
    }
}

TEST(FileSink, rewriting_given_up_at_a_stop_leaves_the_recording_and_the_next_recorder_finishes_it) {
    const TemporaryFolder folder;
    {
        auto sink = recorder(folder / "out.mp4");
        ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
        sink.interrupt();  // before there is anything to rewrite: the outcome does not hang on who is faster
        ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
        sink.linger();
    }
    EXPECT_EQ(occurrences(contents(folder / "out.mp4"), "moof"), 7u);
    EXPECT_EQ(decode_media(folder / "out.mp4").pictures, decode_pictures(media()));

    auto other = recorder(folder / "other.mp4");
    ASSERT_EQ(other.connect(), RINGCAST_SINK_OK) << other.host().error();
    other.linger();
    EXPECT_EQ(occurrences(contents(folder / "out.mp4"), "moof"), 7u) << "it is another recorder's";
    auto next = recorder(folder / "out.mp4");
    ASSERT_EQ(next.connect(), RINGCAST_SINK_OK) << next.host().error();
    next.linger();
    EXPECT_TRUE(was_told(next, "out.mp4 is whole"));
    EXPECT_FALSE(was_told(next, "was not finished")) << "it was, all but its index";
    EXPECT_FALSE(was_told(next, "repaired")) << "nothing was broken";
    EXPECT_TRUE(was_told(next, "finished " + (folder / "out.mp4").string()));
    EXPECT_EQ(occurrences(contents(folder / "out.mp4"), "moof"), 0u);
    EXPECT_EQ(decode_media(folder / "out.mp4").pictures, decode_pictures(media()));
    EXPECT_EQ(names_in(folder), std::vector<std::string>{"out.mp4"});
}

TEST_P(FileSinkFormats, next_recorder_repairs_what_a_crash_left_and_goes_on_beside_it) {
    const TemporaryFolder folder;
    const auto path = folder / ("out." + GetParam());
    // The head of something large whose rest never came, as each format would begin it.
    const std::map<std::string, std::string> torn{{"mp4", std::string("\0\x10\0\0moof\0\0\0\x10mfhd", 16)},
                                                  {"mkv", "\x1F\x43\xB6\x75\x44\x00 cluster"},
                                                  {"ts", std::string("\x47\x41\0\x30", 4) + std::string(300, 'x')},
                                                  {"flv", std::string("\x09\x10\0\0\0\0\0\0\0\0\0\x27\x01\0\0\0", 16)}};
    record_and_die(path, torn.at(GetParam()));
    const auto before = decode_media(path).pictures;

    auto sink = recorder(path);
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK) << sink.host().error();
    sink.linger();

    const auto pictures = decode_media(path).pictures;
    const auto wanted = decode_pictures(media());
    ASSERT_GE(pictures.size(), 125u);
    EXPECT_GE(pictures.size() + 2, before.size()) << "at most the picture that was being written is cut off";
    EXPECT_TRUE(std::equal(pictures.begin(), pictures.end(), wanted.begin()));
    EXPECT_NEAR(read_media(path).duration, static_cast<double>(pictures.size()) / 25, 0.1) << "the length is known";
    EXPECT_EQ(decode_media(folder / ("out-2." + GetParam())).pictures, wanted);
    EXPECT_TRUE(was_told(sink, "torn bytes")) << "what was cut is said";
    EXPECT_TRUE(was_told(sink, "repaired " + path.string()));
    EXPECT_EQ(names_in(folder), (std::vector<std::string>{"out-2." + GetParam(), "out." + GetParam()}));
}

TEST(FileSink, file_that_another_recorder_writes_is_neither_repaired_nor_replaced) {
    const TemporaryFolder folder;
    auto first = recorder(folder / "out.mp4", "fast_start=no");
    ASSERT_EQ(first.feed(media(), 3'000'000), RINGCAST_SINK_OK);
    auto second = recorder(folder / "out.mp4", "overwrite=yes");
    ASSERT_EQ(second.connect(), RINGCAST_SINK_OK) << second.host().error();
    EXPECT_EQ(second.headers(media()), RINGCAST_SINK_E_CONFIG);
    EXPECT_NE(second.host().error().find("another sink"), std::string::npos) << second.host().error();
    auto third = recorder(folder / "out.mp4");
    EXPECT_EQ(third.connect(), RINGCAST_SINK_E_CONFIG);
    ASSERT_EQ(first.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(read_media(folder / "out.mp4").video.size(), 75u);
}

TEST(FileSink, recording_with_a_coarse_date_goes_on_beside_what_a_crash_left_also_when_it_may_overwrite) {
    const TemporaryFolder folder;
    record_and_die(folder / "rec-%Y.mp4");
    auto sink = recorder(folder / "rec-%Y.mp4", "overwrite=yes");
    // What was left is being repaired now, or has just been.
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    sink.linger();
    EXPECT_EQ(decode_media(sink.host().info("path")).pictures, decode_pictures(media()));
    for (const std::string& name : names_in(folder))
        EXPECT_GE(decode_media(folder / name).pictures.size(), 125u) << name;
}

TEST(FileSink, recordings_with_a_date_are_repaired_by_the_next_recorder_of_that_name_alone) {
    const TemporaryFolder folder;
    const auto pattern = folder / "day-%d/rec-%H%M%S.mp4";
    record_and_die(pattern);
    const auto find = [&]() -> fs::path {
        for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
            if (entry.path().extension() == ".mp4") return entry.path();
        }
        return {};
    };
    const fs::path left = find();
    for (const char* other : {"day-%d/take-%H%M%S.mp4", "rec-%H%M%S.mp4", "day-%d/rec-%H%M%S.mkv"}) {
        auto sink = recorder(folder / other);
        ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK) << sink.host().error();
        sink.linger();
        EXPECT_GT(occurrences(contents(left), "moof"), 0u) << other;
    }
    auto sink = recorder(pattern);
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK) << sink.host().error();
    sink.linger();
    EXPECT_EQ(occurrences(contents(left), "moof"), 0u);
    EXPECT_EQ(find(), left);
}

}  // namespace
}  // namespace ringcast::test
