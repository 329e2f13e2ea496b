// SPDX-License-Identifier: Apache-2.0
#include "srt/srt_figures.hpp"

#include <algorithm>
#include <array>

namespace ringcast::sink {

using srt::SrtFigures;

namespace {

struct Figure {
    const char* name;
    std::int64_t SrtFigures::*value;
};

constexpr auto kMeasured = std::to_array<Figure>({
    {"rtt_us", &SrtFigures::rtt_us},
    {"bandwidth_bps", &SrtFigures::bandwidth_bps},
    {"send_rate_bps", &SrtFigures::send_rate_bps},
    {"send_buffer_ms", &SrtFigures::send_buffer_ms},
});
constexpr auto kCounted = std::to_array<Figure>({
    {"loss_packets", &SrtFigures::lost_packets},
    {"retransmitted_packets", &SrtFigures::retransmitted_packets},
    {"send_drop_packets", &SrtFigures::send_drop_packets},
});

}  // namespace

void add_counts(SrtFigures& sum, const SrtFigures& one) {
    for (const Figure& figure : kCounted)
        sum.*figure.value += one.*figure.value;
    sum.sent_bytes += one.sent_bytes;
}

void add_figures(SrtFigures& sum, const SrtFigures& one) {
    add_counts(sum, one);
    sum.rtt_us = std::max(sum.rtt_us, one.rtt_us);
    sum.send_buffer_ms = std::max(sum.send_buffer_ms, one.send_buffer_ms);
    // The narrowest way is the one to know of.
    const bool narrower = one.bandwidth_bps > 0 && one.bandwidth_bps < sum.bandwidth_bps;
    if (sum.bandwidth_bps == 0 || narrower) sum.bandwidth_bps = one.bandwidth_bps;
    sum.send_rate_bps += one.send_rate_bps;
}

void show_figures(const Host& host, const std::string& prefix, const SrtFigures& figures) {
    for (const Figure& figure : kMeasured)
        host.set_stat((prefix + figure.name).c_str(), figures.*figure.value);
    for (const Figure& figure : kCounted)
        host.set_stat((prefix + figure.name).c_str(), figures.*figure.value);
}

void withdraw_figures(const Host& host, const std::string& prefix, bool counts) {
    for (const Figure& figure : kMeasured)
        host.set_stat((prefix + figure.name).c_str(), RINGCAST_SINK_NO_STAT);
    if (!counts) return;
    for (const Figure& figure : kCounted)
        host.set_stat((prefix + figure.name).c_str(), RINGCAST_SINK_NO_STAT);
}

}  // namespace ringcast::sink
