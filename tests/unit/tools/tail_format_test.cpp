// SPDX-License-Identifier: Apache-2.0
#include "tail_format.hpp"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

namespace ringcast::tools {
namespace {

Record audio_record() {
    static const std::array<std::byte, 3528> kPayload{};
    Record record;
    record.index = 42;
    record.pts_ns = 1'680'000'000;
    record.media_index = 74088;
    record.sample_count = 1764;
    record.flags = layout::kFlagKey;
    record.caps_generation = 1;
    record.session = 0xabc;
    record.caps = make_caps(AudioFormat{SampleFormat::s16, 44100, 1});
    record.payload = kPayload;
    return record;
}

TEST(TailFormat, keeps_titles_and_values_in_the_same_columns) {
    const TailFormat format(false, {});
    EXPECT_EQ(format.title(), "FLOW       INDEX          PTS s  MEDIA INDEX SAMPLES      BYTES       AGE  FLAGS\n");
    EXPECT_EQ(format.record(FlowKind::audio, audio_record(), 120'000),
              "audio         42       1.680000        74088    1764       3528    120 µs  key\n");
}

TEST(TailFormat, reports_losses_with_their_reasons) {
    EXPECT_EQ(TailFormat(false, {}).lost(FlowKind::video, 12, 1, 135),
              "video   lost 13 before index 135: 12 overrun, 1 aborted\n");
}

TEST(TailFormat, prints_one_json_object_per_line) {
    const TailFormat format(true, {});
    EXPECT_EQ(format.title(), "");
    const std::string line = format.record(FlowKind::audio, audio_record(), 5);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(nlohmann::json::parse(line)["media_index"], 74088);
    EXPECT_EQ(nlohmann::json::parse(format.caps(FlowKind::audio, audio_record()))["caps"]["sample_rate_hz"], 44100);
    EXPECT_EQ(nlohmann::json::parse(format.session(FlowKind::audio, audio_record()))["session"], "0000000000000abc");
    EXPECT_EQ(nlohmann::json::parse(format.lost(FlowKind::video, 2, 3, 9))["aborted_records"], 3);
    EXPECT_EQ(nlohmann::json::parse(format.end("talk", {10, 5}))["lost_records"], 5);
}

}  // namespace
}  // namespace ringcast::tools
