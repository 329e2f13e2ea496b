// SPDX-License-Identifier: Apache-2.0
#include "coded_video.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "runtime/encoder_rig.hpp"

namespace ringcast::ingest {
namespace {

using runtime::testing::Encoded;
using Record = std::vector<std::uint8_t>;

Encoded keyframe_of(const std::string& encoder) {
    return runtime::testing::encode_pictures(
        {"video.encoder=" + encoder}, {0},
        [](runtime::VideoConverter& converter, std::int64_t) { return converter.black(); });
}

/// What the keyframe becomes for a sender with this record; nothing: the two describe no pictures.
std::shared_ptr<const TrackFormat> described(const Encoded& sent, const Record& record) {
    const std::unique_ptr<AVFormatContext, decltype(&avformat_free_context)> container(avformat_alloc_context(),
                                                                                       &avformat_free_context);
    AVStream* const stream = avformat_new_stream(container.get(), nullptr);
    AVCodecParameters& parameters = *stream->codecpar;
    parameters.codec_type = AVMEDIA_TYPE_VIDEO;
    parameters.codec_id = sent.stream.codec == Codec::h265 ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264;
    // Without libav's padding: AddressSanitizer sees a read past the end.
    parameters.extradata = static_cast<std::uint8_t*>(av_memdup(record.data(), record.size()));
    parameters.extradata_size = static_cast<int>(record.size());
    CodedVideo video(*stream);

    const auto bytes = sent.packets.front().data();
    auto packet = runtime::av_owned<runtime::AVPacketPtr>(av_packet_alloc());
    if (av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0) throw std::bad_alloc();
    std::memcpy(packet->data, bytes.data(), bytes.size());
    packet->flags |= AV_PKT_FLAG_KEY;
    std::shared_ptr<const TrackFormat> format;
    video.convert(packet, format);
    return format;
}

class CodedVideoRecord : public ::testing::TestWithParam<const char*> {
protected:
    static void SetUpTestSuite() { av_log_set_level(AV_LOG_QUIET); }  // libav has much to say of damaged records
    static void TearDownTestSuite() { av_log_set_level(AV_LOG_INFO); }
};

TEST_P(CodedVideoRecord, describes_the_pictures_and_is_handed_on) {
    const Encoded sent = keyframe_of(GetParam());
    const auto format = described(sent, sent.stream.extradata);
    ASSERT_TRUE(format);
    EXPECT_EQ(format->stream.codec, sent.stream.codec);
    EXPECT_EQ(format->stream.width, sent.stream.width);
    EXPECT_EQ(format->stream.height, sent.stream.height);
    ASSERT_EQ(format->stream.config.size(), sent.stream.extradata.size());
    EXPECT_EQ(std::memcmp(format->stream.config.data(), sent.stream.extradata.data(), sent.stream.extradata.size()), 0);
}

TEST_P(CodedVideoRecord, may_be_cut_short_anywhere) {
    const Encoded sent = keyframe_of(GetParam());
    const Record& whole = sent.stream.extradata;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        // What lacks a parameter set waits for it; a record may end after its last one with bytes that say no more.
        const auto format = described(sent, Record(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        if (format) {
            EXPECT_GT(size, whole.size() / 2);
            EXPECT_EQ(format->stream.width, sent.stream.width) << size << " of " << whole.size();
        }
    }
}

TEST_P(CodedVideoRecord, may_be_damaged_anywhere) {
    const Encoded sent = keyframe_of(GetParam());
    std::mt19937 random(7);
    for (int run = 0; run < 500; ++run) {
        Record damaged = sent.stream.extradata;
        for (int flip = 0; flip < 3; ++flip)
            damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
        if (const auto format = described(sent, damaged)) {
            EXPECT_GT(format->stream.width, 0U);
            EXPECT_GT(format->stream.config.size(), 0U);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Encoders, CodedVideoRecord, ::testing::Values("libx264", "libx265"));

}  // namespace
}  // namespace ringcast::ingest
