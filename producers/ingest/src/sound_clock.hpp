// SPDX-License-Identifier: Apache-2.0
#pragma once

extern "C" {
#include <libavformat/avformat.h>
}

#include <cstdint>
#include <optional>

#include "coded_track.hpp"

namespace ringcast::ingest {

/// MPEG-TS stamps a run of sound packets once: the others stand where those before them end. One thread.
class SoundClock {
public:
    explicit SoundClock(const AVStream& stream);

    /// The time of this packet, in ns: `stamped_ns` when it has one. nullopt: nothing before it had.
    std::optional<std::int64_t> place(const AVPacket& packet, std::optional<std::int64_t> stamped_ns);
    /// How long the packet placed last is; 0 when its coding does not tell.
    [[nodiscard]] std::int64_t duration_ns() const noexcept;

private:
    void measure(const AVPacket& packet);

    std::unique_ptr<AVCodecParserContext, ParserDeleter> parser_;
    runtime::AVCodecContextPtr context_;
    std::optional<std::int64_t> stamp_ns_;
    std::uint64_t samples_ = 0;  ///< since the stamp
    std::uint32_t last_ = 0;     ///< samples of the packet placed last
};

}  // namespace ringcast::ingest
