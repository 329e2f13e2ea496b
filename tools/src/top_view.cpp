// SPDX-License-Identifier: Apache-2.0
#include "top_view.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "sink_notes.hpp"

namespace ringcast::tools {

namespace {

constexpr std::int64_t kStillNs = 2'000'000'000;

std::string number(const char* pattern, double value) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), pattern, value);
    return text.data();
}

std::string rate_text(FlowKind kind, std::optional<double> rate) {
    if (!rate) return "-";
    return kind == FlowKind::audio ? number("%.0f Hz", *rate) : number("%.2f fps", *rate);
}

std::string bits_text(std::optional<double> bits) {
    return bits ? human_bit_rate(*bits) : std::string("-");
}

std::string optional_duration(const std::optional<std::int64_t>& ns) {
    return ns ? human_duration(*ns) : std::string("-");
}

std::uint64_t sum(const std::array<std::uint64_t, layout::kFlowCount>& figures) {
    std::uint64_t total = 0;
    for (const std::uint64_t figure : figures)
        total += figure;
    return total;
}

Tone tone_of(std::string_view state) {
    if (state == "live") return Tone::good;
    return state == "damaged" || state == "failed" || state == "rejected" ? Tone::bad : Tone::warning;
}

std::string heading(const BusInfo& bus, const Screen& screen) {
    const std::string_view state = state_of(bus);
    std::string text = screen.paint(bus.name, Tone::strong) + "  " + screen.paint(state, tone_of(state));
    if (bus.layout_major != 0) {
        text += "  " + bus.producer + " (pid " + std::to_string(bus.writer_pid) + ")  up " +
                human_duration(bus.age_ns) + "  A/V skew ";
        const auto skew = av_skew_ns(bus);
        text += skew ? human_duration(*skew) : std::string("-");
    }
    text += "\n";
    if (state == "starting") return text;
    for (const std::string& problem : bus.problems)
        text += screen.paint(problem, Tone::bad) + "\n";
    return text;
}

std::string flows(const BusLook& bus, const Screen& screen) {
    if (bus.info.flows.empty()) return {};
    Table table({{"FLOW"},
                 {"CAPS", Align::left, true},
                 {"RATE", Align::right},
                 {"BIT RATE", Align::right},
                 {"AGE", Align::right},
                 {"DEPTH", Align::right},
                 {"HEAD", Align::right}});
    for (const FlowInfo& flow : bus.info.flows) {
        const auto rate = shown_rate(flow, bus.rates);
        const bool still = rate && *rate == 0.0;
        table.add({{std::string(name_of(flow.kind))},
                   {caps_text(flow.kind, flow.caps)},
                   {rate_text(flow.kind, rate), still ? Tone::warning : Tone::plain},
                   {bits_text(bits_per_second(flow, bus.rates))},
                   {optional_duration(flow.newest_age_ns)},
                   {human_duration(static_cast<std::int64_t>(flow.depth_ns)),
                    flow.depth_ns < flow.depth_wanted_ns ? Tone::warning : Tone::plain},
                   {std::to_string(flow.head)}});
    }
    return table.render(screen);
}

std::string readers(const BusInfo& bus, const ReaderSpeeds& speeds, const Screen& screen) {
    if (bus.readers.empty()) return {};
    std::vector<Column> columns{{"READER", Align::left, true}, {"STATE"},
                                {"FPS", Align::right},         {"ENCODE", Align::right},
                                {"AGE", Align::right},         {"LAG", Align::right},
                                {"LOST", Align::right},        {"DROPPED", Align::right},
                                {"QUEUE", Align::right},       {"SENT", Align::right},
                                {"AGAIN", Align::right}};
    // Most sinks know nothing of a network, and the lines are long enough.
    const bool has_net = std::any_of(bus.readers.begin(), bus.readers.end(),
                                     [](const CellInfo& reader) { return !net_text(reader).empty(); });
    if (has_net) columns.push_back({"NET", Align::left, true});
    columns.push_back({"REASON", Align::left, true});
    Table table(std::move(columns));
    for (const CellInfo& reader : bus.readers) {
        const std::uint64_t lost = sum(reader.overrun) + sum(reader.aborted);
        const auto speed = speeds.bytes_per_second(bus, reader);
        const auto& gauges = reader.gauges;
        std::vector<Cell> row{
            {reader.name.empty() ? "pid " + std::to_string(reader.pid) : reader.name},
            {std::string(name_of(reader.state)), tone_of(name_of(reader.state))},
            {gauges ? number("%.1f", static_cast<double>(gauges->encoded_mfps) / 1000.0) : "-"},
            {gauges ? human_duration(gauges->encode_p99_ns) : "-"},
            {gauges ? human_duration(gauges->sent_frame_age_ns) : "-"},
            {human_duration(reader.lag_ns)},
            {std::to_string(lost), lost > 0 ? Tone::warning : Tone::plain},
            {std::to_string(reader.dropped_frames), reader.dropped_frames > 0 ? Tone::warning : Tone::plain},
            {human_duration(reader.queue_ns)},
            {speed ? human_bytes(static_cast<std::uint64_t>(*speed)) + "/s" : "-"},
            {std::to_string(reader.reconnects), reader.reconnects > 0 ? Tone::warning : Tone::plain},
        };
        if (has_net) {
            const std::string net = net_text(reader);
            row.push_back({net.empty() ? "-" : net});
        }
        row.push_back({reader.reason.empty() ? "-" : reader.reason});
        table.add(std::move(row));
    }
    return table.render(screen);
}

Json flow_json(const FlowInfo& flow, const MeasuredRates& rates) {
    const auto age = flow.newest_age_ns ? Json(*flow.newest_age_ns) : Json(nullptr);
    Json json = {{"flow", name_of(flow.kind)}, {"caps", caps_json(flow.kind, flow.caps)}};
    if (flow.kind == FlowKind::video) json["fps"] = rate_json(shown_rate(flow, rates));
    if (flow.kind == FlowKind::audio) json["samples_per_second"] = rate_json(shown_rate(flow, rates));
    json["bits_per_second"] = rate_json(bits_per_second(flow, rates));
    json["newest_age_ns"] = age;
    json["depth_ns"] = flow.depth_ns;
    json["depth_wanted_ns"] = flow.depth_wanted_ns;
    json["head_index"] = flow.head;
    return json;
}

Json reader_json(const BusInfo& bus, const CellInfo& reader, const ReaderSpeeds& speeds) {
    Json json = {{"name", reader.name},
                 {"plugin", reader.plugin},
                 {"pid", reader.pid},
                 {"state", name_of(reader.state)},
                 {"reason", reader.reason},
                 {"lag_ns", reader.lag_ns},
                 {"lost_records", sum(reader.overrun) + sum(reader.aborted)},
                 {"lost_overrun_records", sum(reader.overrun)},
                 {"lost_aborted_records", sum(reader.aborted)},
                 {"encoded_frames", reader.frames_encoded},
                 {"dropped_frames", reader.dropped_frames},
                 {"queue_ns", reader.queue_ns},
                 {"reconnects", reader.reconnects},
                 {"sent_bytes", reader.bytes_sent}};
    json.update(gauges_json(reader));
    json.update(notes_json(reader));
    json["sent_bytes_per_second"] = rate_json(speeds.bytes_per_second(bus, reader));  // since the look before
    return json;
}

}  // namespace

std::optional<double> shown_rate(const FlowInfo& flow, const MeasuredRates& rates) {
    if (flow.newest_age_ns && *flow.newest_age_ns > kStillNs) return 0.0;
    return rates.of(flow.kind);
}

std::optional<double> bits_per_second(const FlowInfo& flow, const MeasuredRates& rates) {
    const auto rate = shown_rate(flow, rates);
    if (!rate || flow.committed == 0) return std::nullopt;
    if (flow.kind == FlowKind::audio) {
        if (!audio_format_of(flow.caps)) return std::nullopt;
        return *rate * sample_bytes(flow.caps) * 8;
    }
    return *rate * static_cast<double>(flow.payload_bytes) / static_cast<double>(flow.committed) * 8;
}

void ReaderSpeeds::look(const std::vector<BusLook>& buses, std::int64_t now_ns) {
    std::map<Key, Seen> now;
    for (const BusLook& bus : buses) {
        for (const CellInfo& reader : bus.info.readers) {
            const Key key = key_of(bus.info, reader);
            const auto before = seen_.find(key);
            // Times and counts are the reader's own words: as doubles, so that no difference overflows.
            const bool first = before == seen_.end();
            const double since =
                first ? static_cast<double>(reader.attached_ns) : static_cast<double>(before->second.at_ns);
            const std::uint64_t sent_before = first ? 0 : before->second.bytes;
            const double elapsed = static_cast<double>(now_ns) - since;
            Seen seen{.bytes = reader.bytes_sent, .at_ns = now_ns, .speed = std::nullopt};
            if (elapsed > 0 && reader.bytes_sent >= sent_before)
                seen.speed = static_cast<double>(reader.bytes_sent - sent_before) * 1e9 / elapsed;
            now[key] = seen;
        }
    }
    seen_ = std::move(now);
}

std::optional<double> ReaderSpeeds::bytes_per_second(const BusInfo& bus, const CellInfo& reader) const {
    const auto seen = seen_.find(key_of(bus, reader));
    return seen == seen_.end() ? std::nullopt : seen->second.speed;
}

Json top_json(const std::vector<BusLook>& buses, const ReaderSpeeds& speeds, std::int64_t now_ns) {
    Json json = {{"monotonic_ns", now_ns}, {"buses", Json::array()}};
    for (const BusLook& bus : buses) {
        const auto skew = av_skew_ns(bus.info);
        Json one = {{"name", bus.info.name},         {"state", state_of(bus.info)},
                    {"producer", bus.info.producer}, {"pid", bus.info.writer_pid},
                    {"uptime_ns", bus.info.age_ns},  {"av_skew_ns", skew ? Json(*skew) : Json(nullptr)},
                    {"problems", bus.info.problems}, {"flows", Json::array()},
                    {"readers", Json::array()}};
        for (const FlowInfo& flow : bus.info.flows)
            one["flows"].push_back(flow_json(flow, bus.rates));
        for (const CellInfo& reader : bus.info.readers)
            one["readers"].push_back(reader_json(bus.info, reader, speeds));
        json["buses"].push_back(std::move(one));
    }
    return json;
}

std::string top_text(const std::vector<BusLook>& buses, const ReaderSpeeds& speeds, const std::string& absent,
                     const Screen& screen) {
    std::string whole;
    for (const BusLook& bus : buses) {
        if (!whole.empty()) whole += "\n";
        whole += heading(bus.info, screen) + flows(bus, screen) + readers(bus.info, speeds, screen);
    }
    if (buses.empty()) whole = absent + "\n";
    std::string text;
    std::size_t begin = 0;
    for (std::size_t end = whole.find('\n'); end != std::string::npos; end = whole.find('\n', begin)) {
        text += cut_line(std::string_view(whole).substr(begin, end - begin), screen.width) + "\n";
        begin = end + 1;
    }
    return text;
}

std::string cut_line(std::string_view line, std::size_t width) {
    if (width == 0) return std::string(line);
    std::string cut;
    bool coloured = false;
    std::size_t used = 0;
    while (!line.empty() && used < width) {
        const std::size_t escape = line.find("\033[");
        const std::string_view run = line.substr(0, escape);
        const std::string part = fit(run, width - used);
        cut += part;
        used += display_width(part);
        if (part.size() < run.size() || escape == std::string_view::npos) break;
        const std::size_t end = line.find('m', escape);
        if (end == std::string_view::npos) break;
        cut += line.substr(escape, end + 1 - escape);
        coloured = line.substr(escape, end + 1 - escape) != "\033[0m";
        line.remove_prefix(end + 1);
    }
    return coloured ? cut + "\033[0m" : cut;
}

}  // namespace ringcast::tools
