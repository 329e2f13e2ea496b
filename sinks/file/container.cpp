// SPDX-License-Identifier: Apache-2.0
#include "file/container.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace ringcast::sink {

namespace {

// Half of the second before the first picture is kTsShiftUs, half the muxer's own delay (2 x max_delay).
constexpr int kTsMaxDelayUs = 250'000;

}  // namespace

std::optional<Container> container_of(const std::filesystem::path& path) {
    std::string extension = path.extension();
    std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
    if (extension == ".mp4") return Container::mp4;
    if (extension == ".mkv") return Container::mkv;
    if (extension == ".ts") return Container::ts;
    if (extension == ".flv") return Container::flv;
    return std::nullopt;
}

Muxer::Format recording_format(Container container) {
    switch (container) {
        case Container::mp4:
            // delay_moov: the moov waits for the first fragment, so that the edit list that hides the AAC priming is
            // right.
            return {.name = "mp4",
                    .seekable = true,
                    .options = {{"movflags", "frag_custom+delay_moov+default_base_moof"},
                                {"movie_timescale", kMovieTimescale}}};
        case Container::mkv:
            return {.name = "matroska", .seekable = true, .options = {{"cluster_time_limit", "1000"}}};
        case Container::ts:
            return {.name = "mpegts", .seekable = false, .max_delay_us = kTsMaxDelayUs, .options = {}};
        case Container::flv:
            break;
    }
    return {.name = "flv", .seekable = true, .options = {}};
}

}  // namespace ringcast::sink
