// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <map>
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

ReadMedia as_one_file(const std::string& extension) {
    const TemporaryFolder folder;
    const auto path = folder / ("whole." + extension);
    auto sink = recorder(path);
    sink.feed(media());
    sink.disconnect(true);
    return read_media(path);
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

TEST(FileSink, name_with_a_date_is_expanded_and_never_refused) {
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
