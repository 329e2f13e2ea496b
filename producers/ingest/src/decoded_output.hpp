// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <optional>

#include "output.hpp"
#include "picture_writer.hpp"
#include "sound_writer.hpp"

namespace ringcast::ingest {

/// Packets decoded here, and put on the bus as pictures and sound.
///
/// The bus is opened when the formats of both tracks are known, or half a second of one of them has come alone. A track
/// that comes later is a new session of the bus.
class DecodedOutput final : public Output {
public:
    DecodedOutput(ProducerOptions options, Warn warn);
    void write(const Sample& sample) override;
    void discard() override;
    void end() override;
    [[nodiscard]] std::uint64_t frames() const override { return frames_; }

private:
    struct Decoded {
        Track track;
        runtime::AVFramePtr frame;
    };
    struct Decoder {
        runtime::AVCodecContextPtr context;
        std::shared_ptr<const TrackFormat> format;
        bool needs_key = true;
    };

    void open_decoder(Track track, const std::shared_ptr<const TrackFormat>& format);
    void decode(Track track, const AVPacket* packet);
    void take(Track track, runtime::AVFramePtr frame);
    void put(const Decoded& decoded);
    [[nodiscard]] bool may_open() const;
    [[nodiscard]] Rational fps() const;
    void open_bus();

    ProducerOptions options_;
    Warn warn_;
    std::array<Decoder, kTracks> decoders_;
    std::deque<Decoded> held_;  ///< before the bus is open
    std::array<bool, kTracks> has_come_{};
    std::unique_ptr<Producer> producer_;
    std::array<bool, kTracks> has_flow_{};
    PictureWriter picture_;
    SoundWriter sound_;
    std::uint64_t frames_ = 0;
    bool has_warned_ = false;
};

}  // namespace ringcast::ingest
