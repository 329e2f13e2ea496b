// SPDX-License-Identifier: Apache-2.0
#include "hls/playlist.hpp"

#include <gtest/gtest.h>

#include "hls/playlist_reader.hpp"

namespace ringcast::sink {
namespace {

constexpr std::int64_t kEpoch = 1'700'000'000'123'000'000;

PlaylistForm event_of(std::int64_t segment_us = 2'000'000) {
    return {.segment_us = segment_us};
}
PlaylistForm live_of(std::size_t window) {
    return {.mode = HlsMode::live, .window = window};
}

Playlist fresh(const PlaylistForm& form, const Playlist::Counters& counters = {}) {
    return {form, "s1", counters};
}

Segment two_seconds(std::uint64_t number, bool discontinuity = false, std::uint64_t bytes = 1000) {
    const auto start = static_cast<std::int64_t>(number) * 2'000'000;
    return {number, start, start + 2'000'000, discontinuity, bytes};
}

std::optional<Playlist> reread(const std::string& text, const PlaylistForm& form, const std::string& missing = "none") {
    return PlaylistReader(text).resume(form, [&](const std::string& name) {
        return name == missing ? std::nullopt : std::optional<std::uint64_t>(1000);
    });
}

TEST(Playlist, text_is_an_event_playlist_that_starts_at_zero) {
    Playlist playlist = fresh(event_of());
    EXPECT_TRUE(playlist.empty());
    playlist.begin_encoding(kEpoch, {});
    playlist.add({.number = 0, .start_us = 0, .end_us = 2'000'000});
    playlist.add({.number = 1, .start_us = 2'000'000, .end_us = 2'400'000});
    playlist.end();
    EXPECT_EQ(playlist.text(),
              "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
              "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-START:TIME-OFFSET=0\n"
              "#ringcast-stream:s1\n"
              "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.123Z\n#EXTINF:2.000000,\nsegment-00000.ts\n"
              "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.123Z\n#EXTINF:0.400000,\nsegment-00001.ts\n"
              "#EXT-X-ENDLIST\n");
}

TEST(Playlist, live_lists_the_newest_segments_and_counts_what_has_left) {
    Playlist playlist = fresh(live_of(3));
    for (std::uint64_t number = 0; number < 5; ++number)
        playlist.add(two_seconds(number, number == 1 || number == 3));
    EXPECT_EQ(playlist.text(),
              "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:2\n"
              "#EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXT-X-INDEPENDENT-SEGMENTS\n#ringcast-stream:s1\n"
              "#EXTINF:2.000000,\nsegment-00002.ts\n#EXT-X-DISCONTINUITY\n"
              "#EXTINF:2.000000,\nsegment-00003.ts\n#EXTINF:2.000000,\nsegment-00004.ts\n");
    EXPECT_EQ(playlist.oldest_kept().number, 1u) << "one past the window stays on disk";
}

TEST(Playlist, initialisation_is_named_once_for_each_encoding_and_again_when_the_window_has_moved) {
    PlaylistForm form = live_of(3);
    form.names = SegmentNames("talk-%d", SegmentType::fmp4);
    Playlist playlist = fresh(form);
    playlist.begin_encoding(0, 0);
    for (std::uint64_t number = 0; number < 4; ++number)
        playlist.add(two_seconds(number));
    playlist.begin_encoding(0, 4);
    playlist.add(two_seconds(4, true));
    EXPECT_EQ(playlist.text(),
              "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:2\n"
              "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-INDEPENDENT-SEGMENTS\n#ringcast-stream:s1\n"
              "#EXT-X-MAP:URI=\"init-00000.mp4\"\n#EXTINF:2.000000,\ntalk-2.m4s\n#EXTINF:2.000000,\ntalk-3.m4s\n"
              "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init-00004.mp4\"\n#EXTINF:2.000000,\ntalk-4.m4s\n");
}

TEST(Playlist, unknown_wall_clock_gives_no_date) {
    Playlist playlist = fresh(event_of());
    playlist.add(two_seconds(0));
    EXPECT_EQ(playlist.text().find("DATE-TIME"), std::string::npos);
    EXPECT_EQ(playlist.text().find("ENDLIST"), std::string::npos);
}

TEST(Playlist, target_duration_grows_to_the_keyframe_interval_and_then_stays) {
    Playlist playlist = fresh(event_of());
    EXPECT_TRUE(playlist.fits({.number = 0, .start_us = 0, .end_us = 5'000'000}));
    playlist.add({.number = 0, .start_us = 0, .end_us = 5'000'000});
    EXPECT_EQ(playlist.target_duration(), 5);
    EXPECT_TRUE(playlist.fits({.number = 1, .start_us = 5'000'000, .end_us = 10'400'000}));
    playlist.add({.number = 1, .start_us = 5'000'000, .end_us = 10'400'000});
    EXPECT_FALSE(playlist.fits({.number = 2, .start_us = 10'400'000, .end_us = 16'000'000})) << "6 s do not fit into 5";
    EXPECT_EQ(playlist.target_duration(), 5);
}

TEST(Playlist, the_next_one_goes_on_with_the_numbers_and_keeps_the_files_of_the_one_before) {
    for (const HlsMode mode : {HlsMode::event, HlsMode::live}) {
        PlaylistForm form{.mode = mode, .names = SegmentNames("talk-%d", SegmentType::fmp4), .window = 3};
        Playlist first = fresh(form);
        first.begin_encoding(kEpoch, 0);
        for (std::uint64_t number = 0; number < 3; ++number)
            first.add(two_seconds(number));
        Playlist second = first.next("s2");
        second.add({.number = 3, .start_us = 6'000'000, .end_us = 11'000'000});
        EXPECT_EQ(second.target_duration(), 5);
        const std::string text = second.text();
        EXPECT_NE(text.find("#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"), std::string::npos) << text;
        EXPECT_NE(text.find("s2\n#EXT-X-MAP:URI=\"init-00000.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:26.123Z\n"
                            "#EXTINF:5.000000,\ntalk-3.m4s\n"),
                  std::string::npos)
            << text;
        EXPECT_EQ(second.oldest_kept().number, 0u) << "a viewer may have just read it there";
    }
}

TEST(Playlist, target_duration_of_ntsc_segments_is_not_rounded_up_past_them) {
    Playlist playlist = fresh(event_of());
    playlist.add({.number = 0, .start_us = 0, .end_us = 2'002'000});
    EXPECT_EQ(playlist.target_duration(), 2);
}

TEST(Playlist, half_second_lengths_round_up) {
    Playlist playlist = fresh(event_of(1'500'000));
    playlist.add({.number = 0, .start_us = 0, .end_us = 1'500'000});
    EXPECT_EQ(playlist.target_duration(), 2);
}

TEST(Playlist, discontinuity_stands_before_its_segment_but_not_before_the_first) {
    Playlist playlist = fresh(event_of(), {.next_number = 3, .discontinuities = 2});
    playlist.add({.number = 3, .start_us = 0, .end_us = 2'000'000, .discontinuity = true});
    playlist.add({.number = 4, .start_us = 0, .end_us = 2'000'000, .discontinuity = true});
    const std::string text = playlist.text();
    EXPECT_NE(text.find("#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n"), std::string::npos) << text;
    EXPECT_NE(text.find("s1\n#EXTINF:2.000000,\nsegment-00003.ts\n#EXT-X-DISCONTINUITY\n"
                        "#EXTINF:2.000000,\nsegment-00004.ts\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(playlist.counters().next_number, 5u);
    EXPECT_EQ(playlist.counters().discontinuities, 4u) << "the next stream is one more";
}

TEST(Playlist, peak_counts_runs_of_about_a_target_duration_and_the_mean_what_is_listed) {
    Playlist playlist = fresh(event_of());
    playlist.add(two_seconds(0, false, 100'000));
    EXPECT_EQ(playlist.peak_bps(), 400'000u);
    playlist.add(two_seconds(1, false, 250'000));
    // The short end alone would be 2 Mb/s; RFC 8216 counts it with the segment before it: 300 kB in 2.2 s.
    playlist.add({.number = 2, .start_us = 4'000'000, .end_us = 4'200'000, .bytes = 50'000});
    EXPECT_EQ(playlist.peak_bps(), 1'090'910u);
    EXPECT_EQ(playlist.average_bps(), 761'905u);
}

TEST(Playlist, one_that_was_broken_off_goes_on_from_its_own_text) {
    for (const HlsMode mode : {HlsMode::event, HlsMode::live}) {
        PlaylistForm form{.mode = mode, .names = SegmentNames("talk-%03d", SegmentType::fmp4), .window = 3};
        Playlist whole = fresh(form, {.next_number = 7, .discontinuities = 1});
        whole.begin_encoding(kEpoch, 7);
        std::uint64_t number = 7;
        for (; number < 12; ++number)
            whole.add(two_seconds(number));
        whole.begin_encoding(kEpoch, number);
        whole.add(two_seconds(number++, true));
        auto resumed = reread(whole.text(), form);
        ASSERT_TRUE(resumed) << whole.text();
        EXPECT_EQ(resumed->text(), whole.text());
        EXPECT_EQ(resumed->peak_bps(), whole.peak_bps());
        for (Playlist* each : {&whole, &*resumed}) {
            each->begin_encoding(kEpoch, number);
            each->add(two_seconds(number, true));
        }
        EXPECT_EQ(resumed->text(), whole.text());
        EXPECT_EQ(resumed->counters().discontinuities, whole.counters().discontinuities);
    }
}

TEST(Playlist, one_that_has_ended_or_has_another_form_or_lacks_a_file_is_begun_anew_with_rising_numbers) {
    Playlist playlist = fresh(event_of(), {.next_number = 4});
    playlist.add(two_seconds(4));
    playlist.add(two_seconds(5, true));
    const std::string text = playlist.text();
    ASSERT_TRUE(reread(text, event_of()));
    EXPECT_FALSE(reread(text + "#EXT-X-ENDLIST\n", event_of()));
    EXPECT_FALSE(reread(text, live_of(6)));
    EXPECT_FALSE(reread(text, event_of(4'000'000))) << "TARGETDURATION must not change";
    EXPECT_FALSE(reread(text, {.names = SegmentNames("other-%05d", SegmentType::ts)}));
    EXPECT_FALSE(reread(text, {.names = SegmentNames("segment-%05d", SegmentType::fmp4)}));
    EXPECT_FALSE(reread(text, event_of(), "segment-00005.ts"));
    const PlaylistReader reader(text + "#EXT-X-ENDLIST\n");
    EXPECT_EQ(reader.counters().next_number, 6u);
    EXPECT_EQ(reader.counters().discontinuities, 2u);
    EXPECT_EQ(reader.files(), (std::vector<std::string>{"segment-00004.ts", "segment-00005.ts"}));
}

TEST(Playlist, files_of_another_programs_playlist_are_not_ours_to_delete) {
    const PlaylistReader foreign("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.000000,\nindex0.ts\n");
    EXPECT_FALSE(foreign.is_own());
    EXPECT_TRUE(foreign.files().empty());
}

TEST(Playlist, nothing_in_a_file_that_someone_edited_is_trusted) {
    Playlist playlist = fresh(event_of());
    playlist.begin_encoding(kEpoch, {});
    playlist.add(two_seconds(0));
    const std::string text = playlist.text();
    for (std::size_t cut = 0; cut + 1 < text.size(); ++cut) {
        const auto resumed = reread(text.substr(0, cut), event_of());
        EXPECT_FALSE(resumed && resumed->entries().front().number != 0) << cut;
    }
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string edited = text;
        edited.replace(edited.find(from), from.size(), to);
        return reread(edited, event_of());
    };
    EXPECT_FALSE(with("segment-00000.ts", "../../etc/passwd"));
    EXPECT_FALSE(with("segment-00000.ts", "segment-00001.ts"));
    EXPECT_FALSE(with("DURATION:2", "DURATION:two"));
    EXPECT_FALSE(with("SEQUENCE:0", "SEQUENCE:99999999999999999999999"));
    EXPECT_FALSE(with("#EXTM3U", "#EXTM4U"));
    EXPECT_FALSE(with("#ringcast-stream:s1\n", ""));
}

TEST(SegmentNames, numbers_have_the_digits_of_the_pattern_or_more_and_only_that_spelling_is_read_back) {
    const SegmentNames five("segment-%05d", SegmentType::ts);
    EXPECT_EQ(five.segment(7), "segment-00007.ts");
    EXPECT_EQ(five.segment(1234567), "segment-1234567.ts");
    EXPECT_EQ(five.segment_number("segment-00007.ts"), 7u);
    for (const char* other :
         {"segment-7.ts", "segment-000007.ts", "segment-.ts", "segment-00007.m4s", "segment-+0007.ts",
          ".segment-00007.ts", "segment-00007.ts/", "segment-99999999999999999999.ts", ""}) {
        EXPECT_FALSE(five.segment_number(other)) << other;
    }
    EXPECT_EQ(SegmentNames("%d", SegmentType::fmp4).segment(12), "12.m4s");
    EXPECT_EQ(SegmentNames("a_%03d.b.ts", SegmentType::ts).segment(2), "a_002.b.ts");
    EXPECT_EQ(SegmentNames::init(3), "init-00003.mp4");
    EXPECT_EQ(SegmentNames::init_number("init-00003.mp4"), 3u);
}

}  // namespace
}  // namespace ringcast::sink
