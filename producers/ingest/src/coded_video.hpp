// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "coded_track.hpp"
#include "runtime/h264_avcc.hpp"

namespace ringcast::ingest {

/// H.264 and H.265, from Annex B or with lengths.
class CodedVideo final : public CodedTrack {
public:
    explicit CodedVideo(const AVStream& stream);
    bool convert(runtime::AVPacketPtr& packet, std::shared_ptr<const TrackFormat>& format) override;

private:
    using Bytes = std::vector<std::uint8_t>;
    using Unit = std::span<const std::uint8_t>;

    [[nodiscard]] bool is_h265() const { return codec_ == Codec::h265; }
    [[nodiscard]] unsigned type_of(Unit unit) const;
    [[nodiscard]] bool is_parameter_set(Unit unit) const;
    [[nodiscard]] bool is_delimiter(Unit unit) const;
    void take_extradata(Unit extradata);
    [[nodiscard]] std::vector<Unit> units_of(Unit bytes) const;
    void look_at(const AVPacket& packet);
    /// True when the parameter sets make another description than before.
    bool describe(const Bytes& sets);
    [[nodiscard]] std::shared_ptr<const TrackFormat> format() const;

    Codec codec_;
    Rational fps_;
    std::uint32_t width_ = 0;
    std::uint32_t height_ = 0;
    runtime::h264::SampleShape shape_;
    std::size_t length_bytes_ = 0;  ///< 0: Annex B
    Bytes sets_;                    ///< parameter sets in force, Annex B
    Bytes config_;                  ///< avcC or hvcC
    bool is_new_ = true;
    std::unique_ptr<AVCodecParserContext, ParserDeleter> parser_;
    runtime::AVCodecContextPtr context_;
};

}  // namespace ringcast::ingest
