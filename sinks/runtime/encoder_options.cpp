// SPDX-License-Identifier: Apache-2.0
/// The options of the encoders: video.* and audio.*.
#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/option_entry.hpp"

namespace ringcast::runtime {

namespace {

using namespace option;

bool store_bitrate(std::optional<std::uint64_t>& target, std::string_view value) {
    const auto bits = parse_bitrate(value);
    if (!bits || *bits < 8000 || *bits > 1'000'000'000) return false;
    target = bits;
    return true;
}

bool store_pairs(Pairs& target, std::string_view value) {
    auto pairs = parse_pairs(value);
    if (!pairs) return false;
    target = std::move(*pairs);
    return true;
}

bool set_video_codec(SinkOptions& o, std::string_view v) {
    static constexpr std::array<std::pair<std::string_view, Codec>, 2> kChoices{
        {{"h264", Codec::h264}, {"h265", Codec::h265}}};
    return store_choice(o.video.codec, v, kChoices);
}

bool set_audio_codec(SinkOptions& o, std::string_view v) {
    static constexpr std::array<std::pair<std::string_view, Codec>, 2> kChoices{
        {{"aac", Codec::aac}, {"opus", Codec::opus}}};
    return store_choice(o.audio.codec, v, kChoices);
}

bool set_rate_control(SinkOptions& o, std::string_view v) {
    static constexpr std::array<std::pair<std::string_view, RateControl>, 3> kChoices{
        {{"cbr", RateControl::cbr}, {"vbr", RateControl::vbr}, {"crf", RateControl::crf}}};
    return store_choice(o.video.rate_control, v, kChoices);
}

bool set_scale(SinkOptions& o, std::string_view v) {
    static constexpr std::array<std::pair<std::string_view, Scale>, 3> kChoices{
        {{"fit", Scale::fit}, {"fill", Scale::fill}, {"stretch", Scale::stretch}}};
    return store_choice(o.video.scale, v, kChoices);
}

bool set_size(SinkOptions& o, std::string_view v) {
    const auto size = parse_size(v);
    if (!size || size->width % 2 != 0 || size->height % 2 != 0) return false;
    if (size->width < 16 || size->height < 16 || size->width > 16384 || size->height > 16384) return false;
    o.video.size = size;
    return true;
}

bool set_fps(SinkOptions& o, std::string_view v) {
    const auto fps = parse_fps(v);
    if (!fps || fps->num == 0 || fps->den == 0 || fps->num < fps->den || fps->num / fps->den > 1000) return false;
    o.video.fps = fps;
    return true;
}

bool set_gop(SinkOptions& o, std::string_view v) {
    const auto span = parse_media_span(v);
    if (!span || span->is_zero()) return false;
    o.video.gop = *span;
    return true;
}

bool set_audio_bitrate(SinkOptions& o, std::string_view v) {
    return store_within<std::uint64_t, std::uint64_t>(o.audio.bitrate, parse_bitrate(v), 8000, 1'000'000);
}

bool set_audio_rate(SinkOptions& o, std::string_view v) {
    return store_within<std::uint32_t, std::uint32_t>(o.audio.rate, parse_sample_rate(v), 8000, 192000);
}

bool set_audio_channels(SinkOptions& o, std::string_view v) {
    return store_within<std::uint32_t, std::int64_t>(o.audio.channels, parse_integer(v), 1, 8);
}

bool set_threads(SinkOptions& o, std::string_view v) {
    std::uint32_t threads = 0;
    if (!store_within<std::uint32_t, std::int64_t>(threads, parse_integer(v), 1, 64)) return false;
    o.video.threads = threads;
    return true;
}

bool set_crf(SinkOptions& o, std::string_view v) {
    return store_within<double, double>(o.video.crf, parse_number(v), 0, 51);
}

constexpr std::string_view kBitrateExpected = "8k to 1000M bits per second with a unit (k or M)";

constexpr std::array<OptionEntry, 26> kEntries{{
    {{"video.codec", "What the pictures are encoded as; video.encoder wins over it.", "", "h264", "h264|h265", "h264"},
     set_video_codec},
    {{"video.encoder", "Any libavcodec encoder that makes H.264 or H.265.", "the name of an encoder", "libx264", "",
      "libx264; libx265 with video.codec=h265"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.encoder, v); }},
    {{"video.fallback", "Encoder to use when the first cannot open; the sink's state then says so.",
      "the name of an encoder", "libx264", "", ""},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.fallback, v); }},
    {{"video.bitrate", "Bits per second of the picture.", kBitrateExpected, "3000k", "",
      "by picture size: 512x512 1M, 720p 3M, 1080p 4.5M"},
     [](SinkOptions& o, std::string_view v) { return store_bitrate(o.video.bitrate, v); }},
    {{"video.rate_control", "What is held: the bitrate exactly, the bitrate as a ceiling, or the quality.", "", "vbr",
      "cbr|vbr|crf", "vbr; cbr with NVENC"},
     set_rate_control},
    {{"video.crf", "Quality for rate_control=crf; lower is better and larger.", "a number from 0 to 51", "20", "",
      "20"},
     set_crf},
    {{"video.maxrate", "Ceiling of the bitrate.", kBitrateExpected, "4500k", "", "the bitrate; none with crf"},
     [](SinkOptions& o, std::string_view v) { return store_bitrate(o.video.maxrate, v); }},
    {{"video.bufsize", "Over how many bits the ceiling is averaged.", "8k to 1000M bits with a unit (k or M)", "3000k",
      "", "one second of maxrate"},
     [](SinkOptions& o, std::string_view v) { return store_bitrate(o.video.bufsize, v); }},
    {{"video.gop", "Distance of keyframes.", "a time with its unit or a number of frames", "2s", "", "2s"}, set_gop},
    {{"video.size", "Size of the output.", "an even WIDTHxHEIGHT from 16x16 to 16384x16384", "1280x720", "",
      "that of the first picture"},
     set_size},
    {{"video.scale", "How a picture of another shape fills the output: with bars, cut, or stretched.", "", "fit",
      "fit|fill|stretch", "fit"},
     set_scale},
    {{"video.fps", "Pictures per second of the output.", "a rate from 1 to 1000", "30000/1001", "",
      "that of the first picture"},
     set_fps},
    {{"video.pix_fmt", "Pixel format the encoder is given.", "a pixel format of the encoder", "yuv420p", "",
      "yuv420p; nv12 where the hardware wants it"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.pix_fmt, v); }},
    {{"video.preset", "The encoder's speed preset.", "a preset of the encoder", "veryfast", "",
      "veryfast (libx264, libx265), p4 (NVENC)"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.preset, v); }},
    {{"video.tune", "The encoder's tuning.", "a tuning of the encoder", "zerolatency", "", "ll (NVENC)"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.tune, v); }},
    {{"video.profile", "Profile of the codec.", "a profile of the encoder", "main", "", "high (libx264)"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.profile, v); }},
    {{"video.level", "Level of the codec.", "a level of the codec", "4.1", "", "the lowest that fits"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.level, v); }},
    {{"video.threads", "Encoder threads; each adds one frame of delay.", "a whole number from 1 to 64", "2", "",
      "min(4, cores); 1 with tune=zerolatency"},
     set_threads},
    {{"video.lookahead", "How far libx264 and libx265 look ahead: better quality, more delay.",
      "a time with its unit or a number of frames", "8frames", "", "the preset's"},
     [](SinkOptions& o, std::string_view v) { return store(o.video.lookahead, parse_media_span(v)); }},
    {{"video.options", "Passed to the encoder as they stand; gpu=1 is the second GPU of NVENC.",
      "name=value:name=value", "bf=2:refs=3", "", ""},
     [](SinkOptions& o, std::string_view v) { return store_pairs(o.video.options, v); }},
    {{"audio.codec", "What the sound is encoded as; audio.encoder wins over it.", "", "aac", "aac|opus", "aac"},
     set_audio_codec},
    {{"audio.encoder", "Any libavcodec encoder that makes AAC or Opus.", "the name of an encoder", "aac", "",
      "aac; libopus with audio.codec=opus"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.audio.encoder, v); }},
    {{"audio.bitrate", "Bits per second of the sound.", "8k to 1M with a unit (k or M)", "128k", "", "128k"},
     set_audio_bitrate},
    {{"audio.rate", "Samples per second of the output.", "Hz from 8000 to 192000", "48000", "", "48000"},
     set_audio_rate},
    {{"audio.channels", "Channels of the output.", "a whole number from 1 to 8", "2", "", "2"}, set_audio_channels},
    {{"audio.options", "Passed to the encoder as they stand.", "name=value:name=value", "aac_coder=fast", "", ""},
     [](SinkOptions& o, std::string_view v) { return store_pairs(o.audio.options, v); }},
}};

}  // namespace

std::span<const OptionEntry> encoder_option_entries() {
    return kEntries;
}

std::uint64_t default_bitrate(Size size, Rational fps) {
    struct Point {
        double pixels;
        double bits;
    };
    static constexpr std::array<Point, 3> kPoints{
        {{512.0 * 512.0, 1.0e6}, {1280.0 * 720.0, 3.0e6}, {1920.0 * 1080.0, 4.5e6}}};
    const double pixels = std::max(256.0, static_cast<double>(size.width) * size.height);
    // A straight line between the points in log-log, continued outside them: bits grow slower than pixels.
    const std::size_t first = pixels < kPoints[1].pixels ? 0 : 1;
    const Point& a = kPoints[first];
    const Point& b = kPoints[first + 1];
    const double slope = std::log(b.bits / a.bits) / std::log(b.pixels / a.pixels);
    const double at_25 = a.bits * std::pow(pixels / a.pixels, slope);
    // Twice the pictures need far less than twice the bits: neighbours are more alike.
    const double rate = fps.num == 0 ? 25.0 : static_cast<double>(fps.num) / fps.den;
    const double bits = at_25 * std::sqrt(rate / 25.0);
    return static_cast<std::uint64_t>(std::llround(std::max(bits, 100e3) / 10e3)) * 10'000;
}

}  // namespace ringcast::runtime
