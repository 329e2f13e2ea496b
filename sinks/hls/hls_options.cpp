// SPDX-License-Identifier: Apache-2.0
#include "hls/hls_options.hpp"

#include <charconv>
#include <chrono>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

using namespace std::chrono_literals;

namespace {

// Players start three segments behind the end (RFC 8216, 6.3.3): with fewer they start where segments are going.
constexpr std::size_t kLeastWindow = 3;
constexpr std::size_t kMostWindow = 100'000;

std::size_t window_of(const Options& options) {
    const std::string text = options.text("window");
    std::size_t window = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), window);
    if (error != std::errc{} || end != text.data() + text.size() || window < kLeastWindow || window > kMostWindow) {
        throw SinkError(RINGCAST_SINK_E_CONFIG, "option window=" + text + ": must be a number of segments from " +
                                                    std::to_string(kLeastWindow) + " to " +
                                                    std::to_string(kMostWindow) + ", such as window=6");
    }
    return window;
}

}  // namespace

HlsOptions read_hls_options(const Options& options) {
    const bool live = options.choice("mode", "event|live") == "live";
    const bool fmp4 = options.choice("segment_type", "ts|fmp4") == "fmp4";
    if (options.text("dir").empty()) {
        throw SinkError(RINGCAST_SINK_E_CONFIG, "option dir= is empty: name a folder, such as dir=/srv/hls");
    }
    return {.dir = options.text("dir"),
            .listen = options.text("listen"),
            .form = {.mode = live ? HlsMode::live : HlsMode::event,
                     .names = {options.text("segment_name"), fmp4 ? SegmentType::fmp4 : SegmentType::ts},
                     .segment_us = std::chrono::microseconds(options.duration("segment", 500ms, 60s)).count(),
                     .window = window_of(options)}};
}

}  // namespace ringcast::sink
