// SPDX-License-Identifier: Apache-2.0
#include "bus_json.hpp"

#include <array>
#include <cstdio>

#include "sink_notes.hpp"

namespace ringcast::tools {

namespace {

template <class Value>
Json or_null(const std::optional<Value>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json caps_of_kind(const BusInfo& bus, FlowKind kind) {
    const FlowInfo* flow = flow_of(bus, kind);
    return flow == nullptr ? Json(nullptr) : caps_json(kind, flow->caps);
}

Json flow_json(const FlowInfo& flow) {
    return {{"flow", name_of(flow.kind)},
            {"caps", caps_json(flow.kind, flow.caps)},
            {"caps_generation", flow.caps_generation},
            {"writer_alive", flow.writer_alive},
            {"ended", flow.ended},
            {"head_index", flow.head},
            {"first_index", flow.first_index},
            {"committed_records", flow.committed},
            {"payload_bytes", flow.payload_bytes},
            {"slot_count", flow.slot_count},
            {"arena_bytes", flow.arena_bytes},
            {"object_bytes", flow.object_bytes},
            {"depth_ns", flow.depth_ns},
            {"depth_wanted_ns", flow.depth_wanted_ns},
            {"oldest_pts_ns", or_null(flow.oldest_pts_ns)},
            {"newest_pts_ns", or_null(flow.newest_pts_ns)},
            {"newest_age_ns", or_null(flow.newest_age_ns)}};
}

/// One object per flow that the reader has touched, keyed by the flow's name.
Json reader_flows_json(const CellInfo& reader) {
    Json flows = Json::object();
    for (std::size_t i = 0; i < layout::kFlowCount; ++i) {
        const std::uint64_t touched =
            reader.cursor.at(i) | reader.delivered.at(i) | reader.overrun.at(i) | reader.aborted.at(i);
        if (touched == 0 || !does_read(reader, static_cast<FlowKind>(i))) continue;
        flows[std::string(name_of(static_cast<FlowKind>(i)))] = {{"cursor_index", reader.cursor.at(i)},
                                                                 {"delivered_records", reader.delivered.at(i)},
                                                                 {"lost_overrun_records", reader.overrun.at(i)},
                                                                 {"lost_aborted_records", reader.aborted.at(i)}};
    }
    return flows;
}

/// By flow, the index below which records that were not sent are void; null when nothing was ever flushed.
Json flush_json(const BusInfo& bus) {
    if (bus.flush_generation == 0) return nullptr;
    Json indices = Json::object();
    for (const FlowInfo& flow : bus.flows)
        indices[std::string(name_of(flow.kind))] = bus.flush_index.at(static_cast<std::size_t>(flow.kind));
    return indices;
}

Json reader_json(const CellInfo& reader) {
    const Json played = reader.played_pts_ns < 0 ? Json(nullptr) : Json(reader.played_pts_ns);
    Json json = {{"name", reader.name},
                 {"plugin", reader.plugin},
                 {"pid", reader.pid},
                 {"state", name_of(reader.state)},
                 {"reason", reader.reason},
                 {"lossless", reader.lossless},
                 {"evicted", reader.evicted},
                 {"flows", reader_flows_json(reader)},
                 {"lag_ns", reader.lag_ns},
                 {"queue_ns", reader.queue_ns},
                 {"output_pts_ns", reader.output_pts_ns},
                 {"played_pts_ns", played},
                 {"encoded_frames", reader.frames_encoded},
                 {"dropped_frames", reader.dropped_frames},
                 {"repeated_frames", reader.repeated_frames},
                 {"silence_samples", reader.silence_samples},
                 {"sent_bytes", reader.bytes_sent},
                 {"reconnects", reader.reconnects},
                 {"attached_monotonic_ns", reader.attached_ns},
                 {"updated_monotonic_ns", reader.updated_ns},
                 {"updated_age_ns", reader.updated_age_ns}};
    json.update(gauges_json(reader));
    json.update(notes_json(reader));
    return json;
}

}  // namespace

Json gauges_json(const CellInfo& reader) {
    const auto& gauges = reader.gauges;
    const auto of = [&](auto figure) { return gauges ? Json(figure) : Json(nullptr); };
    const GaugeInfo figures = gauges.value_or(GaugeInfo{});
    return {{"sent_bytes_per_second", of(figures.sent_bytes_per_second)},
            {"encoded_fps", of(static_cast<double>(figures.encoded_mfps) / 1000.0)},
            {"encode_p50_ns", of(figures.encode_p50_ns)},
            {"encode_p99_ns", of(figures.encode_p99_ns)},
            {"sent_frame_age_ns", of(figures.sent_frame_age_ns)},
            {"late_samples", of(figures.late_samples)}};
}

std::string_view state_of(const BusInfo& bus) {
    // A producer takes its locks first and publishes its bus object last: until then it is missing, which is no
    // problem.
    if (bus.layout_major == 0) return bus.alive && bus.problems.empty() ? "starting" : "damaged";
    if (bus.ended) return "ended";
    return bus.alive ? "live" : "stale";
}

std::string_view writer_mode_name(std::uint32_t mode) {
    constexpr std::array<std::string_view, 3> kNames{"live", "paced", "lossless"};
    return mode < kNames.size() ? kNames.at(mode) : "unknown";
}

std::string hex_id(std::uint64_t id) {
    std::array<char, 20> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(id));
    return text.data();
}

std::uint64_t memory_bytes(const BusInfo& bus) {
    std::uint64_t total = 0;
    for (const FlowInfo& flow : bus.flows)
        total += flow.object_bytes;
    return total;
}

bool does_read(const CellInfo& reader, FlowKind kind) {
    return reader.cursor.at(static_cast<std::size_t>(kind)) != layout::kNotRead;
}

Json rate_json(std::optional<double> per_second) {
    return per_second ? Json(std::round(*per_second * 1000.0) / 1000.0) : Json(nullptr);
}

const FlowInfo* flow_of(const BusInfo& bus, FlowKind kind) {
    for (const FlowInfo& flow : bus.flows) {
        if (flow.kind == kind) return &flow;
    }
    return nullptr;
}

std::optional<std::int64_t> av_skew_ns(const BusInfo& bus) {
    const FlowInfo* video = flow_of(bus, FlowKind::video);
    const FlowInfo* audio = flow_of(bus, FlowKind::audio);
    if (video == nullptr || audio == nullptr) return std::nullopt;
    if (!video->newest_pts_ns || !audio->newest_pts_ns || !video->newest_age_ns || !audio->newest_age_ns) {
        return std::nullopt;
    }
    // The figures come from shared memory: unsigned arithmetic, so that absurd ones wrap instead of overflowing.
    const auto position = [](const FlowInfo& flow) {
        return static_cast<std::uint64_t>(*flow.newest_pts_ns) + static_cast<std::uint64_t>(*flow.newest_age_ns);
    };
    return static_cast<std::int64_t>(position(*video) - position(*audio));
}

Json caps_json(FlowKind kind, const layout::Caps& caps) {
    if (kind == FlowKind::video) {
        const auto video = video_format_of(caps, SIZE_MAX);
        if (!video) return nullptr;
        return {{"format", name_of(video->format)}, {"width_px", video->width},  {"height_px", video->height},
                {"fps", format_fps(video->fps)},    {"fps_num", video->fps.num}, {"fps_den", video->fps.den}};
    }
    if (kind == FlowKind::audio) {
        const auto audio = audio_format_of(caps);
        if (!audio) return nullptr;
        return {{"format", name_of(audio->format)}, {"sample_rate_hz", audio->rate}, {"channels", audio->channels}};
    }
    if (kind == FlowKind::packets) {
        const auto packets = packet_format_of(caps);
        if (!packets) return nullptr;
        if (packets->width == 0) {
            return {
                {"codec", name_of(packets->codec)}, {"sample_rate_hz", packets->rate}, {"channels", packets->channels}};
        }
        return {{"codec", name_of(packets->codec)}, {"width_px", packets->width},  {"height_px", packets->height},
                {"fps", format_fps(packets->fps)},  {"fps_num", packets->fps.num}, {"fps_den", packets->fps.den}};
    }
    return {{"format", "json"}};
}

Json bus_summary_json(const BusInfo& bus) {
    return {{"name", bus.name},
            {"state", state_of(bus)},
            {"producer", bus.producer},
            {"pid", bus.writer_pid},
            {"uid", bus.owner_uid},
            {"mode", writer_mode_name(bus.writer_mode)},
            {"session", hex_id(bus.session)},
            {"uptime_ns", bus.age_ns},
            {"video", caps_of_kind(bus, FlowKind::video)},
            {"audio", caps_of_kind(bus, FlowKind::audio)},
            {"reader_count", bus.readers.size()},
            {"memory_bytes", memory_bytes(bus)},
            {"problems", bus.problems}};
}

Json bus_json(const BusInfo& bus) {
    Json json = bus_summary_json(bus);
    json["layout_major"] = bus.layout_major;
    json["layout_minor"] = bus.layout_minor;
    json["epoch_monotonic_ns"] = bus.epoch_ns;
    json["epoch_realtime_ns"] = bus.epoch_realtime_ns;
    json["flush_generation"] = bus.flush_generation;
    json["flush_index"] = flush_json(bus);
    json["av_skew_ns"] = or_null(av_skew_ns(bus));
    json["flows"] = Json::array();
    for (const FlowInfo& flow : bus.flows)
        json["flows"].push_back(flow_json(flow));
    json["readers"] = Json::array();
    for (const CellInfo& reader : bus.readers)
        json["readers"].push_back(reader_json(reader));
    return json;
}

Json record_json(FlowKind kind, const Record& record, std::int64_t age_ns) {
    Json json = {{"type", "record"},
                 {"flow", name_of(kind)},
                 {"index", record.index},
                 {"pts_ns", record.pts_ns},
                 {"dts_ns", record.dts_ns},
                 {"duration_ns", record.duration_ns},
                 {"media_index", record.media_index},
                 {"size_bytes", record.payload.size()},
                 {"capture_monotonic_ns", record.capture_time_ns},
                 {"age_ns", age_ns},
                 {"key", (record.flags & layout::kFlagKey) != 0},
                 {"config", (record.flags & layout::kFlagConfig) != 0},
                 {"discontinuity", (record.flags & layout::kFlagDiscontinuity) != 0},
                 {"explicit_pts", (record.flags & layout::kFlagExplicitPts) != 0}};
    if (kind == FlowKind::audio) json["samples"] = record.sample_count;
    if (kind == FlowKind::packets) json["stream_id"] = record.stream_id;
    if (kind == FlowKind::events) {
        const std::string_view text(reinterpret_cast<const char*>(record.payload.data()), record.payload.size());
        const Json event = Json::parse(text, nullptr, false);
        json["event"] = event.is_discarded() ? Json(sanitise(text, text.size())) : event;
    }
    return json;
}

std::string pretty(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string one_line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ringcast::tools
