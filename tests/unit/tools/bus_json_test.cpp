// SPDX-License-Identifier: Apache-2.0
#include "bus_json.hpp"

#include <gtest/gtest.h>

namespace ringcast::tools {
namespace {

FlowInfo flow_at(FlowKind kind, std::int64_t pts_ns, std::int64_t age_ns) {
    FlowInfo flow;
    flow.kind = kind;
    flow.newest_pts_ns = pts_ns;
    flow.newest_age_ns = age_ns;
    flow.object_bytes = 1000;
    return flow;
}

BusInfo live_bus() {
    BusInfo bus;
    bus.name = "talk";
    bus.layout_major = 1;
    bus.alive = true;
    return bus;
}

TEST(StateOf, names_every_condition_of_a_bus) {
    BusInfo bus = live_bus();
    EXPECT_EQ(state_of(bus), "live");
    bus.alive = false;
    EXPECT_EQ(state_of(bus), "stale");
    bus.ended = true;
    EXPECT_EQ(state_of(bus), "ended");
    EXPECT_EQ(state_of(BusInfo{}), "damaged");
    BusInfo unpublished;
    unpublished.alive = true;
    EXPECT_EQ(state_of(unpublished), "starting");
    unpublished.problems = {"its bus object is cut short"};
    EXPECT_EQ(state_of(unpublished), "damaged");
}

TEST(AvSkew, compares_both_flows_at_the_same_moment) {
    BusInfo bus = live_bus();
    // The video record is 30 ms older than the audio record: at one moment video stands 30 ms further.
    bus.flows = {flow_at(FlowKind::video, 1'000'000'000, 40'000'000),
                 flow_at(FlowKind::audio, 1'000'000'000, 10'000'000)};
    EXPECT_EQ(av_skew_ns(bus), 30'000'000);
}

TEST(AvSkew, is_negative_when_sound_was_written_far_ahead) {
    BusInfo bus = live_bus();
    bus.flows = {flow_at(FlowKind::video, 1'000'000'000, 0), flow_at(FlowKind::audio, 29'000'000'000, 0)};
    EXPECT_EQ(av_skew_ns(bus), -28'000'000'000);
}

TEST(AvSkew, is_unknown_without_records_on_both_flows) {
    BusInfo bus = live_bus();
    EXPECT_EQ(av_skew_ns(bus), std::nullopt);
    bus.flows = {flow_at(FlowKind::video, 0, 0), FlowInfo{}};
    bus.flows[1].kind = FlowKind::audio;
    EXPECT_EQ(av_skew_ns(bus), std::nullopt);
}

TEST(AvSkew, survives_absurd_figures_from_a_hostile_object) {
    BusInfo bus = live_bus();
    bus.flows = {flow_at(FlowKind::video, INT64_MAX, INT64_MAX), flow_at(FlowKind::audio, INT64_MIN, INT64_MIN)};
    EXPECT_TRUE(av_skew_ns(bus).has_value());
}

TEST(BusJson, shows_raw_numbers_and_null_for_what_is_not_there) {
    BusInfo bus = live_bus();
    bus.session = 0x0123456789abcdefULL;
    bus.flows = {flow_at(FlowKind::video, 80'000'000, 5)};
    bus.flows[0].caps = make_caps(VideoFormat{PixelFormat::bgr24, 640, 360, {30000, 1001}});
    const Json json = bus_json(bus);
    EXPECT_EQ(json["session"], "0123456789abcdef");
    EXPECT_EQ(json["memory_bytes"], 1000);
    EXPECT_EQ(json["video"]["fps"], "30000/1001");
    EXPECT_EQ(json["video"]["width_px"], 640);
    EXPECT_TRUE(json["audio"].is_null());
    EXPECT_TRUE(json["av_skew_ns"].is_null());
    EXPECT_EQ(json["flows"][0]["newest_pts_ns"], 80'000'000);
    EXPECT_TRUE(json["flows"][0]["oldest_pts_ns"].is_null());
}

TEST(BusJson, counts_losses_of_a_reader_by_flow_and_reason) {
    BusInfo bus = live_bus();
    CellInfo reader;
    reader.name = "page";
    reader.state = layout::SinkState::live;
    reader.cursor = {50, 0, layout::kNotRead, 0};
    reader.delivered = {40, 0, 0, 0};
    reader.overrun = {9, 0, 0, 0};
    reader.aborted = {1, 0, 0, 0};
    bus.readers = {reader};
    const Json json = bus_json(bus)["readers"][0];
    EXPECT_EQ(json["state"], "live");
    EXPECT_EQ(json["flows"]["video"]["lost_overrun_records"], 9);
    EXPECT_EQ(json["flows"]["video"]["lost_aborted_records"], 1);
    EXPECT_FALSE(json["flows"].contains("audio"));
    EXPECT_FALSE(json["flows"].contains("packets"));
    EXPECT_TRUE(json["played_pts_ns"].is_null());
}

TEST(BusJson, names_a_state_and_a_mode_that_this_version_does_not_know) {
    BusInfo bus = live_bus();
    bus.writer_mode = 77;
    bus.readers.resize(1);
    bus.readers[0].state = static_cast<layout::SinkState>(99);
    const Json json = bus_json(bus);
    EXPECT_EQ(json["mode"], "unknown");
    EXPECT_EQ(json["readers"][0]["state"], "unknown");
}

TEST(BusJson, stays_valid_utf8_whatever_the_names_hold) {
    BusInfo bus = live_bus();
    bus.producer = "\xff\xfe bad";
    const std::string text = pretty(bus_json(bus));
    EXPECT_EQ(text.find('\xff'), std::string::npos);
    EXPECT_TRUE(Json::accept(text)) << text;
}

TEST(RecordJson, carries_size_flags_and_samples) {
    const std::array<std::byte, 12> payload{};
    Record record;
    record.index = 7;
    record.flags = layout::kFlagKey | layout::kFlagDiscontinuity;
    record.sample_count = 6;
    record.payload = payload;
    const Json json = record_json(FlowKind::audio, record, 1234);
    EXPECT_EQ(json["index"], 7);
    EXPECT_EQ(json["size_bytes"], 12);
    EXPECT_EQ(json["age_ns"], 1234);
    EXPECT_EQ(json["samples"], 6);
    EXPECT_TRUE(json["key"].get<bool>());
    EXPECT_TRUE(json["discontinuity"].get<bool>());
    EXPECT_FALSE(json["explicit_pts"].get<bool>());
    EXPECT_FALSE(record_json(FlowKind::video, record, 0).contains("samples"));
}

}  // namespace
}  // namespace ringcast::tools
