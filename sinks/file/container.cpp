// SPDX-License-Identifier: Apache-2.0
#include "file/container.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "mux/formats.hpp"

namespace ringcast::sink {

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
            return {.name = kMp4Muxer,
                    .seekable = true,
                    .options = {{"movflags", "frag_custom+delay_moov+default_base_moof"},
                                {"movie_timescale", kMovieTimescale}}};
        case Container::mkv:
            return {.name = kMatroskaMuxer, .seekable = true, .options = {{"cluster_time_limit", "1000"}}};
        case Container::ts:
            return transport_stream_format();
        case Container::flv:
            break;
    }
    return {.name = kFlvMuxer, .seekable = true, .options = {}};
}

}  // namespace ringcast::sink
