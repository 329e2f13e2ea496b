// SPDX-License-Identifier: Apache-2.0
#include "runtime/video_encoder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "encoder_rig.hpp"

namespace ringcast::runtime {
namespace {

using namespace testing;

/// A picture whose left part is `luma` and whose rest moves, so that frames differ and can be told apart.
AVFramePtr picture(VideoConverter& converter, int luma, std::int64_t tick) {
    AVFramePtr frame = converter.black();
    for (int y = 0; y < frame->height; ++y)
        for (int x = 0; x < frame->width; ++x)
            frame->data[0][y * frame->linesize[0] + x] =
                static_cast<std::uint8_t>(x < 64 ? luma : 16 + (x * 3 + y + tick * 5) % 200);
    return frame;
}

int luma_of(std::int64_t tick) {
    return static_cast<int>(30 + tick * 37 % 190);
}

Encoded encode(const std::vector<std::string>& words, const std::vector<std::int64_t>& ticks,
               const std::set<std::int64_t>& requests = {}) {
    return encode_pictures(
        words, ticks,
        [](VideoConverter& converter, std::int64_t tick) { return picture(converter, luma_of(tick), tick); },
        [&](VideoEncoder& encoder, std::int64_t tick) {
            if (requests.contains(tick)) encoder.request_keyframe();
        });
}

/// NAL types of a length-prefixed packet; empty when the lengths do not add up.
std::vector<int> nal_types(const Packet& packet) {
    std::vector<int> types;
    auto bytes = packet.data();
    while (!bytes.empty()) {
        if (bytes.size() < 5) return {};
        const std::size_t size =
            std::size_t{bytes[0]} << 24U | std::size_t{bytes[1]} << 16U | std::size_t{bytes[2]} << 8U | bytes[3];
        if (size == 0 || size > bytes.size() - 4) return {};
        types.push_back(bytes[4] & 0x1F);
        bytes = bytes.subspan(4 + size);
    }
    return types;
}

TEST(VideoEncoder, every_frame_comes_once_in_order_with_its_pts_and_capture_time) {
    const Encoded encoded = encode({}, range(120));
    ASSERT_EQ(encoded.packets.size(), 120U);
    for (std::size_t i = 0; i < encoded.packets.size(); ++i) {
        const Packet& packet = encoded.packets[i];
        EXPECT_EQ(packet.pts, static_cast<std::int64_t>(i));
        EXPECT_EQ(packet.dts, packet.pts) << "no B-frames";
        EXPECT_EQ(packet.duration, 1);
        EXPECT_EQ(packet.capture_time_ns, 1000 + packet.pts);
        EXPECT_EQ(packet.stream, 3U);
    }
}

TEST(VideoEncoder, decoded_pictures_are_the_ones_given) {
    const Encoded encoded = encode({}, range(60));
    testing::Decoder decoder(encoded.stream);
    for (const Packet& packet : encoded.packets)
        decoder.decode(packet);
    decoder.drain();
    ASSERT_EQ(decoder.frames.size(), 60U);
    for (std::size_t i = 0; i < 60; ++i) {
        const AVFrame& frame = *decoder.frames[i];
        EXPECT_EQ(frame.pts, static_cast<std::int64_t>(i));
        EXPECT_NEAR(frame.data[0][54 * frame.linesize[0] + 30], luma_of(static_cast<std::int64_t>(i)), 6) << i;
    }
}

TEST(VideoEncoder, keyframes_stand_on_every_gop_and_nowhere_else) {
    EXPECT_EQ(keys_of(encode({}, range(151))), (std::vector<std::int64_t>{0, 50, 100, 150}));
    EXPECT_EQ(keys_of(encode({"video.gop=12frames"}, range(40))), (std::vector<std::int64_t>{0, 12, 24, 36}));
    EXPECT_EQ(keys_of(encode({"video.gop=1s", "video.lookahead=4frames"}, range(51))),
              (std::vector<std::int64_t>{0, 25, 50}));
}

TEST(VideoEncoder, a_gop_boundary_in_a_hole_moves_to_the_next_picture) {
    std::vector<std::int64_t> ticks = range(60);
    ticks.erase(ticks.begin() + 48, ticks.begin() + 53);
    EXPECT_EQ(keys_of(encode({}, ticks)), (std::vector<std::int64_t>{0, 53}));
}

TEST(VideoEncoder, a_requested_keyframe_comes_with_the_next_picture_and_the_grid_stays) {
    EXPECT_EQ(keys_of(encode({}, range(110), {20, 21})), (std::vector<std::int64_t>{0, 20, 21, 50, 100}));
}

TEST(VideoEncoder, keyframes_are_idr_and_all_units_are_length_prefixed) {
    for (const Packet& packet : encode({"video.gop=10frames"}, range(30)).packets) {
        const std::vector<int> types = nal_types(packet);
        ASSERT_FALSE(types.empty()) << packet.pts;
        EXPECT_EQ(std::count(types.begin(), types.end(), 5) > 0, packet.key) << packet.pts;
        EXPECT_EQ(std::count(types.begin(), types.end(), 7), 0) << "parameter sets stand in the extradata";
    }
}

TEST(VideoEncoder, stream_says_what_the_packets_are) {
    const VideoEncoder encoder(options_of({"video.bitrate=700k"}).video, kSize, {30000, 1001});
    const StreamInfo& stream = encoder.stream();
    EXPECT_EQ(stream.timebase, (Rational{1001, 30000}));
    EXPECT_EQ(stream.fps, (Rational{30000, 1001}));
    EXPECT_EQ(stream.width, kSize.width);
    EXPECT_EQ(stream.height, kSize.height);
    EXPECT_EQ(stream.bitrate_bps, 700'000U);
    EXPECT_EQ(encoder.gop_frames(), 60U);
    ASSERT_GT(stream.extradata.size(), 7U);
    EXPECT_EQ(stream.extradata[0], 1) << "avcC";
    EXPECT_EQ(stream.extradata[4], 0xFF) << "4-byte lengths";
}

TEST(VideoEncoder, decoder_sees_bt709_limited_and_colours_survive) {
    struct Field {
        std::uint8_t r, g, b;
        int y, u, v;
    };
    for (const Field field : {Field{255, 0, 0, 63, 102, 240}, Field{0, 255, 0, 173, 42, 26},
                              Field{0, 0, 255, 32, 240, 118}, Field{128, 128, 128, 126, 128, 128}}) {
        VideoEncoder encoder(options_of({}).video, kSize, kFps);
        VideoConverter converter(kSize, Scale::fit);
        const layout::Caps caps = make_caps(VideoFormat{PixelFormat::rgb24, kSize.width, kSize.height, kFps});
        std::vector<std::uint8_t> bytes;
        for (std::uint32_t i = 0; i < kSize.width * kSize.height; ++i)
            bytes.insert(bytes.end(), {field.r, field.g, field.b});
        const AVFramePtr frame = converter.convert(caps, std::as_bytes(std::span(bytes)));
        testing::Decoder decoder(encoder.stream());
        const auto decode = [&](Packet&& packet) { decoder.decode(packet); };
        for (std::int64_t tick = 0; tick < 10; ++tick)
            encoder.encode(*frame, tick, 0, decode);
        encoder.drain(decode);
        decoder.drain();
        ASSERT_EQ(decoder.frames.size(), 10U);
        for (const AVFramePtr& decoded : decoder.frames) {
            EXPECT_EQ(decoded->colorspace, AVCOL_SPC_BT709);
            EXPECT_EQ(decoded->color_range, AVCOL_RANGE_MPEG);
            EXPECT_NEAR(decoded->data[0][50 * decoded->linesize[0] + 90], field.y, 3);
            EXPECT_NEAR(decoded->data[1][25 * decoded->linesize[1] + 45], field.u, 3);
            EXPECT_NEAR(decoded->data[2][25 * decoded->linesize[2] + 45], field.v, 3);
        }
    }
}

TEST(VideoEncoder, a_repeated_picture_may_be_given_again_and_again) {
    VideoEncoder encoder(options_of({}).video, kSize, kFps);
    VideoConverter converter(kSize, Scale::fit);
    const AVFramePtr frame = converter.black();
    std::size_t packets = 0;
    const auto count = [&](Packet&&) { ++packets; };
    for (std::int64_t tick = 0; tick < 30; ++tick)
        encoder.encode(*frame, tick, 0, count);
    encoder.drain(count);
    EXPECT_EQ(packets, 30U);
    EXPECT_NE(av_frame_is_writable(frame.get()), -1);
    EXPECT_THROW(encoder.encode(*frame, 30, 0, count), Error);
}

/// Pictures that go in before the first packet comes out.
std::int64_t delay_with(const std::vector<std::string>& words) {
    VideoEncoder encoder(options_of(words).video, kSize, kFps);
    VideoConverter converter(kSize, Scale::fit);
    std::int64_t first = -1;
    for (std::int64_t tick = 0; first < 0 && tick < 200; ++tick)
        encoder.encode(*picture(converter, 100, tick), tick, 0, [&](Packet&&) {
            if (first < 0) first = tick;
        });
    return first;
}

TEST(VideoEncoder, zerolatency_gives_each_picture_back_at_once) {
    EXPECT_EQ(delay_with({"video.tune=zerolatency"}), 0);
}

TEST(VideoEncoder, lookahead_bounds_the_delay) {
    EXPECT_EQ(delay_with({"video.lookahead=0frames", "video.threads=1"}), 0);
    EXPECT_LE(delay_with({"video.lookahead=4frames", "video.threads=1"}), 5);
    EXPECT_LE(delay_with({"video.lookahead=8frames", "video.threads=2"}), 10);
}

TEST(VideoEncoder, zerolatency_has_one_slice_per_picture) {
    for (const Packet& packet : encode({"video.tune=zerolatency", "video.threads=2"}, range(20)).packets) {
        const std::vector<int> types = nal_types(packet);
        EXPECT_EQ(std::count_if(types.begin(), types.end(), [](int type) { return type == 1 || type == 5; }), 1);
    }
}

TEST(VideoEncoder, rate_control_follows_the_options) {
    const auto bytes_of = [](const std::vector<std::string>& words) {
        std::size_t bytes = 0;
        for (const Packet& packet : encode(words, range(100)).packets)
            bytes += packet.data().size();
        return bytes;
    };
    const double seconds = 4;
    const double held = static_cast<double>(bytes_of({"video.bitrate=400k", "video.rate_control=cbr"})) * 8 / seconds;
    EXPECT_NEAR(held, 400e3, 60e3);
    EXPECT_GT(bytes_of({"video.crf=18"}) * 2, bytes_of({"video.crf=40"}) * 3);
    EXPECT_EQ(encode({"video.crf=30"}, {0}).stream.bitrate_bps, 0U);
    EXPECT_EQ(encode({"video.crf=30", "video.maxrate=900k"}, {0}).stream.bitrate_bps, 900'000U);
}

TEST(VideoEncoder, passed_through_options_reach_the_encoder) {
    const Encoded encoded = encode({"video.options=bf=2", "video.profile=main"}, range(30));
    bool reordered = false;
    for (const Packet& packet : encoded.packets)
        reordered |= packet.pts != packet.dts;
    EXPECT_TRUE(reordered);
    EXPECT_EQ(encoded.stream.extradata[1], 77) << "main profile";
    EXPECT_EQ(encoded.packets.size(), 30U);
}

TEST(VideoEncoder, errors_name_encoder_option_and_fix) {
    EXPECT_EQ(error_of({"video.encoder=mpeg4"}),
              "video.encoder=mpeg4 makes mpeg4, which no sink carries as video: use video.encoder=libx264");
    EXPECT_EQ(error_of({"video.encoder=aac"}),
              "video.encoder=aac makes aac, which no sink carries as video: use video.encoder=libx264");
    EXPECT_EQ(error_of({"video.encoder=libx246"}),
              "video.encoder=libx246: libavcodec here has no such encoder: did you mean libx264?");
    EXPECT_EQ(error_of({"video.options=refz=3"}),
              "video.options: video.encoder=libx264 has no option refz: did you mean refs?");
    EXPECT_EQ(error_of({"video.preset=veryfats"}),
              "video.preset=veryfats: libx264 has ultrafast, superfast, veryfast, faster, fast, medium, slow, slower, "
              "veryslow, placebo (did you mean veryfast?)");
    EXPECT_EQ(error_of({"video.profile=high444"}),
              "video.profile=high444: libx264 has baseline, main, high for yuv420p");
    const std::string levels =
        ": h264 has 1, 1b, 1.1, 1.2, 1.3, 2, 2.1, 2.2, 3, 3.1, 3.2, 4, 4.1, 4.2, 5, 5.1, 5.2, 6, 6.1, 6.2";
    for (const std::string word : {"high", "9.9", "4.3", "7", "-1"})
        EXPECT_EQ(error_of({"video.level=" + word}), "video.level=" + word + levels);
    EXPECT_EQ(error_of({"video.fallback=libx246"}),
              "video.fallback=libx246: libavcodec here has no such encoder: did you mean libx264?");
}

}  // namespace
}  // namespace ringcast::runtime
