// SPDX-License-Identifier: Apache-2.0
#include "hls/playlist.hpp"

#include <gtest/gtest.h>

namespace ringcast::sink {
namespace {

TEST(Playlist, text_is_an_event_playlist_that_starts_at_zero) {
    Playlist playlist(2'000'000, 1'700'000'000'123'000'000);
    EXPECT_TRUE(playlist.empty());
    playlist.add({.number = 0, .start_us = 0, .end_us = 2'000'000});
    playlist.add({.number = 1, .start_us = 2'000'000, .end_us = 2'400'000});
    playlist.end();
    EXPECT_EQ(playlist.text(),
              "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
              "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-START:TIME-OFFSET=0\n"
              "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.123Z\n"
              "#EXTINF:2.000000,\nsegment-00000.ts\n#EXTINF:0.400000,\nsegment-00001.ts\n#EXT-X-ENDLIST\n");
}

TEST(Playlist, unknown_wall_clock_gives_no_date) {
    Playlist playlist(2'000'000, 0);
    playlist.add({.number = 0, .start_us = 0, .end_us = 2'000'000});
    EXPECT_EQ(playlist.text().find("DATE-TIME"), std::string::npos);
    EXPECT_EQ(playlist.text().find("ENDLIST"), std::string::npos);
}

TEST(Playlist, target_duration_grows_to_the_keyframe_interval_and_then_stays) {
    Playlist playlist(2'000'000, 0);
    EXPECT_TRUE(playlist.add({.number = 0, .start_us = 0, .end_us = 5'000'000}));
    EXPECT_EQ(playlist.target_duration(), 5);
    EXPECT_TRUE(playlist.add({.number = 1, .start_us = 5'000'000, .end_us = 10'400'000}));
    EXPECT_FALSE(playlist.add({.number = 2, .start_us = 10'400'000, .end_us = 16'000'000})) << "6 s do not fit into 5";
    EXPECT_EQ(playlist.target_duration(), 5);
}

TEST(Playlist, target_duration_of_ntsc_segments_is_not_rounded_up_past_them) {
    Playlist playlist(2'000'000, 0);
    EXPECT_TRUE(playlist.add({.number = 0, .start_us = 0, .end_us = 2'002'000}));
    EXPECT_EQ(playlist.target_duration(), 2);
}

TEST(Playlist, half_second_lengths_round_up) {
    Playlist playlist(1'500'000, 0);
    EXPECT_TRUE(playlist.add({.number = 0, .start_us = 0, .end_us = 1'500'000}));
    EXPECT_EQ(playlist.target_duration(), 2);
}

TEST(Playlist, discontinuity_stands_before_its_segment_but_not_before_the_first) {
    Playlist playlist(2'000'000, 0);
    playlist.add({.number = 3, .start_us = 0, .end_us = 2'000'000, .discontinuity = true});
    playlist.add({.number = 4, .start_us = 0, .end_us = 2'000'000, .discontinuity = true});
    EXPECT_NE(playlist.text().find("#EXT-X-MEDIA-SEQUENCE:3\n"), std::string::npos);
    EXPECT_NE(playlist.text().find("TIME-OFFSET=0\n#EXTINF:2.000000,\nsegment-00003.ts\n#EXT-X-DISCONTINUITY\n"
                                   "#EXTINF:2.000000,\nsegment-00004.ts\n"),
              std::string::npos)
        << playlist.text();
}

TEST(Playlist, segment_names_have_five_digits_or_more) {
    EXPECT_EQ(segment_name(7), "segment-00007.ts");
    EXPECT_EQ(segment_name(1234567), "segment-1234567.ts");
}

}  // namespace
}  // namespace ringcast::sink
