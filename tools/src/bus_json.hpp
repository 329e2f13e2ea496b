// SPDX-License-Identifier: Apache-2.0
/// JSON of the types the inspector returns, each in one place. Field names are stable and end in their unit; 64-bit ids
/// are hex strings, because JSON readers keep 53 bits of a number. docs/cli.md lists the fields.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ringcast/inspect.hpp"
#include "ringcast/reader.hpp"

namespace ringcast::tools {

using Json = nlohmann::ordered_json;

/// What a bus is, in one word: "starting" (its producer is reserving memory), "live", "ended" (the names are about to
/// go), "stale" (its producer is gone without end()), "damaged" (its bus object cannot be read).
std::string_view state_of(const BusInfo& bus);
std::string_view writer_mode_name(std::uint32_t mode);
std::string hex_id(std::uint64_t id);

std::uint64_t memory_bytes(const BusInfo& bus);
const FlowInfo* flow_of(const BusInfo& bus, FlowKind kind);
bool does_read(const CellInfo& reader, FlowKind kind);  ///< false for a flow it does not take part in

/// How far the newest video pts runs ahead of the newest audio pts, both brought to the same moment by their capture
/// times; negative: audio ahead. Nothing unless both flows hold records.
std::optional<std::int64_t> av_skew_ns(const BusInfo& bus);

Json caps_json(FlowKind kind, const layout::Caps& caps);  ///< null when the caps are not valid
Json bus_summary_json(const BusInfo& bus);                ///< what `ls` shows
Json bus_json(const BusInfo& bus);                        ///< the summary and all flows, readers and problems
Json gauges_json(const CellInfo& reader);                 ///< what a sink measures; null where its board cannot say
Json rate_json(std::optional<double> per_second);         ///< to a thousandth; null when unknown
Json record_json(FlowKind kind, const Record& record, std::int64_t age_ns);

/// Two-space indented with a newline; bytes that are no UTF-8 become U+FFFD.
std::string pretty(const Json& json);
/// The same on one line.
std::string one_line(const Json& json);

}  // namespace ringcast::tools
