// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>

#include "output.hpp"

namespace ringcast::ingest {

/// Packets onto the packets flow, as they are.
class PacketOutput final : public Output {
public:
    PacketOutput(ProducerOptions options, Warn warn);
    void write(const Sample& sample) override;
    void discard() override {}
    void end() override { producer_.end(); }
    [[nodiscard]] std::uint64_t frames() const override { return frames_; }

private:
    void declare(const PacketStream& stream);
    void watch_sound(std::int64_t pts_ns);

    Producer producer_;
    Warn warn_;
    std::array<std::optional<PacketStream>, kTracks> declared_;
    std::optional<std::int64_t> first_sound_ns_;
    bool has_warned_ = false;
    bool waits_for_key_ = false;  ///< a picture was too large, and what follows needs it
    std::uint64_t frames_ = 0;
};

}  // namespace ringcast::ingest
