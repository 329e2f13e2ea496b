// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <cstdint>
#include <span>
#include <string>

#include "hls/segment_names.hpp"

namespace ringcast::sink {

/// What a master playlist says of the one rendition there is.
struct Rendition {
    std::string codecs;      ///< RFC 6381: "avc1.64001f,mp4a.40.2"; empty: not known
    std::string resolution;  ///< "1280x720"; empty without a picture
    std::string frame_rate;  ///< "29.970"
};
Rendition rendition_of(std::span<const ringcast_sink_stream* const> streams);

/// Text of a master playlist with the media playlist `index.m3u8`; bits per second as Playlist counts them.
std::string master_playlist(const Rendition& rendition, SegmentType type, std::uint64_t peak_bps,
                            std::uint64_t average_bps);

}  // namespace ringcast::sink
