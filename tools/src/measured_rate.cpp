// SPDX-License-Identifier: Apache-2.0
#include "measured_rate.hpp"

#include <algorithm>

#include "ringcast/error.hpp"
#include "ringcast/reader.hpp"

namespace ringcast::tools {

namespace {

constexpr double kWindowNs = 1e9;

std::vector<Beat> beats_of(FlowReader& flow) {
    std::vector<Beat> beats;
    flow.seek_oldest();
    // A producer faster than this loop must not keep it busy for ever.
    for (std::uint64_t looked = 0; looked < flow.slot_count(); ++looked) {
        Beat beat;
        const ReadStatus status = flow.try_read([&](const Record& record) {
            beat = {.media_index = record.media_index,
                    .capture_time_ns = record.capture_time_ns,
                    .session = record.session};
        });
        if (status == ReadStatus::ok) beats.push_back(beat);
        if (status != ReadStatus::ok && status != ReadStatus::overrun) break;
    }
    return beats;
}

}  // namespace

std::optional<double> newest_rate(const std::vector<Beat>& beats) {
    if (beats.empty()) return std::nullopt;
    const Beat& newest = beats.back();
    // Times come from shared memory: as doubles, so that no difference overflows.
    const auto ns_before_newest = [&](const Beat& beat) {
        return static_cast<double>(newest.capture_time_ns) - static_cast<double>(beat.capture_time_ns);
    };
    const auto oldest = std::find_if(beats.begin(), beats.end(), [&](const Beat& beat) {
        return beat.session == newest.session && ns_before_newest(beat) <= kWindowNs;
    });
    const double elapsed_ns = ns_before_newest(*oldest);
    if (elapsed_ns <= 0 || newest.media_index <= oldest->media_index) return std::nullopt;
    return static_cast<double>(newest.media_index - oldest->media_index) * 1e9 / elapsed_ns;
}

MeasuredRates measure_rates(const std::string& bus) {
    MeasuredRates rates;
    try {
        const auto reader = BusReader::try_attach({.bus = bus, .name = "info", .plugin = {}, .on_board = false});
        if (!reader) return rates;
        for (const FlowKind kind : {FlowKind::video, FlowKind::audio}) {
            FlowReader* flow = reader->flow(kind);
            if (flow != nullptr) rates.per_second.at(static_cast<std::size_t>(kind)) = newest_rate(beats_of(*flow));
        }
    } catch (const Error&) {
        // inspect_bus() has already said what is wrong with this bus; a rate is only missing then.
    }
    return rates;
}

}  // namespace ringcast::tools
