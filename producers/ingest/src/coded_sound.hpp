// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "coded_track.hpp"

namespace ringcast::ingest {

/// AAC, with ADTS headers or without, and Opus.
class CodedSound final : public CodedTrack {
public:
    explicit CodedSound(const AVStream& stream);
    bool convert(runtime::AVPacketPtr& packet, std::shared_ptr<const TrackFormat>& format) override;

private:
    using Bytes = std::vector<std::uint8_t>;
    void describe(std::span<const std::uint8_t> config);
    bool strip_adts(AVPacket& packet);

    Codec codec_;
    Bytes config_;
    std::uint32_t core_rate_ = 0;
    std::uint32_t rate_ = 0;
    std::uint32_t channels_ = 0;
    bool is_new_ = false;
};

}  // namespace ringcast::ingest
