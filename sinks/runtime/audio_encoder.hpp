// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/audio_resampler.hpp"
#include "runtime/av_handles.hpp"
#include "runtime/packet.hpp"
#include "runtime/sink_options.hpp"

namespace ringcast::runtime {

/// One libavcodec encoder of AAC or Opus. Samples of any number in; packets with pts in samples out, the first one
/// initial_padding below the pts of the first sample. Not thread-safe.
class AudioEncoder {
public:
    /// Opens the encoder. Throws Error with one line that names the encoder, the option and the fix.
    explicit AudioEncoder(const AudioOptions& options, std::uint32_t stream_index = 1);

    [[nodiscard]] const StreamInfo& stream() const noexcept { return stream_; }

    /// The pts of the first sample, when it is not 0. Before the first encode().
    void set_first_pts(std::int64_t pts) noexcept { first_pts_ = pts; }

    /// Continues where the last call ended.
    void encode(const PlanarSamples& samples, const PacketHandler& handler);

    /// Gives what is left: the last frame is padded with silence for the encoder, its duration ends where the samples
    /// ended. Afterwards encode() is refused.
    void drain(const PacketHandler& handler);

    [[nodiscard]] std::uint64_t samples_in() const noexcept { return samples_in_; }

private:
    void send_frame(int samples, const PacketHandler& handler);
    void read_fifo(int samples);
    void receive_all(const PacketHandler& handler);

    AVCodecContextPtr codec_;
    AVAudioFifoPtr fifo_;
    AVFramePtr frame_;
    std::vector<float> planar_;  // for encoders that take the channels interleaved
    StreamInfo stream_;
    std::uint32_t stream_index_;
    std::int64_t first_pts_ = 0;
    std::uint64_t samples_in_ = 0;
    std::uint64_t samples_sent_ = 0;
    int frame_size_ = 0;
    bool drained_ = false;
};

}  // namespace ringcast::runtime
