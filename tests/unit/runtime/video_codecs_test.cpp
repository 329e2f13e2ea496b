// SPDX-License-Identifier: Apache-2.0
/// What the encoder does beyond plain libx264: other codecs, pixel formats, families and the fallback.
#include <gtest/gtest.h>

#include <sstream>

#include "encoder_rig.hpp"
#include "runtime/encoder_probe.hpp"
#include "runtime/h265_hvcc.hpp"
#include "runtime/video_encoder_settings.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace ringcast::runtime {
namespace {

using namespace testing;

/// `count` red pictures with a grey column that moves.
Encoded encode(const std::vector<std::string>& words, std::int64_t count) {
    const layout::Caps caps = make_caps(VideoFormat{PixelFormat::rgb24, kSize.width, kSize.height, kFps});
    return encode_pictures(words, range(count), [&](VideoConverter& converter, std::int64_t tick) {
        std::vector<std::uint8_t> bytes;
        for (std::uint32_t i = 0; i < kSize.width * kSize.height; ++i) {
            const bool column = i % kSize.width / 4 == static_cast<std::uint32_t>(10 + tick % 30);
            const std::uint8_t other = column ? 255 : 0;
            bytes.insert(bytes.end(), {255, other, other});
        }
        return converter.convert(caps, std::as_bytes(std::span(bytes)));
    });
}

TEST(VideoCodecs, h265_comes_out_with_hvcc_and_keyframes_where_the_gop_says) {
    const Encoded encoded = encode({"video.codec=h265", "video.gop=10frames", "video.threads=1"}, 35);
    EXPECT_EQ(encoded.stream.codec, Codec::h265);
    EXPECT_EQ(keys_of(encoded), (std::vector<std::int64_t>{0, 10, 20, 30}));
    ASSERT_GT(encoded.stream.extradata.size(), 23U);
    EXPECT_EQ(encoded.stream.extradata[0], 1) << "hvcC";
    EXPECT_EQ(encoded.stream.extradata[1] & 0x1F, 1) << "Main profile";
    EXPECT_EQ(encoded.stream.extradata[21] & 3, 3) << "4-byte lengths";
    const auto frames = decoded(encoded);
    ASSERT_EQ(frames.size(), 35U);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_EQ(frames[i]->pts, static_cast<std::int64_t>(i));
        EXPECT_NEAR(frames[i]->data[0][50 * frames[i]->linesize[0] + 8], 63, 4) << "BT.709 red";
    }
}

TEST(VideoCodecs, h265_zerolatency_gives_each_picture_back_at_once) {
    VideoEncoder encoder(options_of({"video.codec=h265", "video.tune=zerolatency"}).video, kSize, kFps);
    VideoConverter converter(kSize, Scale::fit);
    int packets = 0;
    for (int tick = 0; tick < 5; ++tick) {
        encoder.encode(*converter.black(), tick, 0, [&](Packet&&) { ++packets; });
        EXPECT_EQ(packets, tick + 1);
    }
}

TEST(VideoCodecs, pixel_formats_reach_the_decoder) {
    struct Case {
        std::string name;
        AVPixelFormat decoded;
        int chroma_idc;
        int luma_at_red;
    };
    for (const Case& c :
         {Case{"yuv420p", AV_PIX_FMT_YUV420P, 1, 63}, Case{"nv12", AV_PIX_FMT_YUV420P, 1, 63},
          Case{"yuv422p", AV_PIX_FMT_YUV422P, 2, 63}, Case{"yuv444p", AV_PIX_FMT_YUV444P, 3, 63},
          Case{"yuv420p10le", AV_PIX_FMT_YUV420P10LE, 1, 250}, Case{"gray", AV_PIX_FMT_YUV420P, 0, 63}}) {
        const Encoded encoded = encode({"video.pix_fmt=" + c.name, "video.crf=12"}, 12);
        EXPECT_EQ(encoded.pixel_format, av_get_pix_fmt(c.name.c_str()));
        const auto frames = decoded(encoded);
        ASSERT_EQ(frames.size(), 12U) << c.name;
        const AVFrame& frame = *frames.back();
        EXPECT_EQ(frame.format, c.decoded) << c.name;
        const bool wide = c.decoded == AV_PIX_FMT_YUV420P10LE;
        const std::uint8_t* line = frame.data[0] + 50 * frame.linesize[0];
        const int luma = wide ? reinterpret_cast<const std::uint16_t*>(line)[8] : line[8];
        EXPECT_NEAR(luma, c.luma_at_red, wide ? 12 : 4) << c.name;
        // High profiles repeat the chroma format and the depth at the end of avcC.
        const auto& avcc = encoded.stream.extradata;
        EXPECT_EQ(avcc[avcc.size() - 4] & 3, c.chroma_idc) << c.name;
        EXPECT_EQ(avcc[avcc.size() - 3] & 7, wide ? 2 : 0) << c.name;
    }
}

TEST(VideoCodecs, a_pixel_format_the_encoder_does_not_take_is_told_with_those_it_does) {
    const std::string text = error_of({"video.pix_fmt=yuv420"});
    EXPECT_TRUE(text.starts_with("video.pix_fmt=yuv420: libx264 has yuv420p, ")) << text;
    EXPECT_TRUE(text.ends_with("(did you mean yuv420p?)")) << text;
    EXPECT_EQ(text.find("yuvj"), std::string::npos) << text;
}

TEST(VideoCodecs, names_an_encoder_lacks_are_told_with_those_it_has) {
    EXPECT_EQ(error_of({"video.codec=h265", "video.tune=film"}),
              "video.tune=film: libx265 has psnr, ssim, grain, zerolatency, fastdecode, animation");
    if (avcodec_find_encoder_by_name("h264_nvenc") == nullptr) GTEST_SKIP() << "libavcodec here has no NVENC";
    const std::string text = error_of({"video.encoder=h264_nvenc", "video.preset=p9"});
    EXPECT_TRUE(text.starts_with("video.preset=p9: h264_nvenc has ")) << text;
    EXPECT_NE(text.find(", p7"), std::string::npos) << text;
}

TEST(VideoCodecs, every_profile_and_level_that_is_told_opens) {
    for (const std::string encoder : {"libx264", "libx265"})
        for (const std::string format :
             {"yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"}) {
            const std::vector<std::string> words{"video.encoder=" + encoder, "video.pix_fmt=" + format};
            const auto with = [&](const std::string& word) {
                std::vector<std::string> all = words;
                all.push_back(word);
                return error_of(all);
            };
            const std::string told = with("video.profile=nonsense");
            const std::string start = "video.profile=nonsense: " + encoder + " has ";
            const std::string end = " for " + format;
            ASSERT_TRUE(told.starts_with(start)) << told;
            ASSERT_TRUE(told.ends_with(end)) << told;
            std::istringstream names(told.substr(start.size(), told.size() - start.size() - end.size()));
            for (std::string name; std::getline(names >> std::ws, name, ',');)
                EXPECT_EQ(with("video.profile=" + name), "no error") << encoder << " " << format << " " << name;
        }
    for (const std::string word : {"4", "4.0", "40", "4.1", "1b", "6.2"})
        EXPECT_EQ(error_of({"video.level=" + word}), "no error") << word;
    EXPECT_EQ(error_of({"video.codec=h265", "video.level=4.1"}), "no error");
    EXPECT_TRUE(error_of({"video.codec=h265", "video.level=4.2"}).starts_with("video.level=4.2: hevc has 1, 2, 2.1, "));
}

TEST(VideoCodecs, x265_parameters_are_added_to_ours) {
    EncoderSettings settings;
    const auto context = make_encoder(kVideoRole, "libx265");
    context->pix_fmt = AV_PIX_FMT_YUV420P;
    VideoOptions options = options_of({"video.codec=h265", "video.options=x265-params=aq-mode=0\\:psy-rd=0"}).video;
    EXPECT_GT(apply_video_options(*context, settings, options, {kSize, kFps, 50}), 0U);
    // A wrong name in the list would fail the opening.
    EXPECT_EQ(error_of({"video.codec=h265", "video.options=x265-params=aq-mode=0\\:psy-rd=0"}), "no error");
}

TEST(VideoCodecs, a_wrong_parameter_in_such_a_list_is_told) {
    EXPECT_EQ(error_of({"video.codec=h265", "video.options=x265-params=nonsense=3"}),
              "video.options: libx265: Unknown option: nonsense");
    EXPECT_EQ(error_of({"video.options=x264-params=nonsense=3"}),
              "video.options: libx264: Error parsing option 'nonsense = 3'");
}

class NoNvenc : public ::testing::Test {
protected:
    void SetUp() override {
        if (avcodec_find_encoder_by_name("h264_nvenc") == nullptr) GTEST_SKIP() << "libavcodec here has no NVENC";
        if (error_of({"video.encoder=h264_nvenc"}) == "no error") GTEST_SKIP() << "this machine has NVENC";
    }
};

TEST_F(NoNvenc, is_told_in_one_line_with_the_fix) {
    const std::string text = error_of({"video.encoder=h264_nvenc"});
    EXPECT_TRUE(text.starts_with("video.encoder=h264_nvenc cannot open: this ")) << text;
    EXPECT_NE(text.find("has no NVENC"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with(": use video.encoder=libx264 or add video.fallback=libx264")) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST_F(NoNvenc, the_fallback_encodes_and_says_so) {
    const std::vector<std::string> words{"video.encoder=h264_nvenc", "video.fallback=libx264",
                                         "video.preset=p4",          "video.tune=ll",
                                         "video.options=gpu=1",      "video.profile=main"};
    const VideoEncoder encoder(options_of(words).video, kSize, kFps);
    EXPECT_TRUE(encoder.note().starts_with("libx264 instead of h264_nvenc: this ")) << encoder.note();
    EXPECT_LT(encoder.note().size(), sizeof(layout::BoardCell::reason)) << "it stands on the board";
    EXPECT_EQ(encoder.stream().extradata[1], 77) << "what both know is kept: main profile";
    EXPECT_EQ(decoded(encode(words, 10)).size(), 10U);
    EXPECT_EQ(probe_encoders(options_of(words)).note, encoder.note());
}

TEST_F(NoNvenc, a_fallback_that_is_none_is_told) {
    EXPECT_EQ(error_of({"video.encoder=h264_nvenc", "video.fallback=libx246"}),
              "video.fallback=libx246: libavcodec here has no such encoder: did you mean libx264?");
}

TEST(VideoCodecs, a_wrong_word_is_no_case_for_the_fallback) {
    EXPECT_TRUE(error_of({"video.fallback=libx265", "video.preset=veryfats"}).starts_with("video.preset=veryfats: "));
    EXPECT_TRUE(error_of({"video.fallback=libx265", "video.options=refz=3"}).starts_with("video.options: "));
}

TEST(VideoCodecs, hardware_that_is_not_there_is_told_with_the_fix) {
    for (const std::string name : {"h264_vaapi", "hevc_vaapi", "h264_qsv"}) {
        if (avcodec_find_encoder_by_name(name.c_str()) == nullptr) continue;
        const std::string text = error_of({"video.encoder=" + name});
        if (text == "no error") continue;
        const bool hevc = name.starts_with("hevc");
        EXPECT_EQ(text.find("video.encoder=" + name), 0U) << text;
        EXPECT_NE(text.find(" cannot open: "), std::string::npos) << text;
        EXPECT_TRUE(text.ends_with(hevc ? ": use video.encoder=libx265 or add video.fallback=libx265"
                                        : ": use video.encoder=libx264 or add video.fallback=libx264"))
            << text;
    }
}

/// What libavcodec is asked for, of an encoder that cannot run here.
AVCodecContextPtr settled(const std::string& name, const std::vector<std::string>& words, EncoderSettings& settings) {
    AVCodecContextPtr context = make_encoder(kVideoRole, name);
    context->pix_fmt = choose_pixel_format(*context, {});
    std::vector<std::string> all(words);
    all.push_back("video.encoder=" + name);
    apply_video_options(*context, settings, options_of(all).video, {{1280, 720}, kFps, 50});
    return context;
}

TEST(VideoCodecs, nvenc_holds_its_bitrate_without_b_frames_by_default) {
    if (avcodec_find_encoder_by_name("h264_nvenc") == nullptr) GTEST_SKIP() << "libavcodec here has no NVENC";
    EncoderSettings settings;
    const AVCodecContextPtr context = settled("h264_nvenc", {"video.options=gpu=1"}, settings);
    EXPECT_EQ(context->bit_rate, 3'000'000);
    EXPECT_EQ(context->rc_max_rate, 3'000'000);
    EXPECT_EQ(context->rc_buffer_size, 3'000'000);
    EXPECT_EQ(context->max_b_frames, 0);
    EXPECT_EQ(context->gop_size, 50);
    for (const auto& [name, value] : Pairs{{"preset", "p4"},
                                           {"tune", "ll"},
                                           {"rc", "cbr"},
                                           {"forced-idr", "1"},
                                           {"no-scenecut", "1"},
                                           {"zerolatency", "1"},
                                           {"delay", "0"},
                                           {"gpu", "1"}})
        EXPECT_EQ(settings.value_of(name), value) << name;
}

TEST(VideoCodecs, a_tuning_that_only_the_plugin_presets_is_left_away_where_the_encoder_has_none_of_that_name) {
    for (const auto& [encoder, wanted] : {std::pair<std::string, std::string>{"libx264", "zerolatency"},
                                          {"libx265", "zerolatency"},
                                          {"h264_nvenc", "ll"},
                                          {"hevc_nvenc", "ll"},
                                          {"h264_vaapi", ""},
                                          {"h264_qsv", ""}}) {
        if (avcodec_find_encoder_by_name(encoder.c_str()) == nullptr) continue;
        const AVCodecContextPtr context = make_encoder(kVideoRole, encoder);
        context->pix_fmt = choose_pixel_format(*context, {});
        VideoOptions options = options_of({"video.encoder=" + encoder, "video.tune=zerolatency"}).video;
        options.tune_is_preset = true;
        EncoderSettings settings;
        apply_video_options(*context, settings, options, {{1280, 720}, kFps, 50});
        EXPECT_EQ(settings.value_of("tune"), wanted) << encoder;
        if (!encoder.ends_with("_nvenc")) continue;
        options.tune_is_preset = false;
        EXPECT_THROW(apply_video_options(*context, settings, options, {{1280, 720}, kFps, 50}), Error) << encoder;
    }
}

TEST(VideoCodecs, quality_is_said_in_each_familys_own_words) {
    for (const auto& [encoder, name, wanted] :
         {std::tuple<std::string, std::string, std::string>{"libx264", "crf", "23"},
          {"libx265", "crf", "23"},
          {"h264_nvenc", "cq", "23"},
          {"h264_vaapi", "qp", "23"},
          {"h264_vaapi", "rc_mode", "CQP"}}) {
        if (avcodec_find_encoder_by_name(encoder.c_str()) == nullptr) continue;
        EncoderSettings settings;
        const AVCodecContextPtr context = settled(encoder, {"video.crf=23"}, settings);
        EXPECT_EQ(settings.value_of(name), wanted) << encoder;
        EXPECT_EQ(context->bit_rate, 0) << encoder;
    }
}

TEST(VideoCodecs, hvcc_needs_all_three_parameter_sets) {
    const std::vector<std::uint8_t> only_pps{0, 0, 0, 1, 0x44, 1, 0xC0};
    EXPECT_THROW(h265::make_hvcc(only_pps), Error);
    EXPECT_THROW(h265::make_hvcc({}), Error);
}

}  // namespace
}  // namespace ringcast::runtime
