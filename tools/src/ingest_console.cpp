// SPDX-License-Identifier: Apache-2.0
#include "ingest_console.hpp"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "command.hpp"

namespace ringcast::tools {
namespace {

constexpr std::chrono::seconds kSayEvery{10};

std::string counted(std::uint64_t count, const char* noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string rate_text(std::uint64_t bytes_per_second) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f Mb/s", static_cast<double>(bytes_per_second) * 8 / 1e6);
    return text;
}

std::string srt_text(const ingest::SrtFigures& srt) {
    char text[160];
    std::snprintf(text, sizeof text, ", rtt %.1f ms, lost %llu, missing %llu, buffer %lld of %lld ms",
                  static_cast<double>(srt.rtt_us) / 1000, static_cast<unsigned long long>(srt.lost_packets),
                  static_cast<unsigned long long>(srt.dropped_packets), static_cast<long long>(srt.buffer_ms),
                  static_cast<long long>(srt.latency_ms));
    return text;
}

std::string progress_text(const ingest::IngestFigures& figures) {
    std::string text = std::string(ingest::name_of(figures.state)) + ", " + counted(figures.frames, "frame") + ", " +
                       rate_text(figures.received_bytes_per_second);
    if (figures.srt) text += srt_text(*figures.srt);
    if (figures.reconnects > 0) text += ", " + counted(figures.reconnects, "reconnect");
    return text;
}

template <class Value>
nlohmann::ordered_json known(bool is_known, Value value) {
    return is_known ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

IngestConsole::IngestConsole(std::string bus, bool as_json, const SafeWords& words)
    : bus_(std::move(bus)), as_json_(as_json), words_(words), is_terminal_(isatty(STDERR_FILENO) == 1) {}

IngestConsole::~IngestConsole() {
    if (line_open_) std::fputc('\n', stderr);
}

void IngestConsole::line(const std::string& text, bool stays) {
    std::fprintf(stderr, "%singest %s: %s%s", line_open_ ? "\r\x1b[K" : "", bus_.c_str(),
                 sanitise(words_.clean(text), 512).c_str(), stays ? "\n" : "");
    std::fflush(stderr);
    line_open_ = !stays;
}

void IngestConsole::warned(const std::string& text) {
    line(text, true);
}

void IngestConsole::state_changed(const ingest::IngestFigures& figures) {
    std::string text(ingest::name_of(figures.state));
    if (!figures.reason.empty()) text += ": " + figures.reason;
    if (figures.state == ingest::IngestState::live) text += ", from " + figures.peer;
    if (figures.state != ingest::IngestState::ended) line(text, true);
    if (as_json_) print_json(figures);
}

void IngestConsole::progressed(const ingest::IngestFigures& figures) {
    const auto now = std::chrono::steady_clock::now();
    if (is_terminal_ || now - said_ >= kSayEvery) {
        if (is_terminal_ || figures.state == ingest::IngestState::live) line(progress_text(figures), !is_terminal_);
        said_ = now;
    }
    if (as_json_) print_json(figures);
}

void IngestConsole::summarise(const ingest::IngestFigures& figures) {
    line("ended, " + counted(figures.frames, "frame") + " and " + counted(figures.received_bytes, "byte") + ", " +
             counted(figures.reconnects, "reconnect") +
             (figures.left_out > 0 ? ", " + counted(figures.left_out, "packet") + " left out" : ""),
         true);
}

void IngestConsole::print_json(const ingest::IngestFigures& figures) const {
    nlohmann::ordered_json json{
        {"bus", bus_},
        {"state", ingest::name_of(figures.state)},
        {"reason", known(!figures.reason.empty(), sanitise(words_.clean(figures.reason), 512))},
        {"peer", known(!figures.peer.empty(), words_.clean(figures.peer))},
        {"received_bytes", figures.received_bytes},
        {"received_bytes_per_second", figures.received_bytes_per_second},
        {"frames", figures.frames},
        {"sound_packets", figures.sound_packets},
        {"left_out_packets", figures.left_out},
        {"refused", figures.refused},
        {"reconnects", figures.reconnects},
        {"rebases", figures.rebases},
        {"srt", nullptr},
    };
    if (figures.srt) {
        json["srt"] = {{"rtt_us", figures.srt->rtt_us},
                       {"lost_packets", figures.srt->lost_packets},
                       {"dropped_packets", figures.srt->dropped_packets},
                       {"buffer_ms", figures.srt->buffer_ms},
                       {"latency_ms", figures.srt->latency_ms}};
    }
    // A reader that has gone does not end the stream.
    static_cast<void>(print(json.dump() + "\n"));
}

}  // namespace ringcast::tools
