// SPDX-License-Identifier: Apache-2.0
#include "runtime/sink_options.hpp"

#include <algorithm>
#include <array>

#include "ringcast/error.hpp"
#include "runtime/option_entry.hpp"

namespace ringcast::runtime {

namespace {

/// Of encoders first: help and suggestions list them so.
const std::vector<OptionEntry>& entries() {
    static const std::vector<OptionEntry> all = [] {
        const auto encoders = encoder_option_entries();
        std::vector<OptionEntry> list(encoders.begin(), encoders.end());
        const auto timing = timing_options();
        list.insert(list.end(), timing.begin(), timing.end());
        return list;
    }();
    return all;
}

const OptionEntry* find_entry(std::string_view key) {
    const auto& all = entries();
    const auto entry = std::find_if(all.begin(), all.end(), [&](const OptionEntry& e) { return e.row.key == key; });
    return entry == all.end() ? nullptr : &*entry;
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
    if (named && crf && options.video.rate_control != RateControl::crf)
        fail(origin,
             "video.crf has no effect with video.rate_control=cbr or vbr: leave one away (a ceiling for crf is "
             "video.maxrate=4500k)");
    if (named) return;
    if (crf) options.video.rate_control = RateControl::crf;
    if (bitrate && options.video.rate_control == RateControl::crf) options.video.rate_control.reset();
}

}  // namespace

std::span<const OptionRow> option_rows() {
    static const std::vector<OptionRow> rows = [] {
        std::vector<OptionRow> list;
        list.reserve(entries().size());
        for (const OptionEntry& entry : entries())
            list.push_back(entry.row);
        return list;
    }();
    return rows;
}

bool is_sink_option(std::string_view key) {
    return find_entry(key) != nullptr;
}

void set_sink_option(SinkOptions& options, std::string_view key, std::string_view value, std::string_view origin) {
    const OptionEntry* entry = find_entry(key);
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
            const OptionEntry* entry = find_entry(word);
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
    if (video.rate_control == RateControl::crf && video.bitrate)
        fail({},
             "video.bitrate has no effect with video.rate_control=crf: leave one away (a ceiling for crf is "
             "video.maxrate=4500k)");
    if (video.rate_control == RateControl::crf && video.bufsize && !video.maxrate)
        fail({}, "video.bufsize has no effect with video.rate_control=crf alone: add video.maxrate=4500k");
}

std::string nearest_option(std::string_view key, std::span<const std::string_view> more) {
    std::vector<std::string_view> names(more.begin(), more.end());
    for (const OptionEntry& entry : entries())
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
    for (const OptionEntry& entry : entries()) {
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

}  // namespace ringcast::runtime
