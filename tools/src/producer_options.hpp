// SPDX-License-Identifier: Apache-2.0
/// Words that the verbs of the built-in producers share, and the way they run.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "ringcast/producers/console.hpp"
#include "ringcast/producers/loop.hpp"

namespace ringcast::tools {

struct ProducerWords {
    std::string bus;
    std::string name;
    std::string size = "1280x720";
    std::string fps = "25";
    std::vector<std::string> modes;
    std::string group;
    std::optional<double> seconds;
    unsigned wait_readers = 0;
    std::optional<double> wait_timeout;
    bool json = false;
};

inline std::string check_size(const std::string& text) {
    const auto x = text.find('x');
    const auto is_number = [](const std::string& part) {
        return !part.empty() && part.size() <= 5 && part.find_first_not_of("0123456789") == std::string::npos;
    };
    if (x != std::string::npos && is_number(text.substr(0, x)) && is_number(text.substr(x + 1))) return {};
    return "\"" + sanitise(text, 64) + "\" is not a size: use WIDTHxHEIGHT, as in 1280x720";
}

inline std::string check_fps(const std::string& text) {
    if (parse_fps(text)) return {};
    return "\"" + sanitise(text, 64) + "\" is not a frame rate: use 25, 30000/1001 or 29.97";
}

inline bool is_octal(const std::string& text) {
    return text.size() >= 3 && text.size() <= 4 && text.find_first_not_of("01234567") == std::string::npos;
}

/// `words`: what may stand there instead of digits.
inline std::string check_permissions(const std::string& text, const std::string& words = {}) {
    if (is_octal(text)) return {};
    return "\"" + sanitise(text, 64) + "\" is not a mode: use " + words + "octal digits such as 0640";
}

/// Two senses share the word, as both are called mode in their fields; they cannot be mistaken for one another.
inline std::string check_mode(const std::string& text) {
    if (text == "live" || text == "paced" || text == "lossless") return {};
    return check_permissions(text, "live, paced or lossless, or ");
}

inline std::string check_length(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = error == std::errc{} && end == text.data() + text.size() && value > 0 && value <= 1e8;
    return good ? std::string{} : "\"" + sanitise(text, 64) + "\" is not a length: seconds above 0";
}

inline void add_producer_words(host::Command& verb, ProducerWords& words) {
    verb.option("--size", words.size, "Picture size.").check(check_size).show_default().type_name("WxH");
    verb.option("--fps", words.fps, "Frames per second: 25, 30000/1001, 29.97.")
        .check(check_fps)
        .show_default()
        .type_name("F|N/D");
    verb.option("--mode", words.modes,
                "live (default): never waits. paced: the bus keeps the clock. lossless: as fast as sinks read. "
                "Octal digits instead say who may read the bus: 0600, 0640 (default), 0660, 0644.")
        .check(check_mode)
        .one_value_each()
        .type_name("live|paced|lossless|0640");
    verb.option("--group", words.group, "Group whose members may read the bus (sinks of other users, containers).")
        .type_name("GROUP");
    verb.option("--wait-readers", words.wait_readers, "Start when N sinks are attached, encoders open.")
        .between(0U, static_cast<unsigned>(layout::kBoardCells))
        .type_name("N");
    verb.option("--wait-timeout", words.wait_timeout, "Give up waiting after so long (exit code 1).")
        .check(check_length)
        .type_name("SECONDS");
    verb.option("--name", words.name, "Name that the inspector shows.").show_default().type_name("NAME");
    add_json_flag(verb, words.json);
}

/// The video flow; throws UsageError when the size is outside the bus's limits.
inline VideoFormat video_format_from(const ProducerWords& words, PixelFormat format) {
    const auto x = words.size.find('x');
    VideoFormat video{format, static_cast<std::uint32_t>(std::stoul(words.size.substr(0, x))),
                      static_cast<std::uint32_t>(std::stoul(words.size.substr(x + 1))), *parse_fps(words.fps)};
    (void)make_caps(video);
    return video;
}

/// The last word of each sense counts.
inline void apply_modes(const std::vector<std::string>& words, ProducerOptions& options) {
    for (const std::string& word : words) {
        if (is_octal(word)) {
            options.permissions = static_cast<std::uint32_t>(std::stoul(word, nullptr, 8));
        } else {
            options.mode = word == "paced"      ? WriterMode::paced
                           : word == "lossless" ? WriterMode::lossless
                                                : WriterMode::live;
        }
    }
}

inline std::chrono::nanoseconds nanoseconds_of(double seconds) {
    return std::chrono::nanoseconds(std::llround(seconds * 1e9));
}

/// Frames nearest to the length, at least one.
inline std::uint64_t frames_of(double seconds, Rational fps) {
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(seconds * fps.num / fps.den)));
}

inline producers::LoopOptions loop_options_from(const ProducerWords& words, const VideoFormat& video,
                                                const AudioFormat& audio) {
    producers::LoopOptions options;
    options.producer.bus = words.bus;
    options.producer.name = words.name;
    apply_modes(words.modes, options.producer);
    options.producer.group = words.group;
    options.producer.video = video;
    options.producer.audio = audio;
    options.wait_readers = words.wait_readers;
    if (words.wait_timeout) options.wait_timeout = nanoseconds_of(*words.wait_timeout);
    return options;
}

/// Runs the producer to its end and sums up. Returns the exit code.
inline int run_producer(const char* verb, const producers::LoopOptions& options, producers::Source& source, bool json) {
    const auto& stop = producers::stop_on_signals();
    producers::Console console(verb, options.producer.bus);
    const auto summary = producers::run_loop(options, source, console, stop);
    console.summarise(summary, options.producer, json);
    return summary.end == producers::LoopEnd::wait_timed_out ? kExitFailure : kExitOk;
}

}  // namespace ringcast::tools
