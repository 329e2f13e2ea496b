// SPDX-License-Identifier: Apache-2.0
#include "runtime/sink_options.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "ringcast/error.hpp"
#include "runtime/timing_options.hpp"

namespace ringcast::runtime {

namespace {

/// Stores a parsed value that lies within [low, high]; false when it is not that.
template <typename Target, typename Value>
bool store_within(Target& target, const std::optional<Value>& value, Value low, Value high) {
    if (!value || *value < low || *value > high) return false;
    target = static_cast<Target>(*value);
    return true;
}

template <typename Value>
bool store(std::optional<Value>& target, const std::optional<Value>& value) {
    if (!value) return false;
    target = value;
    return true;
}

bool store_text(std::string& target, std::string_view value) {
    target = value;
    return !value.empty();
}

template <typename Enum, std::size_t N>
bool store_choice(Enum& target, std::string_view value,
                  const std::array<std::pair<std::string_view, Enum>, N>& choices) {
    for (const auto& [name, choice] : choices) {
        if (name != value) continue;
        target = choice;
        return true;
    }
    return false;
}

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

using Entry = OptionEntry;

constexpr std::string_view kBitrateExpected = "bits per second with a unit (k or M)";

constexpr std::array<Entry, 22> kTable{{
    {{"video.bitrate", "Bits per second of the picture.", kBitrateExpected, "3000k", "",
      "by picture size: 512x512 1M, 720p 3M, 1080p 4.5M"},
     [](SinkOptions& o, std::string_view v) { return store_bitrate(o.video.bitrate, v); }},
    {{"video.rate_control", "What is held: the bitrate exactly, the bitrate as a ceiling, or the quality.", "", "vbr",
      "cbr|vbr|crf", "vbr"},
     set_rate_control},
    {{"video.crf", "Quality for rate_control=crf; lower is better and larger.", "a number from 0 to 51", "20", "",
      "20"},
     set_crf},
    {{"video.maxrate", "Ceiling of the bitrate.", kBitrateExpected, "4500k", "", "the bitrate; none with crf"},
     [](SinkOptions& o, std::string_view v) { return store_bitrate(o.video.maxrate, v); }},
    {{"video.bufsize", "Over how many bits the ceiling is averaged.", "bits with a unit (k or M)", "3000k", "",
      "one second of maxrate"},
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
    {{"video.encoder", "Any libavcodec encoder that makes H.264.", "the name of an encoder", "libx264", "", "libx264"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.encoder, v); }},
    {{"video.preset", "The encoder's speed preset.", "a preset of the encoder", "veryfast", "", "veryfast (libx264)"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.preset, v); }},
    {{"video.tune", "The encoder's tuning.", "a tuning of the encoder", "zerolatency", "", ""},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.tune, v); }},
    {{"video.profile", "H.264 profile.", "a profile of the encoder", "main", "", "high (libx264)"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.profile, v); }},
    {{"video.level", "H.264 level.", "an H.264 level", "4.1", "", "the lowest that fits"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.video.level, v); }},
    {{"video.threads", "Encoder threads; each adds one frame of delay.", "a whole number from 1 to 64", "2", "",
      "min(4, cores); 1 with tune=zerolatency"},
     set_threads},
    {{"video.lookahead", "How far libx264 looks ahead: better quality, more delay.",
      "a time with its unit or a number of frames", "8frames", "", "the preset's"},
     [](SinkOptions& o, std::string_view v) { return store(o.video.lookahead, parse_media_span(v)); }},
    {{"video.options", "Passed to the encoder as they stand.", "name=value:name=value", "bf=2:refs=3", "", ""},
     [](SinkOptions& o, std::string_view v) { return store_pairs(o.video.options, v); }},
    {{"audio.bitrate", "Bits per second of the sound.", "8k to 1M with a unit (k or M)", "128k", "", "128k"},
     set_audio_bitrate},
    {{"audio.rate", "Samples per second of the output.", "Hz from 8000 to 192000", "48000", "", "48000"},
     set_audio_rate},
    {{"audio.channels", "Channels of the output.", "a whole number from 1 to 8", "2", "", "2"}, set_audio_channels},
    {{"audio.encoder", "Any libavcodec encoder that makes AAC.", "the name of an encoder", "aac", "", "aac"},
     [](SinkOptions& o, std::string_view v) { return store_text(o.audio.encoder, v); }},
    {{"audio.options", "Passed to the encoder as they stand.", "name=value:name=value", "aac_coder=fast", "", ""},
     [](SinkOptions& o, std::string_view v) { return store_pairs(o.audio.options, v); }},
}};

/// All rows, in the order in which help shows them.
const std::vector<Entry>& table() {
    static const std::vector<Entry> rows = [] {
        std::vector<Entry> all(kTable.begin(), kTable.end());
        const auto timing = timing_options();
        all.insert(all.end(), timing.begin(), timing.end());
        return all;
    }();
    return rows;
}

const Entry* find_entry(std::string_view key) {
    const auto entry = std::find_if(table().begin(), table().end(), [&](const Entry& e) { return e.row.key == key; });
    return entry == table().end() ? nullptr : &*entry;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

/// "fit, fill or stretch".
std::string joined_choices(std::span<const std::string_view> choices) {
    std::string text;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (i != 0) text += i + 1 == choices.size() ? " or " : ", ";
        text += choices[i];
    }
    return text;
}

std::string wrong_value_text(const OptionRow& row, std::string_view value) {
    std::string text = std::string(row.key) + "=" + std::string(value) + ": expected ";
    if (row.choices.empty())
        return text + std::string(row.expected) + ", such as " + std::string(row.key) + "=" + std::string(row.example);
    const auto choices = split(row.choices, '|');
    text += joined_choices(choices) + ", such as " + std::string(row.key) + "=" + std::string(row.example);
    const std::string_view near = nearest_name(value, choices);
    if (!near.empty()) text += " (did you mean " + std::string(near) + "?)";
    return text;
}

[[noreturn]] void fail(std::string_view origin, const std::string& text) {
    throw Error(ErrorCode::invalid_argument, origin.empty() ? text : std::string(origin) + ": " + text);
}

/// A bitrate or a crf chooses the rate control when the layer does not name one.
void follow_rate_control(SinkOptions& options, bool named, bool bitrate, bool crf, std::string_view origin) {
    if (bitrate && crf)
        fail(origin,
             "video.bitrate and video.crf contradict each other: leave one away (a ceiling for crf is "
             "video.maxrate=4500k)");
    if (named) return;
    if (crf) options.video.rate_control = RateControl::crf;
    if (bitrate && options.video.rate_control == RateControl::crf) options.video.rate_control = RateControl::vbr;
}

}  // namespace

std::span<const OptionRow> option_rows() {
    static const std::vector<OptionRow> rows = [] {
        std::vector<OptionRow> list;
        list.reserve(table().size());
        for (const Entry& entry : table())
            list.push_back(entry.row);
        return list;
    }();
    return rows;
}

bool is_sink_option(std::string_view key) {
    return find_entry(key) != nullptr;
}

void set_sink_option(SinkOptions& options, std::string_view key, std::string_view value, std::string_view origin) {
    const Entry* entry = find_entry(key);
    if (entry == nullptr) fail(origin, unknown_option_text(key));
    if (!entry->set(options, value)) fail(origin, wrong_value_text(entry->row, value));
}

void apply_sink_options(SinkOptions& options, std::span<const std::string> words, std::string_view origin) {
    bool rate_control = false;
    bool bitrate = false;
    bool crf = false;
    for (const std::string_view word : words) {
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) {
            const Entry* entry = find_entry(word);
            if (entry == nullptr) fail(origin, unknown_option_text(word));
            fail(origin, std::string(word) + ": expected a value, such as " + std::string(word) + "=" +
                             std::string(entry->row.example));
        }
        const std::string_view key = word.substr(0, equals);
        set_sink_option(options, key, word.substr(equals + 1), origin);
        rate_control |= key == "video.rate_control";
        bitrate |= key == "video.bitrate";
        crf |= key == "video.crf";
    }
    follow_rate_control(options, rate_control, bitrate, crf, origin);
}

void check_sink_options(const SinkOptions& options) {
    const VideoOptions& video = options.video;
    if (video.bitrate && video.maxrate && *video.maxrate < *video.bitrate)
        fail({}, "video.maxrate is below video.bitrate: raise video.maxrate or leave it away");
    if (video.rate_control == RateControl::cbr && video.bitrate && video.maxrate && *video.maxrate != *video.bitrate)
        fail({},
             "video.rate_control=cbr holds video.bitrate exactly: leave video.maxrate away or use "
             "video.rate_control=vbr");
    if (video.rate_control == RateControl::crf && video.bufsize && !video.maxrate)
        fail({}, "video.bufsize has no effect with video.rate_control=crf alone: add video.maxrate=4500k");
}

std::string nearest_option(std::string_view key, std::span<const std::string_view> more) {
    std::vector<std::string_view> names(more.begin(), more.end());
    for (const Entry& entry : table())
        names.push_back(entry.row.key);
    // People write "bitrate" for "video.bitrate"; the table lists video first.
    for (const std::string_view name : names)
        if (name.size() > key.size() && name.ends_with(key) && name[name.size() - key.size() - 1] == '.')
            return std::string(name);
    return std::string(nearest_name(key, names));
}

std::string unknown_option_text(std::string_view word, std::span<const std::string_view> more) {
    const std::string_view key = word.substr(0, word.find('='));
    const std::string near = nearest_option(key, more);
    std::string text = "unknown option " + std::string(key);
    if (!near.empty()) text += ": did you mean " + near + "?";
    return text + " (--help lists all)";
}

std::string sink_options_help(std::span<const std::string> defaults) {
    const auto default_of = [&](const OptionRow& row) {
        std::string_view value = row.fallback;
        for (const std::string_view word : defaults) {
            if (word.substr(0, word.find('=')) == row.key)
                value = word.substr(std::min(row.key.size() + 1, word.size()));
        }
        return std::string(value);
    };
    std::string text;
    for (const Entry& entry : table()) {
        const OptionRow& row = entry.row;
        std::string line =
            "  " + std::string(row.key) + "=" + std::string(row.choices.empty() ? row.example : row.choices);
        line.resize(std::max<std::size_t>(line.size() + 2, 36), ' ');
        text += line + std::string(row.help);
        if (const std::string value = default_of(row); !value.empty()) text += " Default: " + value + ".";
        text += '\n';
    }
    return text;
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
