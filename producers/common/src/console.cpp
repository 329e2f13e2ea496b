// SPDX-License-Identifier: Apache-2.0
#include "ringcast/producers/console.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace ringcast::producers {
namespace {

std::atomic<bool> g_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "stored from a signal handler");

extern "C" void request_stop(int) {
    g_stop.store(true, std::memory_order_relaxed);
}

double seconds_of(std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
}

std::string fixed(double value, int digits) {
    char text[48];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string counted(std::uint64_t count, const char* noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

double frames_per_second(const LoopProgress& progress) {
    const double elapsed = seconds_of(progress.elapsed);
    return elapsed > 0 ? static_cast<double>(progress.frames) / elapsed : 0;
}

const char* name_of_end(LoopEnd end) {
    switch (end) {
        case LoopEnd::finished:
            return "finished";
        case LoopEnd::stopped:
            return "stopped";
        case LoopEnd::wait_timed_out:
            return "wait_timed_out";
    }
    return "";
}

const char* name_of_mode(WriterMode mode) {
    switch (mode) {
        case WriterMode::live:
            return "live";
        case WriterMode::paced:
            return "paced";
        case WriterMode::lossless:
            return "lossless";
    }
    return "";
}

/// As the inspector shows it; JSON numbers lose bits past 2^53 in some readers.
std::string hex_id(std::uint64_t id) {
    std::array<char, 20> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(id));
    return text.data();
}

void print_json(const LoopSummary& summary, const ProducerOptions& options) {
    const LoopProgress& progress = summary.progress;
    const nlohmann::ordered_json json{
        {"bus", options.bus},
        {"end", name_of_end(summary.end)},
        {"session", hex_id(summary.session)},
        {"mode", name_of_mode(options.mode)},
        {"format", name_of(options.video->format)},
        {"width", options.video->width},
        {"height", options.video->height},
        {"fps", format_fps(options.video->fps)},
        {"sample_format", name_of(options.audio->format)},
        {"rate", options.audio->rate},
        {"channels", options.audio->channels},
        {"frames", progress.frames},
        {"samples", progress.samples},
        {"seconds", seconds_of(progress.elapsed)},
        {"drawing_seconds", seconds_of(progress.drawing)},
        {"late_restarts", progress.late_restarts},
        {"ready_readers", progress.ready_readers},
    };
    std::printf("%s\n", json.dump().c_str());
    std::fflush(stdout);
}

}  // namespace

Console::Console(std::string verb, std::string bus)
    : prefix_(std::move(verb) + " " + std::move(bus) + ": "), is_terminal_(isatty(STDERR_FILENO) == 1) {}

Console::~Console() {
    if (line_open_) std::fputc('\n', stderr);
}

void Console::line(const std::string& text, bool stays) {
    // The status line is redrawn in place; a line that stays first clears it.
    std::fprintf(stderr, "%s%s%s%s", line_open_ ? "\r\x1b[K" : "", prefix_.c_str(), text.c_str(), stays ? "\n" : "");
    std::fflush(stderr);
    line_open_ = !stays;
}

void Console::warned(const std::string& text) {
    line("warning: " + text, true);
}

void Console::waiting(unsigned ready, unsigned wanted) {
    line("waiting for " + counted(wanted, "sink") + ", " + std::to_string(ready) + " ready (Ctrl-C stops)", true);
}

void Console::started(const LoopProgress& progress) {
    line("on air, " + counted(progress.ready_readers, "sink") + " ready", true);
}

void Console::progressed(const LoopProgress& progress) {
    if (!is_terminal_) return;
    const auto whole = static_cast<long>(seconds_of(progress.elapsed));
    char clock[32];
    std::snprintf(clock, sizeof clock, "%02ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    line(std::string(clock) + "  " + counted(progress.frames, "frame") + "  " + fixed(frames_per_second(progress), 1) +
             " fps  " + counted(progress.ready_readers, "sink"),
         false);
}

void Console::summarise(const LoopSummary& summary, const ProducerOptions& options, bool as_json) {
    const LoopProgress& progress = summary.progress;
    std::string text =
        std::string(summary.end == LoopEnd::wait_timed_out ? "gave up waiting for sinks" : name_of_end(summary.end)) +
        ", " + counted(progress.frames, "frame") + " and " + counted(progress.samples, "sample") + " in " +
        fixed(seconds_of(progress.elapsed), 2) + " s";
    if (progress.frames > 0) {
        text += ", drawing " + fixed(1e3 * seconds_of(progress.drawing) / static_cast<double>(progress.frames), 2) +
                " ms a frame";
    }
    if (progress.late_restarts > 0) text += ", " + counted(progress.late_restarts, "time") + " behind the clock";
    line(text, true);
    if (as_json) print_json(summary, options);
}

const std::atomic<bool>& stop_on_signals() {
    struct sigaction action {};
    action.sa_handler = request_stop;
    sigemptyset(&action.sa_mask);
    action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: sleeps must be cut short
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    return g_stop;
}

}  // namespace ringcast::producers
