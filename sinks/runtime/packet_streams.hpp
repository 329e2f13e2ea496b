// SPDX-License-Identifier: Apache-2.0
/// What a packets flow carries: the streams that a sink sends on without encoding them again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/reader.hpp"
#include "runtime/av_handles.hpp"

namespace ringcast::runtime {

/// One elementary stream as its configuration records describe it.
struct PassedStream {
    std::uint32_t id = 0;
    PacketFormat format;
    std::vector<std::uint8_t> config;  ///< avcC, hvcC, AudioSpecificConfig or OpusHead
};

/// The first of each kind.
struct PassedStreams {
    std::optional<PassedStream> video;
    std::optional<PassedStream> audio;

    /// Takes a configuration record; others say nothing of the streams. True: that stream is not coded as before.
    bool take(const Record& record);
    /// Reads on to the first packet that stands behind a description of its video; what comes before cannot be
    /// decoded. False: it is not there yet. Throws Error(unsupported) for a stream that cannot be sent on.
    bool read_descriptions(FlowReader& flow, const std::string& bus);
    /// The same for who needs the sound only.
    bool read_sound_description(FlowReader& flow);
};

[[nodiscard]] bool is_video(Codec codec);
[[nodiscard]] AVPacketPtr copy_payload(const Record& record);

}  // namespace ringcast::runtime
