// SPDX-License-Identifier: Apache-2.0
#include "tail_format.hpp"

#include <array>
#include <cstdio>

#include "bus_json.hpp"
#include "ringcast/inspect.hpp"

namespace ringcast::tools {

namespace {

std::string flags_text(std::uint32_t flags) {
    constexpr std::array<std::pair<std::uint32_t, const char*>, 4> kNames{{{layout::kFlagKey, "key"},
                                                                           {layout::kFlagConfig, "config"},
                                                                           {layout::kFlagDiscontinuity, "disc"},
                                                                           {layout::kFlagExplicitPts, "pts"}}};
    std::string text;
    for (const auto& [flag, name] : kNames) {
        if ((flags & flag) == 0) continue;
        text += (text.empty() ? "" : ",") + std::string(name);
    }
    return text.empty() ? "-" : text;
}

constexpr std::size_t kMostEventColumns = 200;

/// A line that interrupts the columns: "video    caps 2: 640x360 bgr24 25".
std::string note(FlowKind kind, const std::string& text) {
    std::array<char, 16> flow{};
    std::snprintf(flow.data(), flow.size(), "%-8s", std::string(name_of(kind)).c_str());
    return flow.data() + text;
}

}  // namespace

std::string TailFormat::title() const {
    if (json_) return {};
    std::array<char, 128> line{};
    std::snprintf(line.data(), line.size(), "%-7s %8s %14s %12s %7s %10s %9s  %s", "FLOW", "INDEX", "PTS s",
                  "MEDIA INDEX", "SAMPLES", "BYTES", "AGE", "FLAGS");
    return screen_.paint(line.data(), Tone::dim) + "\n";
}

std::string TailFormat::record(FlowKind kind, const Record& record, std::int64_t age_ns) const {
    if (json_) return one_line(record_json(kind, record, age_ns));
    const std::string samples = kind == FlowKind::audio ? std::to_string(record.sample_count) : "-";
    // "µ" is two bytes but one column: the age is padded by hand.
    const std::string age = human_duration(age_ns);
    const std::size_t columns = display_width(age);
    std::array<char, 160> line{};
    std::snprintf(line.data(), line.size(), "%-7s %8llu %14s %12llu %7s %10zu %s%s  %s",
                  std::string(name_of(kind)).c_str(), static_cast<unsigned long long>(record.index),
                  seconds_text(record.pts_ns).c_str(), static_cast<unsigned long long>(record.media_index),
                  samples.c_str(), record.payload.size(), std::string(columns < 9 ? 9 - columns : 0, ' ').c_str(),
                  age.c_str(), flags_text(record.flags).c_str());
    std::string text = line.data();
    if (kind == FlowKind::packets) text += "  stream " + std::to_string(record.stream_id);
    if (kind == FlowKind::events) {
        text += "  " + sanitise({reinterpret_cast<const char*>(record.payload.data()), record.payload.size()},
                                kMostEventColumns);
    }
    return text + "\n";
}

std::string TailFormat::caps(FlowKind kind, const Record& record) const {
    if (json_) {
        return one_line({{"type", "caps"},
                         {"flow", name_of(kind)},
                         {"from_index", record.index},
                         {"generation", record.caps_generation},
                         {"caps", caps_json(kind, record.caps)}});
    }
    const std::string text =
        note(kind, "caps " + std::to_string(record.caps_generation) + ": " + caps_text(kind, record.caps));
    return screen_.paint(text, Tone::strong) + "\n";
}

std::string TailFormat::session(FlowKind kind, const Record& record) const {
    if (json_) {
        return one_line({{"type", "session"},
                         {"flow", name_of(kind)},
                         {"from_index", record.index},
                         {"session", hex_id(record.session)}});
    }
    return screen_.paint(note(kind, "new session " + hex_id(record.session)), Tone::warning) + "\n";
}

std::string TailFormat::lost(FlowKind kind, std::uint64_t overrun, std::uint64_t aborted,
                             std::uint64_t before_index) const {
    if (json_) {
        return one_line({{"type", "lost"},
                         {"flow", name_of(kind)},
                         {"overrun_records", overrun},
                         {"aborted_records", aborted},
                         {"before_index", before_index}});
    }
    const std::string text =
        note(kind, "lost " + std::to_string(overrun + aborted) + " before index " + std::to_string(before_index) +
                       ": " + std::to_string(overrun) + " overrun, " + std::to_string(aborted) + " aborted");
    return screen_.paint(text, Tone::bad) + "\n";
}

std::string TailFormat::end(const std::string& bus, const TailTotals& totals) const {
    if (json_) {
        return one_line(
            {{"type", "end"}, {"bus", bus}, {"delivered_records", totals.records}, {"lost_records", totals.lost}});
    }
    return screen_.paint("end of stream: " + std::to_string(totals.records) + " records, " +
                             std::to_string(totals.lost) + " lost",
                         Tone::strong) +
           "\n";
}

}  // namespace ringcast::tools
