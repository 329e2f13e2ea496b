// SPDX-License-Identifier: Apache-2.0
/// `ringcast info`: everything that can be seen of one bus from outside.
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>

#include "bus_json.hpp"
#include "clock.hpp"
#include "command.hpp"
#include "measured_rate.hpp"
#include "sink_notes.hpp"
#include "text.hpp"

namespace ringcast::tools {

namespace {

struct Options {
    std::string bus;
    bool json = false;
};

std::string rate_text(FlowKind kind, std::optional<double> rate) {
    if (!rate) return "-";
    std::array<char, 48> text{};
    if (kind == FlowKind::audio) {
        std::snprintf(text.data(), text.size(), "%.0f samples/s", *rate);
    } else {
        std::snprintf(text.data(), text.size(), "%.2f frames/s", *rate);
    }
    return text.data();
}

std::string pts_text(const std::optional<std::int64_t>& pts_ns) {
    return pts_ns ? seconds_text(*pts_ns) + " s" : std::string("-");
}

std::string depth_text(const FlowInfo& flow) {
    std::string text = human_duration(static_cast<std::int64_t>(flow.depth_ns));
    if (flow.depth_wanted_ns > flow.depth_ns) {
        text += " (wanted " + human_duration(static_cast<std::int64_t>(flow.depth_wanted_ns)) + ")";
    }
    return text;
}

std::string skew_text(const BusInfo& bus) {
    const auto skew = av_skew_ns(bus);
    if (!skew) return "- (needs records on video and audio)";
    if (*skew == 0) return "0";
    return human_duration(*skew < 0 ? wrapping_difference(0, *skew) : *skew) +
           (*skew > 0 ? ", video ahead" : ", audio ahead");
}

/// "2026-03-01 12:00:00.250 UTC". The moment comes from shared memory: any value.
std::string clock_text(std::int64_t realtime_ns) {
    const std::int64_t seconds = realtime_ns / 1'000'000'000;
    if (seconds <= 0) return "-";
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 64> date{};
    std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M:%S", &utc);
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "%s.%03d UTC", date.data(),
                  static_cast<int>(realtime_ns / 1'000'000 % 1000));
    return text.data();
}

/// "video 12, audio 34" of the flows of this bus that count.
std::string per_flow(
    const BusInfo& bus, const std::array<std::uint64_t, layout::kFlowCount>& figures,
    const std::function<bool(FlowKind)>& counts = [](FlowKind) { return true; }) {
    std::string text;
    for (const FlowInfo& flow : bus.flows) {
        if (!counts(flow.kind)) continue;
        if (!text.empty()) text += ", ";
        text += std::string(name_of(flow.kind)) + " " + std::to_string(figures.at(static_cast<std::size_t>(flow.kind)));
    }
    return text.empty() ? "-" : text;
}

/// "generation 2, void below video 120, audio 118".
std::string flush_text(const BusInfo& bus) {
    if (bus.flush_generation == 0) return "never";
    return "generation " + std::to_string(bus.flush_generation) + ", void below " + per_flow(bus, bus.flush_index);
}

std::string heading(const BusInfo& bus, const Screen& screen) {
    const std::string_view state = state_of(bus);
    Labels labels;
    labels.add("bus", bus.name, Tone::strong);
    labels.add("state", std::string(state), state == "live" ? Tone::good : Tone::warning);
    if (state != "starting") {  // what is missing then is about to come
        for (const std::string& problem : bus.problems)
            labels.add("problem", problem, Tone::bad);
    }
    // Of a bus object that cannot be read nothing else is known.
    if (bus.layout_major == 0) return labels.render(screen);
    labels.add("producer", bus.producer + " (pid " + std::to_string(bus.writer_pid) + ", uid " +
                               std::to_string(bus.owner_uid) + ")");
    labels.add("mode", std::string(writer_mode_name(bus.writer_mode)));
    labels.add("session", hex_id(bus.session));
    labels.add("uptime", human_duration(bus.age_ns));
    labels.add("pts 0 at", clock_text(bus.epoch_realtime_ns));
    labels.add("layout", std::to_string(bus.layout_major) + "." + std::to_string(bus.layout_minor));
    labels.add("memory", human_bytes(memory_bytes(bus)));
    labels.add("A/V skew", skew_text(bus));
    labels.add("flush", flush_text(bus));
    return labels.render(screen);
}

/// Flows stand side by side, one figure per line: that fits a narrow terminal whatever the figures are.
std::string flows_text(const BusInfo& bus, const MeasuredRates& rates, const Screen& screen) {
    if (bus.flows.empty()) return {};
    std::vector<Column> columns{{"FLOW"}};
    for (const FlowInfo& flow : bus.flows)
        columns.push_back({std::string(name_of(flow.kind)), Align::right});
    Table table(columns);
    const auto add = [&](const char* label, const auto& value_of) {
        std::vector<Cell> row{{label, Tone::dim}};
        for (const FlowInfo& flow : bus.flows)
            row.push_back(Cell{value_of(flow)});
        table.add(std::move(row));
    };
    add("caps", [](const FlowInfo& flow) { return caps_text(flow.kind, flow.caps); });
    add("caps generation", [](const FlowInfo& flow) { return std::to_string(flow.caps_generation); });
    add("writer", [](const FlowInfo& flow) -> std::string {
        if (flow.ended) return "ended";
        return flow.writer_alive ? "live" : "gone";
    });
    add("depth", depth_text);
    add("slots", [](const FlowInfo& flow) { return std::to_string(flow.slot_count); });
    add("arena", [](const FlowInfo& flow) { return human_bytes(flow.arena_bytes); });
    add("head, next index", [](const FlowInfo& flow) { return std::to_string(flow.head); });
    add("records in ring", [](const FlowInfo& flow) { return std::to_string(flow.committed); });
    add("oldest pts", [](const FlowInfo& flow) { return pts_text(flow.oldest_pts_ns); });
    add("newest pts", [](const FlowInfo& flow) { return pts_text(flow.newest_pts_ns); });
    add("newest age", [](const FlowInfo& flow) {
        return flow.newest_age_ns ? human_duration(*flow.newest_age_ns) : std::string("-");
    });
    add("measured rate", [&](const FlowInfo& flow) { return rate_text(flow.kind, rates.of(flow.kind)); });
    return "\n" + table.render(screen);
}

Tone tone_of(layout::SinkState state) {
    switch (state) {
        case layout::SinkState::live:
            return Tone::good;
        case layout::SinkState::rejected:
        case layout::SinkState::failed:
            return Tone::bad;
        case layout::SinkState::stalled:
        case layout::SinkState::backoff:
            return Tone::warning;
        default:
            return Tone::plain;
    }
}

void add_gauges(Labels& labels, const GaugeInfo& gauges) {
    std::array<char, 32> fps{};
    std::snprintf(fps.data(), fps.size(), "%.2f frames/s", static_cast<double>(gauges.encoded_mfps) / 1000.0);
    labels.add("pace", std::string(fps.data()) + ", " + human_bytes(gauges.sent_bytes_per_second) + "/s");
    labels.add("encoding", "p50 " + human_duration(gauges.encode_p50_ns) + ", p99 " +
                               human_duration(gauges.encode_p99_ns) + " per frame");
    labels.add("frame age", human_duration(gauges.sent_frame_age_ns) + " from capture to delivery");
    if (gauges.late_samples > 0) labels.add("too late", std::to_string(gauges.late_samples) + " samples left out");
}

/// "10.0.0.7:41000, rtt 12.3 ms, loss 3 packets".
std::string client_text(const ClientNotes& client) {
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    for (const TextInfo& one : client.texts)
        add(one.name == "address" ? one.text : figure_label(one.name) + " " + one.text);
    for (const FigureInfo& figure : client.figures)
        add(figure_label(figure.name) + " " + figure_value(figure));
    return text;
}

/// What the plugin shows under names of its own, apart from what every sink has.
std::string notes_text(const CellInfo& reader, const Screen& screen) {
    const SinkNotes notes = notes_of(reader);
    Labels labels(4);
    for (const TextInfo& text : notes.texts)
        labels.add(figure_label(text.name), text.text);
    for (const FigureInfo& figure : notes.figures)
        labels.add(figure_label(figure.name), figure_value(figure));
    for (const ClientNotes& client : notes.clients)
        labels.add("client " + std::to_string(client.number), client_text(client));
    if (reader.left_out > 0) labels.add("left out", std::to_string(reader.left_out) + " that have no place here");
    const std::string lines = labels.render(screen);
    if (lines.empty()) return {};
    return "  " + screen.paint("said by the plugin", Tone::dim) + "\n" + lines;
}

std::string reader_text(const BusInfo& bus, const CellInfo& reader, const Screen& screen) {
    std::string state(name_of(reader.state));
    if (!reader.reason.empty()) state += ": " + reader.reason;
    Labels labels(2);
    labels.add("state", state, tone_of(reader.state));
    if (reader.evicted) {
        labels.add("evicted", "it stood still: the producer does not wait for it any more; attach it anew", Tone::bad);
    }
    const auto reads = [&](FlowKind kind) { return does_read(reader, kind); };
    labels.add("delivered", per_flow(bus, reader.delivered, reads) + " records");
    labels.add("lost, overrun", per_flow(bus, reader.overrun, reads) + " records");
    labels.add("lost, aborted", per_flow(bus, reader.aborted, reads) + " records");
    labels.add("next index", per_flow(bus, reader.cursor, reads));
    labels.add("lag", human_duration(reader.lag_ns));
    labels.add("queue", human_duration(reader.queue_ns));
    labels.add("encoded", std::to_string(reader.frames_encoded) + " frames, dropped " +
                              std::to_string(reader.dropped_frames) + ", repeated " +
                              std::to_string(reader.repeated_frames) + ", silence filled " +
                              std::to_string(reader.silence_samples) + " samples");
    labels.add("sent", human_bytes(reader.bytes_sent) + ", reconnects " + std::to_string(reader.reconnects));
    // Readers that are no sinks measure nothing.
    if (reader.gauges && reader.gauges->encode_p99_ns > 0) add_gauges(labels, *reader.gauges);
    labels.add("output pts", seconds_text(reader.output_pts_ns) + " s");
    if (reader.played_pts_ns >= 0) labels.add("played pts", seconds_text(reader.played_pts_ns) + " s");
    labels.add("updated", reader.updated_ns == 0 ? "never" : human_duration(reader.updated_age_ns) + " ago");
    const std::string title = (reader.name.empty() ? "reader" : reader.name) + " (" +
                              (reader.plugin.empty() ? "no plugin" : reader.plugin) + ", pid " +
                              std::to_string(reader.pid) + (reader.lossless ? ", lossless)" : ")");
    return "\n" + screen.paint(title, Tone::strong) + "\n" + labels.render(screen) + notes_text(reader, screen);
}

std::string text_of(const BusInfo& bus, const MeasuredRates& rates) {
    const Screen screen = Screen::of_stdout();
    std::string text = heading(bus, screen) + flows_text(bus, rates, screen);
    for (const CellInfo& reader : bus.readers)
        text += reader_text(bus, reader, screen);
    if (bus.readers.empty() && state_of(bus) == "live") {
        text += "\nno reader is attached; send it out with: ringcast sink file --bus " + bus.name + " out.mp4\n";
    }
    return text;
}

int run(const Options& options) {
    const BusInfo bus = inspect_or_explain(options.bus);
    const MeasuredRates rates = measure_rates(options.bus);
    if (!options.json) {
        print(text_of(bus, rates));
        return kExitOk;
    }
    Json json = bus_json(bus);
    json["measured_video_fps"] = rate_json(rates.of(FlowKind::video));
    json["measured_audio_hz"] = rate_json(rates.of(FlowKind::audio));
    print(pretty(json));
    return kExitOk;
}

}  // namespace

void add_info(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    host::Command verb = command.add_verb("info", "Show one bus: flows, readers, losses, skew.");
    verb.set_usage("BUS [--json]");
    verb.option("bus", options->bus, "Name of the bus.").required().check(check_bus_name).type_name("NAME");
    add_json_flag(verb, options->json);
    verb.set_footer(
        "Looks from outside: no reader or writer notices. The measured rate is that of the newest second in the "
        "ring.\n\n"
        "Examples:\n"
        "  ringcast info talk\n"
        "  ringcast info talk --json");
    run_as_verb(verb, exit_code, [options] { return run(*options); });
}

}  // namespace ringcast::tools
