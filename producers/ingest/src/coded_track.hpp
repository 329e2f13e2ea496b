// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" {
#include <libavformat/avformat.h>
}

#include "sample.hpp"

namespace ringcast::ingest {

/// The unit of all times on a bus.
inline constexpr AVRational kNanoseconds{1, 1'000'000'000};

/// A coding that a bus does not carry as packets.
class NotCarried : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct ParserDeleter {
    void operator()(AVCodecParserContext* parser) const noexcept { av_parser_close(parser); }
};

/// Takes the packets of one stream of a container and makes them what a bus carries: H.264 and H.265 with 4-byte
/// lengths, AAC without headers, and the description of both.
/// Life cycle: one per connection and stream. Thread safety: none.
class CodedTrack {
public:
    virtual ~CodedTrack() = default;

    /// False: this packet says nothing yet, as its description has not come. `format` is set where it is new.
    virtual bool convert(runtime::AVPacketPtr& packet, std::shared_ptr<const TrackFormat>& format) = 0;

    /// Throws NotCarried.
    static std::unique_ptr<CodedTrack> make(const AVStream& stream);
};

/// A frame rate as a bus can carry it, rounded where its numbers are too fine; 0/1 when it is none.
[[nodiscard]] Rational bus_fps(AVRational rate);

/// The frame rate as the container says it; 0/1 when it does not.
[[nodiscard]] Rational fps_of(const AVStream& stream);

/// A copy of what a decoder needs to know, for decode mode.
[[nodiscard]] std::shared_ptr<const TrackFormat> format_for_decoder(const AVStream& stream);

}  // namespace ringcast::ingest
