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
#include "runtime/packet_streams.hpp"
#include "runtime/timeline.hpp"

namespace ringcast::runtime {

/// The sound of one output, from the records of a flow to packets. One thread.
class AudioLane {
public:
    AudioLane() = default;
    AudioLane(const AudioLane&) = delete;
    AudioLane& operator=(const AudioLane&) = delete;
    virtual ~AudioLane() = default;

    /// Another bus counts from the start again; ids go on.
    void enter_bus(std::uint64_t cursor) { id_of_index_0_ = next_id_ - cursor; }
    [[nodiscard]] std::uint64_t id_of(std::uint64_t index) const { return index + id_of_index_0_; }

    /// Copies the record at the reader's cursor. A record comes out only when it was whole all the time.
    virtual ReadStatus read(FlowReader& flow, std::optional<AudioRecord>& record) = 0;
    /// Blocks with lower ids are not needed any more.
    virtual void forget_before(std::uint64_t id) = 0;

    virtual void start_segment(const StartSegment& segment, const PacketHandler& handler) = 0;
    virtual void copy(const CopySamples& samples, const PacketHandler& handler) = 0;
    virtual void silence(const EmitSilence& samples, const PacketHandler& handler) = 0;
    /// Exactly `total_samples` in all, then everything that is held.
    virtual void finish(std::int64_t total_samples, const PacketHandler& handler) = 0;

    [[nodiscard]] virtual std::size_t bytes_held() const noexcept = 0;
    [[nodiscard]] virtual const StreamInfo& stream() const noexcept = 0;
    /// As VideoLane has them.
    [[nodiscard]] virtual bool needs_new_output() const noexcept { return false; }
    [[nodiscard]] virtual std::optional<PassedStreams> next_streams() const { return std::nullopt; }

protected:
    std::uint64_t next_id_ = 1;

private:
    std::uint64_t id_of_index_0_ = 1;
};

/// Blocks copied from the ring at once, resampled and encoded where the timeline says.
class EncodedAudio final : public AudioLane {
public:
    explicit EncodedAudio(const AudioOptions& options);

    ReadStatus read(FlowReader& flow, std::optional<AudioRecord>& record) override;
    void forget_before(std::uint64_t id) override;

    void start_segment(const StartSegment& segment, const PacketHandler& handler) override;
    void copy(const CopySamples& samples, const PacketHandler& handler) override;
    void silence(const EmitSilence& samples, const PacketHandler& handler) override;
    void finish(std::int64_t total_samples, const PacketHandler& handler) override;

    [[nodiscard]] std::size_t bytes_held() const noexcept override { return bytes_held_; }
    [[nodiscard]] const StreamInfo& stream() const noexcept override { return encoder_.stream(); }

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
};

}  // namespace ringcast::runtime
