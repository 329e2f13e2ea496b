// SPDX-License-Identifier: Apache-2.0
/// What `ringcast top` shows of one look at the buses, as text and as JSON. Pure: no look at the bus, no terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "bus_json.hpp"
#include "measured_rate.hpp"
#include "text.hpp"

namespace ringcast::tools {

struct BusLook {
    BusInfo info;
    MeasuredRates rates;
};

/// Frames (video) or samples (audio) per second; 0 once nothing came for two seconds; nothing when unknown.
std::optional<double> shown_rate(const FlowInfo& flow, const MeasuredRates& rates);
/// Of the payload at that rate.
std::optional<double> bits_per_second(const FlowInfo& flow, const MeasuredRates& rates);

/// Bytes per second of every reader, from two looks.
class ReaderSpeeds {
public:
    /// `now_ns` is CLOCK_MONOTONIC. On its first look a reader's speed is the mean since it was attached.
    void look(const std::vector<BusLook>& buses, std::int64_t now_ns);
    [[nodiscard]] std::optional<double> bytes_per_second(const BusInfo& bus, const CellInfo& reader) const;

private:
    using Key = std::tuple<std::uint64_t, unsigned, std::uint32_t, std::int64_t>;  // session, cell, pid, attached
    struct Seen {
        std::uint64_t bytes = 0;
        std::int64_t at_ns = 0;
        std::optional<double> speed;
    };
    static Key key_of(const BusInfo& bus, const CellInfo& reader) {
        return {bus.session, reader.cell, reader.pid, reader.attached_ns};
    }
    std::map<Key, Seen> seen_;
};

Json top_json(const std::vector<BusLook>& buses, const ReaderSpeeds& speeds, std::int64_t now_ns);
/// Lines with a newline each, at most screen.width columns wide.
std::string top_text(const std::vector<BusLook>& buses, const ReaderSpeeds& speeds, const std::string& absent,
                     const Screen& screen);

/// The line cut to `width` columns (0: none), colour codes counted as nothing and always switched off at the end.
std::string cut_line(std::string_view line, std::size_t width);

}  // namespace ringcast::tools
