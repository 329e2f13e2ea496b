// SPDX-License-Identifier: Apache-2.0
/// What the inspector sees from outside: values only, sanitised, nothing mapped when the call returns.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/caps.hpp"
#include "ringcast/layout.hpp"

namespace ringcast {

struct FlowInfo {
    FlowKind kind{};
    std::uint64_t object_bytes = 0;
    std::uint64_t slot_count = 0;
    std::uint64_t arena_bytes = 0;
    std::uint64_t first_index = 0;
    std::uint64_t head = 0;
    std::uint64_t depth_ns = 0;
    std::uint64_t depth_wanted_ns = 0;
    std::uint64_t committed = 0;        ///< records that read committed now
    std::uint64_t payload_bytes = 0;    ///< of those records
    std::uint32_t caps_generation = 0;  ///< of the newest record, else of the object
    layout::Caps caps{};                ///< of the newest record, else of the object
    std::optional<std::int64_t> newest_pts_ns;
    std::optional<std::int64_t> newest_age_ns;  ///< now - capture time
    std::optional<std::int64_t> oldest_pts_ns;
    bool writer_alive = false;
    bool ended = false;
};

/// What a sink measures of itself.
struct GaugeInfo {
    std::uint64_t sent_bytes_per_second = 0;
    std::uint64_t encoded_mfps = 0;  ///< frames per 1000 s
    std::int64_t encode_p50_ns = 0;
    std::int64_t encode_p99_ns = 0;
    std::int64_t sent_frame_age_ns = 0;  ///< capture to delivery
    std::uint64_t late_samples = 0;
};

/// What a sink's plugin shows under a name of its own.
struct FigureInfo {
    std::string name;  ///< with its unit: "rtt_us"; "client.N.rtt_us" of one of many peers
    std::int64_t value = 0;
};
struct TextInfo {
    std::string name;
    std::string text;
};

struct CellInfo {
    unsigned cell = 0;
    std::uint32_t pid = 0;
    std::string name;
    std::string plugin;
    layout::SinkState state{};
    std::string reason;
    bool lossless = false;
    bool evicted = false;  ///< lossless, but it stood still: the writer does not wait for it any more
    std::array<std::uint64_t, layout::kFlowCount> cursor{};
    std::array<std::uint64_t, layout::kFlowCount> delivered{};
    std::array<std::uint64_t, layout::kFlowCount> overrun{};
    std::array<std::uint64_t, layout::kFlowCount> aborted{};
    std::uint64_t dropped_frames = 0;
    std::uint64_t repeated_frames = 0;
    std::uint64_t silence_samples = 0;
    std::uint64_t frames_encoded = 0;
    std::uint64_t bytes_sent = 0;
    std::int64_t lag_ns = 0;
    std::int64_t queue_ns = 0;
    std::int64_t output_pts_ns = 0;
    std::int64_t played_pts_ns = -1;
    std::uint64_t reconnects = 0;
    std::int64_t attached_ns = 0;
    std::int64_t updated_ns = 0;
    std::int64_t updated_age_ns = 0;  ///< now - updated_ns
    std::optional<GaugeInfo> gauges;  ///< none on a board made before layout 1.2
    std::vector<FigureInfo> figures;  ///< in the order of their places; none on a board made before layout 1.3
    std::vector<TextInfo> texts;
    std::uint32_t left_out = 0;  ///< figures and texts that have no place on the board
};

struct BusInfo {
    std::string name;
    std::string producer;
    std::uint64_t session = 0;
    std::uint32_t layout_major = 0;
    std::uint32_t layout_minor = 0;
    std::uint32_t writer_pid = 0;  ///< of the producer, or of the one that made the bus
    std::uint32_t owner_uid = 0;
    std::uint32_t writer_mode = 0;
    std::int64_t age_ns = 0;             ///< since created
    std::int64_t epoch_ns = 0;           ///< CLOCK_MONOTONIC of pts 0
    std::int64_t epoch_realtime_ns = 0;  ///< CLOCK_REALTIME of the same moment
    std::uint64_t flush_generation = 0;  ///< 0: never flushed
    std::array<std::uint64_t, layout::kFlowCount> flush_index{};
    bool alive = false;  ///< any writer lock held
    bool ended = false;
    std::vector<FlowInfo> flows;
    std::vector<CellInfo> readers;      ///< only cells whose lock is held
    std::vector<std::string> problems;  ///< damaged or unreadable objects, one line each
};

/// Names of all buses that have an object, live or stale, sorted.
std::vector<std::string> list_buses();
/// Throws Error(not_found) when nothing of that name is there; a damaged object is a line in `problems`.
BusInfo inspect_bus(const std::string& bus);

struct CleanedObject {
    std::string object;  ///< file name under /dev/shm
    std::uint64_t bytes = 0;
};
/// Removes objects of buses whose writers are gone (all buses, or one), under their locks, never racing a live open.
/// With dry_run only lists.
std::vector<CleanedObject> clean_buses(const std::optional<std::string>& bus, bool dry_run);

/// Control bytes and invalid UTF-8 replaced, cut at `max` bytes: fit for a terminal.
std::string sanitise(std::string_view text, std::size_t max = 256);

std::string_view name_of(layout::SinkState state);

}  // namespace ringcast
