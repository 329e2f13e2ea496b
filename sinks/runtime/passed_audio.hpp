// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "runtime/audio_lane.hpp"

namespace ringcast::runtime {

/// The sound of one output that comes encoded from the bus and is sent on as it is.
///
/// The timeline takes a packet for a block of as many samples as it decodes to; the packet leaves when the first of
/// them does, at its position. One whose first samples have no place is left out; silence is a hole. One thread.
class PassedAudio final : public AudioLane {
public:
    explicit PassedAudio(PassedStream stream);

    ReadStatus read(FlowReader& flow, std::optional<AudioRecord>& record) override;
    /// The same for who reads the flow anyway; nothing: not of this stream.
    std::optional<AudioRecord> take(const Record& record);
    void forget_before(std::uint64_t id) override;

    void start_segment(const StartSegment&, const PacketHandler&) override {}
    void copy(const CopySamples& samples, const PacketHandler& handler) override;
    void silence(const EmitSilence&, const PacketHandler&) override {}
    void finish(std::int64_t, const PacketHandler&) override {}

    [[nodiscard]] std::size_t bytes_held() const noexcept override { return bytes_held_; }
    [[nodiscard]] const StreamInfo& stream() const noexcept override { return info_; }
    [[nodiscard]] bool needs_new_output() const noexcept override { return changed_; }
    [[nodiscard]] std::optional<PassedStreams> next_streams() const override { return streams_; }

    /// How many samples a packet decodes to, from what its writer says: times in whole milliseconds are rounded to
    /// whole frames of the codec, none to one frame.
    [[nodiscard]] static std::uint32_t samples_of(const PacketFormat& format, std::int64_t duration_ns);

private:
    struct Unsent {
        std::uint64_t id;
        std::uint32_t samples;
        AVPacketPtr payload;
    };

    PassedStreams streams_;
    StreamInfo info_;
    std::deque<Unsent> packets_;  // by rising id
    std::size_t bytes_held_ = 0;
    std::uint64_t samples_read_ = 0;
    bool changed_ = false;
};

}  // namespace ringcast::runtime
