// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>

#include "hls_reading.hpp"

namespace ringcast::test {
namespace {

void feed_and_kill(const fs::path& dir, std::int64_t until_us, std::vector<std::string> words) {
    words.push_back("dir=" + dir.string());
    feed_and_die(until_us, [&] { return PluginDriver(HLS_SINK_SO, words); });
}

TEST(HlsRestart, killed_process_leaves_whole_segments_and_the_next_run_goes_on_after_them) {
    const TemporaryFolder folder;
    feed_and_kill(folder.path(), 5'000'000, {"segment=2s"});
    ASSERT_EQ(listed(folder.path()).size(), 2u);
    expect_seamless(folder.path());
    const std::string before = contents(folder / "index.m3u8");

    std::ofstream(folder / "holiday.ts") << "not ours";
    std::ofstream(folder / "segment-1.ts") << "not our spelling";
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK) << "the lock of a dead process is free";
    EXPECT_EQ(names_in(folder.path()),
              (std::vector<std::string>{"holiday.ts", "index.m3u8", "master.m3u8", "segment-00000.ts",
                                        "segment-00001.ts", "segment-1.ts"}));
    EXPECT_EQ(contents(folder / "index.m3u8"), before);
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    const std::string after = contents(folder / "index.m3u8");
    EXPECT_TRUE(after.starts_with(before + "#EXT-X-DISCONTINUITY\n")) << after;
    EXPECT_EQ(listed(folder.path()).size(), 6u);
    EXPECT_EQ(listed(folder.path()).back().name, "segment-00005.ts");
}

TEST(HlsRestart, live_playlist_of_a_killed_process_keeps_its_numbers) {
    const TemporaryFolder folder;
    const std::vector<std::string> words{"mode=live", "window=3", "segment_type=fmp4", "segment_name=talk-%d"};
    for (int run = 0; run < 3; ++run) {
        feed_and_kill(folder.path(), 5'000'000, words);
    }
    const std::string text = contents(folder / "index.m3u8");
    EXPECT_NE(text.find("#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"), std::string::npos) << text;
    EXPECT_NE(text.find("#EXT-X-MAP:URI=\"init-00002.mp4\"\n#EXT-X-PROGRAM"), std::string::npos) << text;
    EXPECT_NE(text.find("talk-3.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init-00004.mp4\"\n#EXT-X-PROGRAM"),
              std::string::npos)
        << text;
    EXPECT_TRUE(text.ends_with("talk-5.m4s\n")) << text;
}

TEST(HlsRestart, ended_show_of_an_earlier_run_stays_on_disk_until_the_next_one_begins) {
    const TemporaryFolder folder;
    {
        auto sink = PluginDriver(HLS_SINK_SO, {"dir=" + folder.path().string(), "segment_name=old-%d"});
        ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
        ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    }
    const auto before = names_in(folder.path());
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
    EXPECT_EQ(names_in(folder.path()), before);
    ASSERT_EQ(sink.headers(media()), RINGCAST_SINK_OK);
    EXPECT_EQ(names_in(folder.path()), (std::vector<std::string>{".segment-00004.ts.part"})) << "numbers go on";
}

TEST(HlsRestart, folder_of_another_programs_stream_is_refused_with_the_fix_and_left_alone) {
    const TemporaryFolder folder;
    std::ofstream(folder / "index.m3u8") << "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
                                            "#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:2.000000,\nindex0.ts\n#EXT-X-ENDLIST\n";
    for (const char* name : {"index0.ts", "segment-00000.ts", "init-00000.mp4"})
        std::ofstream(folder / name) << "not ours";
    const auto before = names_in(folder.path());
    for (const std::string type : {"ts", "fmp4"}) {
        auto sink = hls(folder.path(), "segment_type=" + type);
        EXPECT_EQ(sink.feed(media()), RINGCAST_SINK_E_CONFIG);
        const std::string error = sink.host().error();
        EXPECT_NE(error.find((folder / "index.m3u8").string()), std::string::npos) << error;
        EXPECT_NE(error.find("choose another dir=, or move it away"), std::string::npos) << error;
        EXPECT_EQ(error.find('\n'), std::string::npos) << error;
    }
    EXPECT_EQ(names_in(folder.path()), before);
    EXPECT_NE(contents(folder / "index.m3u8").find("index0.ts"), std::string::npos);
}

TEST(HlsRestart, segments_too_long_for_the_playlist_found_end_it_and_begin_the_next) {
    const TestMedia seldom = make_media({.frames = 260, .gop = 100});  // keyframes every 4 s
    for (const std::string mode : {"event", "live"}) {
        const TemporaryFolder folder;
        feed_and_kill(folder.path(), 5'000'000, {"segment=2s", "mode=" + mode});
        ASSERT_NE(contents(folder / "index.m3u8").find("TARGETDURATION:2\n"), std::string::npos);
        auto sink = PluginDriver(HLS_SINK_SO, {"dir=" + folder.path().string(), "segment=2s", "mode=" + mode});
        ASSERT_EQ(sink.feed(seldom), RINGCAST_SINK_OK) << sink.host().error();
        for (const char* name : {"segment-00000.ts", "segment-00001.ts"})
            EXPECT_TRUE(fs::exists(folder / name)) << name << ": those who read the playlist before may still want it";
        ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
        const std::string text = contents(folder / "index.m3u8");
        EXPECT_NE(text.find("TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:2\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"),
                  std::string::npos)
            << text;
        ASSERT_EQ(listed(folder.path()).size(), 3u) << text;
        for (const Listed& segment : listed(folder.path()))
            EXPECT_LE(std::round(segment.length), 4) << segment.name;
        expect_seamless(folder.path());
        EXPECT_EQ(decode_media(joined(folder.path())).pictures, decode_pictures(seldom));
        const auto log = sink.host().log();
        EXPECT_EQ(std::ranges::count_if(log, [](const auto& line) { return line.find("video.gop") != line.npos; }), 1);
    }
}

TEST(HlsRestart, sink_that_goes_on_and_stops_before_a_producer_came_leaves_the_master_playlist_as_it_was) {
    const TemporaryFolder folder;
    feed_and_kill(folder.path(), 5'000'000, {"segment=2s"});
    const std::string before = contents(folder / "master.m3u8");
    ASSERT_NE(before.find("CODECS="), std::string::npos);
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_TRUE(contents(folder / "index.m3u8").ends_with("#EXT-X-ENDLIST\n"));
    EXPECT_EQ(contents(folder / "master.m3u8"), before);
}

/// From here on this system call of the process fails with `error`.
bool let_fail(int call, int error) {
    std::array<sock_filter, 4> filter{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    sock_fprog program{.len = filter.size(), .filter = filter.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST(HlsRestart, full_network_disk_that_tells_at_the_close_of_a_playlist_is_reported) {
    const TemporaryFolder folder;
    feed_and_kill(folder.path(), 5'000'000, {"segment=2s"});
    const std::string before = contents(folder / "index.m3u8");
    EXPECT_EQ(in_a_child([&] {
                  auto sink = hls(folder.path());
                  if (sink.connect() != RINGCAST_SINK_OK || !let_fail(SYS_close, ENOSPC)) return 1;
                  if (sink.disconnect(true) != RINGCAST_SINK_E_STORAGE) return 2;
                  return sink.host().error().find("No space left") == std::string::npos ? 3 : 0;
              }),
              0);
    EXPECT_EQ(contents(folder / "index.m3u8"), before) << "what plays is not replaced";
    EXPECT_FALSE(fs::exists(folder / ".index.m3u8.part"));
}

TEST(HlsRestart, folder_that_cannot_be_locked_is_not_taken_for_one_in_use) {
    const TemporaryFolder folder;
    EXPECT_EQ(in_a_child([&] {
                  auto sink = hls(folder.path());
                  if (!let_fail(SYS_flock, ENOLCK) || sink.connect() != RINGCAST_SINK_E_CONFIG) return 1;
                  const std::string error = sink.host().error();
                  if (error.find("No locks available") == std::string::npos) return 2;
                  return error.find("another sink") != std::string::npos ? 3 : 0;
              }),
              0);
}

TEST(HlsRestart, live_keeps_the_window_and_one_segment_more) {
    for (const std::string type : {"ts", "fmp4"}) {
        const TemporaryFolder folder;
        auto sink = PluginDriver(HLS_SINK_SO, {"dir=" + folder.path().string(), "mode=live", "window=3",
                                               "segment=500ms", "segment_type=" + type});
        const TestMedia quick = make_media({.gop = 13});
        ASSERT_EQ(sink.connect(), RINGCAST_SINK_OK);
        ASSERT_EQ(sink.headers(quick), RINGCAST_SINK_OK);
        std::size_t most = 0;
        for (const MediaPacket& packet : quick.packets) {
            ASSERT_EQ(sink.packet(packet), RINGCAST_SINK_OK);
            const auto names = names_in(folder.path());
            const auto visible = std::ranges::count_if(names, [](const auto& n) { return n.starts_with("segment-"); });
            most = std::max(most, static_cast<std::size_t>(visible));
            for (const Listed& segment : listed(folder.path()))
                ASSERT_TRUE(fs::exists(folder / segment.name)) << segment.name;
        }
        EXPECT_EQ(most, 4u);
        EXPECT_EQ(listed(folder.path()).size(), 3u);
        EXPECT_EQ(contents(folder / "index.m3u8").find("EVENT"), std::string::npos);
    }
}

TEST(HlsRestart, next_stream_begins_a_fresh_playlist_and_numbers_go_on) {
    const TemporaryFolder folder;
    auto sink = hls(folder.path());
    for (int stream = 0; stream < 2; ++stream) {
        ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK) << sink.host().error();
        ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    }
    const auto segments = listed(folder.path());
    ASSERT_EQ(segments.size(), 4u);
    EXPECT_EQ(segments.front().name, "segment-00004.ts");
    EXPECT_FALSE(fs::exists(folder / "segment-00003.ts"));
    EXPECT_NE(contents(folder / "index.m3u8").find("MEDIA-SEQUENCE:4\n"), std::string::npos);
    EXPECT_EQ(decode_media(joined(folder.path())).pictures, decode_pictures(media()));
}

TEST(HlsRestart, lost_connection_goes_on_in_the_same_playlist_with_a_discontinuity) {
    const TemporaryFolder folder;
    auto sink = hls(folder.path());
    ASSERT_EQ(sink.feed(media(), 3'000'000), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(false), RINGCAST_SINK_OK);
    EXPECT_EQ(contents(folder / "index.m3u8").find("ENDLIST"), std::string::npos);
    ASSERT_EQ(sink.feed(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink.disconnect(true), RINGCAST_SINK_OK);
    const std::string text = contents(folder / "index.m3u8");
    EXPECT_EQ(listed(folder.path()).size(), 6u);
    EXPECT_NE(text.find("segment-00001.ts\n#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.123Z\n"
                        "#EXTINF:2.000000,\nsegment-00002.ts"),
              std::string::npos)
        << text;
    EXPECT_TRUE(text.ends_with("#EXT-X-ENDLIST\n"));
}

}  // namespace
}  // namespace ringcast::test
