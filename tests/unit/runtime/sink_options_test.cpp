// SPDX-License-Identifier: Apache-2.0
#include "runtime/sink_options.hpp"

#include <gtest/gtest.h>

#include <set>

#include "ringcast/error.hpp"

namespace ringcast::runtime {
namespace {

std::string error_of(const std::vector<std::string>& words, std::string_view origin = {}) {
    SinkOptions options;
    try {
        apply_sink_options(options, words, origin);
        check_sink_options(options);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        return error.what();
    }
    return "no error";
}

SinkOptions parsed(const std::vector<std::string>& words) {
    SinkOptions options;
    apply_sink_options(options, words);
    check_sink_options(options);
    return options;
}

struct WrongWords {
    std::vector<std::string> words;
    std::string text;
};

TEST(SinkOptions, errors_name_key_value_expectation_and_nearest) {
    const std::vector<WrongWords> table{
        {{"video.bitrat=3M"}, "unknown option video.bitrat: did you mean video.bitrate? (--help lists all)"},
        {{"bitrate=3M"}, "unknown option bitrate: did you mean video.bitrate? (--help lists all)"},
        {{"colour=red"}, "unknown option colour (--help lists all)"},
        {{"video.bitrate=3000"},
         "video.bitrate=3000: expected 8k to 1000M bits per second with a unit (k or M), such as video.bitrate=3000k"},
        {{"video.gop=2"}, "video.gop=2: expected a time with its unit or a number of frames, such as video.gop=2s"},
        {{"video.gop=0frames"},
         "video.gop=0frames: expected a time with its unit or a number of frames, such as video.gop=2s"},
        {{"video.size=641x360"},
         "video.size=641x360: expected an even WIDTHxHEIGHT from 16x16 to 16384x16384, such as video.size=1280x720"},
        {{"video.scale=fitt"},
         "video.scale=fitt: expected fit, fill or stretch, such as video.scale=fit (did you mean fit?)"},
        {{"video.crf=99"}, "video.crf=99: expected a number from 0 to 51, such as video.crf=20"},
        {{"video.fps=0"}, "video.fps=0: expected a rate from 1 to 1000, such as video.fps=30000/1001"},
        {{"video.threads=0"}, "video.threads=0: expected a whole number from 1 to 64, such as video.threads=2"},
        {{"video.options=bf"}, "video.options=bf: expected name=value:name=value, such as video.options=bf=2:refs=3"},
        {{"video.preset="}, "video.preset=: expected a preset of the encoder, such as video.preset=veryfast"},
        {{"audio.rate=4000"}, "audio.rate=4000: expected Hz from 8000 to 192000, such as audio.rate=48000"},
        {{"audio.channels=9"}, "audio.channels=9: expected a whole number from 1 to 8, such as audio.channels=2"},
        {{"on_stall=fil"}, "on_stall=fil: expected fill or wait, such as on_stall=fill (did you mean fill?)"},
        {{"stall_timeout=10"}, "stall_timeout=10: expected a time with its unit, 1s to 24h, such as stall_timeout=10s"},
        {{"stall_show=slate"},
         "stall_show=slate: expected hold, stop or slate:FILE, such as stall_show=slate:/srv/soon-back.png"},
        {{"lag_limit=1ms"}, "lag_limit=1ms: expected a time with its unit, 50ms to 1min, such as lag_limit=500ms"},
        {{"track_wait=1"}, "track_wait=1: expected a time with its unit, at most 1h, such as track_wait=1s"},
        {{"queue=2"}, "queue=2: expected wait or a time with its unit, 100ms to 1min, such as queue=2s"},
        {{"shortest=maybe"}, "shortest=maybe: expected yes or no, such as shortest=yes"},
        {{"shortest"}, "shortest: expected a value, such as shortest=yes"},
        {{"video.bitrate=3M", "video.maxrate=2M"},
         "video.maxrate is below video.bitrate: raise video.maxrate or leave it away"},
        {{"video.codec=hevc"}, "video.codec=hevc: expected h264 or h265, such as video.codec=h264"},
        {{"audio.codec=mp3"}, "audio.codec=mp3: expected aac or opus, such as audio.codec=aac"},
        {{"video.fallback="}, "video.fallback=: expected the name of an encoder, such as video.fallback=libx264"},
        {{"video.rate_control=crf", "video.bitrate=3M"},
         "video.bitrate has no effect with video.rate_control=crf: leave one away (a ceiling for crf is "
         "video.maxrate=4500k)"},
        {{"video.rate_control=cbr", "video.crf=20"},
         "video.crf has no effect with video.rate_control=cbr or vbr: leave one away (a ceiling for crf is "
         "video.maxrate=4500k)"},
        {{"video.crf=20", "video.rate_control=vbr"},
         "video.crf has no effect with video.rate_control=cbr or vbr: leave one away (a ceiling for crf is "
         "video.maxrate=4500k)"},
        {{"video.bitrate=3M", "video.crf=20"},
         "video.bitrate and video.crf contradict each other: leave one away (a ceiling for crf is "
         "video.maxrate=4500k)"},
    };
    for (const WrongWords& row : table)
        EXPECT_EQ(error_of(row.words), row.text);
}

TEST(SinkOptions, errors_in_a_plugins_defaults_name_the_plugin) {
    EXPECT_EQ(error_of({"reader=fast"}, "plugin hls"),
              "plugin hls: reader=fast: expected live or lossless, such as reader=lossless");
}

TEST(SinkOptions, values_arrive_in_the_struct) {
    const SinkOptions o = parsed({"video.bitrate=2500k",
                                  "video.maxrate=4M",
                                  "video.bufsize=8M",
                                  "video.gop=48frames",
                                  "video.size=640x360",
                                  "video.scale=fill",
                                  "video.fps=29.97",
                                  "video.preset=fast",
                                  "video.tune=film",
                                  "video.profile=main",
                                  "video.level=4.1",
                                  "video.threads=2",
                                  "video.lookahead=8frames",
                                  "video.codec=h265",
                                  "video.encoder=h264_nvenc",
                                  "video.fallback=libx264",
                                  "video.pix_fmt=nv12",
                                  "video.options=bf=2",
                                  "audio.bitrate=96k",
                                  "audio.rate=44100",
                                  "audio.channels=1",
                                  "audio.codec=opus",
                                  "on_end=close",
                                  "track_wait=500ms",
                                  "shortest=yes",
                                  "reader=lossless"});
    EXPECT_EQ(o.video.bitrate, 2'500'000U);
    EXPECT_EQ(o.video.maxrate, 4'000'000U);
    EXPECT_EQ(o.video.bufsize, 8'000'000U);
    EXPECT_EQ(o.video.gop.frames, 48U);
    EXPECT_EQ(o.video.size, (Size{640, 360}));
    EXPECT_EQ(o.video.scale, Scale::fill);
    EXPECT_EQ(o.video.fps, (Rational{30000, 1001}));
    EXPECT_EQ(o.video.preset, "fast");
    EXPECT_EQ(o.video.tune, "film");
    EXPECT_EQ(o.video.profile, "main");
    EXPECT_EQ(o.video.level, "4.1");
    EXPECT_EQ(o.video.threads, 2U);
    EXPECT_EQ(o.video.lookahead->frames, 8U);
    EXPECT_EQ(o.video.codec, Codec::h265);
    EXPECT_EQ(o.video.encoder, "h264_nvenc");
    EXPECT_EQ(o.video.fallback, "libx264");
    EXPECT_EQ(o.video.pix_fmt, "nv12");
    EXPECT_EQ(o.audio.codec, Codec::opus);
    EXPECT_EQ(o.video.options, (Pairs{{"bf", "2"}}));
    EXPECT_EQ(o.audio.bitrate, 96'000U);
    EXPECT_EQ(o.audio.rate, 44100U);
    EXPECT_EQ(o.audio.channels, 1U);
    EXPECT_EQ(o.on_end, OnEnd::close);
    EXPECT_EQ(o.track_wait, std::chrono::milliseconds(500));
    EXPECT_TRUE(o.shortest);
    EXPECT_EQ(o.reader, ReaderMode::lossless);
}

TEST(SinkOptions, later_layers_win) {
    SinkOptions options;
    apply_sink_options(options, std::vector<std::string>{"video.rate_control=crf", "video.gop=4s"}, "plugin file");
    EXPECT_EQ(options.video.rate_control, RateControl::crf);
    apply_sink_options(options, std::vector<std::string>{"video.gop=1s"});
    EXPECT_EQ(options.video.rate_control, RateControl::crf);
    EXPECT_EQ(options.video.gop.time, std::chrono::seconds(1));
}

TEST(SinkOptions, a_bitrate_or_a_crf_picks_its_rate_control) {
    SinkOptions options;
    apply_sink_options(options, std::vector<std::string>{"video.rate_control=crf"}, "plugin file");
    apply_sink_options(options, std::vector<std::string>{"video.bitrate=3M"});
    EXPECT_EQ(options.video.rate_control, std::nullopt) << "the encoder's own for a bitrate";
    EXPECT_EQ(parsed({"video.crf=23"}).video.rate_control, RateControl::crf);
    EXPECT_EQ(parsed({"video.rate_control=cbr", "video.bitrate=3M"}).video.rate_control, RateControl::cbr);
}

TEST(SinkOptions, an_encoder_by_name_wins_over_a_codec) {
    EXPECT_EQ(parsed({}).video.encoder_name(), "libx264");
    EXPECT_EQ(parsed({"video.codec=h265"}).video.encoder_name(), "libx265");
    EXPECT_EQ(parsed({"video.encoder=libx264", "video.codec=h265"}).video.encoder_name(), "libx264");
    EXPECT_EQ(parsed({}).audio.encoder_name(), "aac");
    EXPECT_EQ(parsed({"audio.codec=opus"}).audio.encoder_name(), "libopus");
    EXPECT_EQ(parsed({"audio.codec=opus", "audio.encoder=aac"}).audio.encoder_name(), "aac");
}

TEST(SinkOptions, every_example_and_every_choice_is_accepted) {
    for (const OptionRow& row : option_rows()) {
        SinkOptions options;
        EXPECT_NO_THROW(set_sink_option(options, row.key, row.example)) << row.key;
        std::string_view choices = row.choices;
        while (!choices.empty()) {
            const std::size_t end = std::min(choices.find('|'), choices.size());
            EXPECT_NO_THROW(set_sink_option(options, row.key, choices.substr(0, end))) << row.key;
            choices.remove_prefix(std::min(end + 1, choices.size()));
        }
        EXPECT_EQ(row.expected.empty(), !row.choices.empty()) << row.key;
    }
}

TEST(SinkOptions, help_lists_every_key_once) {
    const std::string help = sink_options_help();
    std::set<std::string_view> keys;
    for (const OptionRow& row : option_rows()) {
        EXPECT_TRUE(keys.insert(row.key).second) << row.key;
        EXPECT_NE(help.find("  " + std::string(row.key) + "="), std::string::npos) << row.key;
    }
}

TEST(SinkOptions, help_shows_the_defaults_that_hold_for_the_plugin) {
    const auto line_of = [](const std::string& help, const std::string& key) {
        const std::size_t begin = help.find("  " + key + "=");
        return help.substr(begin, help.find('\n', begin) - begin);
    };
    EXPECT_TRUE(line_of(sink_options_help(), "on_end").ends_with("Default: hold."));
    const std::vector<std::string> defaults{"on_end=close", "video.lookahead=8frames"};
    const std::string help = sink_options_help(defaults);
    EXPECT_TRUE(line_of(help, "on_end").ends_with("Default: close."));
    EXPECT_TRUE(line_of(help, "video.lookahead").ends_with("Default: 8frames."));
    EXPECT_TRUE(line_of(help, "reader").ends_with("Default: lossless with on_stall=wait, else live."));
    EXPECT_TRUE(line_of(help, "audio.channels").ends_with("Default: 2."));
}

TEST(SinkOptions, default_bitrate_follows_the_picture) {
    EXPECT_EQ(default_bitrate({512, 512}, {25, 1}), 1'000'000U);
    EXPECT_EQ(default_bitrate({1280, 720}, {25, 1}), 3'000'000U);
    EXPECT_EQ(default_bitrate({1920, 1080}, {25, 1}), 4'500'000U);
    EXPECT_EQ(default_bitrate({1080, 1920}, {25, 1}), 4'500'000U) << "portrait alike";
    EXPECT_GT(default_bitrate({1280, 720}, {50, 1}), 3'000'000U);
    EXPECT_LT(default_bitrate({1280, 720}, {50, 1}), 6'000'000U);
    EXPECT_GE(default_bitrate({16, 16}, {1, 1}), 100'000U);
}

TEST(SinkOptions, reads_the_timing_options) {
    SinkOptions o;
    apply_sink_options(o, std::vector<std::string>{"on_stall=fill", "stall_timeout=30s", "stall_show=slate:a:b.png",
                                                   "lag_limit=200ms"});
    EXPECT_TRUE(o.fills());
    EXPECT_FALSE(o.is_lossless());
    EXPECT_EQ(o.stall_timeout, std::chrono::seconds(30));
    EXPECT_EQ(o.stall_show.kind, StallScreen::Kind::slate);
    EXPECT_EQ(o.stall_show.file, "a:b.png");
    EXPECT_EQ(o.lag_limit, std::chrono::milliseconds(200));
    set_sink_option(o, "stall_show", "stop");
    EXPECT_EQ(o.stall_show.kind, StallScreen::Kind::stop);
    set_sink_option(o, "reader", "lossless");
    EXPECT_FALSE(o.fills()) << "who gets every record makes media time";
}

TEST(SinkOptions, sends_live_with_a_bounded_queue_on_the_clock_only) {
    SinkOptions o;
    EXPECT_FALSE(o.sends_live());
    apply_sink_options(o, std::vector<std::string>{"queue=2s"});
    EXPECT_FALSE(o.sends_live()) << "media time waits for its place";
    set_sink_option(o, "on_stall", "fill");
    EXPECT_EQ(o.queue, std::chrono::seconds(2));
    EXPECT_TRUE(o.sends_live());
    set_sink_option(o, "queue", "wait");
    EXPECT_FALSE(o.sends_live());
}

}  // namespace
}  // namespace ringcast::runtime
