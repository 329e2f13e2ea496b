// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "ringcast/reader.hpp"
#include "runtime/audio_encoder.hpp"
#include "runtime/audio_resampler.hpp"
#include "runtime/timeline.hpp"

namespace ringcast::runtime {

/// The audio of one output: blocks copied from the ring at once, resampled and encoded where the timeline says.
/// One thread.
class AudioLane {
public:
    explicit AudioLane(const AudioOptions& options);

    /// Another bus counts from the start again; ids go on.
    void enter_bus(std::uint64_t cursor) { id_of_index_0_ = next_id_ - cursor; }
    [[nodiscard]] std::uint64_t id_of(std::uint64_t index) const { return index + id_of_index_0_; }

    /// Copies the record at the reader's cursor. A record comes out only when it was whole all the time.
    ReadStatus read(FlowReader& flow, std::optional<AudioRecord>& record);
    /// Blocks with lower ids are not needed any more.
    void forget_before(std::uint64_t id);

    void start_segment(const StartSegment& segment, const PacketHandler& handler);
    void copy(const CopySamples& samples, const PacketHandler& handler);
    void silence(const EmitSilence& samples, const PacketHandler& handler);
    /// Exactly `total_samples` in all, then everything the encoder holds.
    void finish(std::int64_t total_samples, const PacketHandler& handler);

    [[nodiscard]] std::size_t bytes_held() const noexcept { return bytes_held_; }
    [[nodiscard]] const StreamInfo& stream() const noexcept { return encoder_.stream(); }

private:
    struct Block {
        std::uint64_t id;
        std::uint32_t sample_bytes;  // of all channels
        std::vector<std::byte> samples;
    };

    std::uint32_t format_id_of(const AudioFormat& format);
    void end_segment(std::int64_t position);
    void encode_ready(const PacketHandler& handler);

    AudioResampler resampler_;
    AudioEncoder encoder_;
    std::deque<Block> blocks_;  // by rising id
    std::size_t bytes_held_ = 0;
    std::vector<AudioFormat> formats_;  // a format's id is its place here
    PlanarSamples ready_;
    std::int64_t segment_begin_ = 0;  // output samples before the open segment
    bool segment_open_ = false;
    std::uint64_t next_id_ = 1;
    std::uint64_t id_of_index_0_ = 1;
};

}  // namespace ringcast::runtime
