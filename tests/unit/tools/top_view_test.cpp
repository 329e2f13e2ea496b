// SPDX-License-Identifier: Apache-2.0
#include "top_view.hpp"

#include <gtest/gtest.h>

namespace ringcast::tools {
namespace {

BusLook look_with_reader(std::uint64_t sent_bytes) {
    BusLook look;
    look.info.name = "talk";
    look.info.layout_major = 1;
    look.info.alive = true;
    look.info.session = 7;
    FlowInfo video;
    video.kind = FlowKind::video;
    video.caps = make_caps(VideoFormat{PixelFormat::rgb24, 100, 10, {25, 1}});
    video.committed = 25;
    video.payload_bytes = 25 * 3000;
    video.newest_age_ns = 5'000'000;
    look.info.flows.push_back(video);
    CellInfo reader;
    reader.name = "archive";
    reader.reason = std::string(300, 'x');
    reader.bytes_sent = sent_bytes;
    reader.attached_ns = 1'000'000'000;
    look.info.readers.push_back(reader);
    look.rates.per_second.at(0) = 25.0;
    return look;
}

TEST(TopView, bit_rate_is_payload_size_times_rate) {
    const BusLook look = look_with_reader(0);
    EXPECT_DOUBLE_EQ(bits_per_second(look.info.flows[0], look.rates).value(), 25.0 * 3000 * 8);
}

TEST(TopView, a_flow_that_stands_still_has_rate_zero_whatever_its_ring_says) {
    BusLook look = look_with_reader(0);
    look.info.flows[0].newest_age_ns = 3'000'000'000;
    EXPECT_DOUBLE_EQ(shown_rate(look.info.flows[0], look.rates).value(), 0.0);
}

TEST(TopView, an_empty_ring_has_no_bit_rate) {
    BusLook look = look_with_reader(0);
    look.info.flows[0].committed = 0;
    EXPECT_EQ(bits_per_second(look.info.flows[0], look.rates), std::nullopt);
}

TEST(ReaderSpeeds, begins_with_the_mean_and_goes_on_with_the_difference) {
    ReaderSpeeds speeds;
    BusLook look = look_with_reader(4000);
    speeds.look({look}, 3'000'000'000);
    EXPECT_DOUBLE_EQ(speeds.bytes_per_second(look.info, look.info.readers[0]).value(), 2000.0);
    look = look_with_reader(4500);
    speeds.look({look}, 4'000'000'000);
    EXPECT_DOUBLE_EQ(speeds.bytes_per_second(look.info, look.info.readers[0]).value(), 500.0);
}

TEST(ReaderSpeeds, a_count_that_falls_is_unknown_not_huge) {
    ReaderSpeeds speeds;
    speeds.look({look_with_reader(4000)}, 3'000'000'000);
    const BusLook look = look_with_reader(10);
    speeds.look({look}, 4'000'000'000);
    EXPECT_EQ(speeds.bytes_per_second(look.info, look.info.readers[0]), std::nullopt);
}

TEST(TopView, no_line_is_wider_than_the_screen_with_or_without_colour) {
    const BusLook look = look_with_reader(0);
    for (const std::size_t width : {1U, 5U, 20U, 40U, 80U}) {
        const std::string text = top_text({look}, {}, "none", {.colour = false, .width = width});
        std::size_t begin = 0;
        for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
            EXPECT_LE(display_width(text.substr(begin, end - begin)), width);
            begin = end + 1;
        }
    }
}

TEST(CutLine, colour_codes_take_no_room_and_are_switched_off) {
    EXPECT_EQ(cut_line("\033[32mgreen\033[0m", 5), "\033[32mgreen\033[0m");
    EXPECT_EQ(cut_line("\033[32mgreen\033[0m grass", 3), "\033[32mgr…\033[0m");
    EXPECT_EQ(cut_line("plain", 0), "plain");
    EXPECT_EQ(cut_line("plain", 3), "pl…");
}

TEST(TopView, json_says_null_for_what_is_not_known) {
    BusLook look = look_with_reader(0);
    look.rates = {};
    const Json json = top_json({look}, {}, 5);
    EXPECT_EQ(json["monotonic_ns"], 5);
    EXPECT_TRUE(json["buses"][0]["flows"][0]["fps"].is_null());
    EXPECT_TRUE(json["buses"][0]["av_skew_ns"].is_null());
    EXPECT_TRUE(json["buses"][0]["readers"][0]["sent_bytes_per_second"].is_null());
    EXPECT_TRUE(json["buses"][0]["readers"][0]["encoded_fps"].is_null()) << "a board made before layout 1.2";
}

TEST(TopView, shows_the_network_of_a_sink_that_knows_of_one) {
    BusLook look = look_with_reader(0);
    const Screen wide{.colour = false, .width = 400};
    EXPECT_EQ(top_text({look}, {}, "none", wide).find("NET"), std::string::npos);
    look.info.readers[0].figures = {{"rtt_us", 12'300}, {"loss_packets", 3}};
    const std::string text = top_text({look}, {}, "none", wide);
    EXPECT_NE(text.find("NET"), std::string::npos) << text;
    EXPECT_NE(text.find("12.3 ms, 3 lost"), std::string::npos) << text;
    const Json reader = top_json({look}, {}, 5)["buses"][0]["readers"][0];
    EXPECT_EQ(reader["stats"]["rtt_us"], 12'300);
    EXPECT_TRUE(reader["clients"].empty());
}

TEST(TopView, shows_what_a_sink_measures_of_itself) {
    BusLook look = look_with_reader(0);
    GaugeInfo gauges;
    gauges.sent_bytes_per_second = 999;
    gauges.encoded_mfps = 24'960;
    gauges.encode_p50_ns = 2'000'000;
    gauges.encode_p99_ns = 7'000'000;
    gauges.sent_frame_age_ns = 12'000'000;
    gauges.late_samples = 480;
    look.info.readers[0].gauges = gauges;
    look.info.readers[0].reconnects = 3;
    ReaderSpeeds speeds;
    speeds.look({look}, 3'000'000'000);
    const Json reader = top_json({look}, speeds, 5)["buses"][0]["readers"][0];
    EXPECT_EQ(reader["encoded_fps"], 24.96);
    EXPECT_EQ(reader["encode_p50_ns"], 2'000'000);
    EXPECT_EQ(reader["encode_p99_ns"], 7'000'000);
    EXPECT_EQ(reader["sent_frame_age_ns"], 12'000'000);
    EXPECT_EQ(reader["late_samples"], 480);
    EXPECT_EQ(reader["reconnects"], 3);
    EXPECT_EQ(reader["sent_bytes_per_second"], 0.0) << "between two looks, as the text shows it";
    const std::string text = top_text({look}, speeds, "none", {.colour = false, .width = 200});
    EXPECT_NE(text.find("25.0"), std::string::npos) << text;
    EXPECT_NE(text.find("7.0 ms"), std::string::npos) << text;
    EXPECT_NE(text.find("12.0 ms"), std::string::npos) << text;
}

}  // namespace
}  // namespace ringcast::tools
