// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ringcast/caps.hpp"
#include "runtime/av_handles.hpp"

namespace ringcast::runtime {

/// Channels that a sink reads and encodes at most.
inline constexpr std::uint32_t kMostChannels = 8;

/// Samples of each channel apart, float, full scale 1.0.
class PlanarSamples {
public:
    explicit PlanarSamples(std::uint32_t channels = 0) : channels_(channels) {}

    [[nodiscard]] std::uint32_t channels() const noexcept { return static_cast<std::uint32_t>(channels_.size()); }
    [[nodiscard]] std::size_t size() const noexcept { return channels_.empty() ? 0 : channels_.front().size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::span<const float> channel(std::size_t index) const { return channels_[index]; }
    [[nodiscard]] float* channel_data(std::size_t index) { return channels_[index].data(); }

    void resize(std::size_t samples);  ///< new samples are silence
    void append_silence(std::size_t samples) { resize(size() + samples); }
    void append(const PlanarSamples& more);
    void drop_front(std::size_t samples);
    void clear() { resize(0); }

private:
    std::vector<std::vector<float>> channels_;
};

/// Interleaved samples of any rate and layout in, planar float of one rate and channel count out.
///
/// A segment is one run of input of one format. Output sample 0 of a segment stands at the time of its input sample 0.
/// What finish() leaves behind is exactly as long as asked, so rounding never adds up over segments; output before
/// that may trail the input by the filter's delay. Not thread-safe.
class AudioResampler {
public:
    AudioResampler(std::uint32_t output_rate, std::uint32_t output_channels);

    /// Begins a segment of this input format; an unfinished one is finished at its natural length, into `out`.
    void start(const AudioFormat& input, PlanarSamples& out);

    /// `interleaved` holds whole samples of all channels; output is appended to `out`.
    void push(std::span<const std::byte> interleaved, PlanarSamples& out);
    /// The same for `input_samples` samples of silence.
    void push_silence(std::uint64_t input_samples, PlanarSamples& out);

    /// Ends the segment: flushes the filter, then pads with silence or cuts so that the segment gave exactly
    /// `total_output` samples (never fewer than already given; returns how many it really gave).
    std::uint64_t finish(std::uint64_t total_output, PlanarSamples& out);
    /// The same with natural_output().
    std::uint64_t finish(PlanarSamples& out) { return finish(natural_output(), out); }

    /// round(input so far × output rate / input rate): what finish() would give.
    [[nodiscard]] std::uint64_t natural_output() const noexcept;
    [[nodiscard]] std::uint64_t input_samples() const noexcept { return input_samples_; }
    [[nodiscard]] std::uint64_t output_samples() const noexcept { return output_samples_; }
    [[nodiscard]] std::uint32_t output_rate() const noexcept { return output_rate_; }
    [[nodiscard]] std::uint32_t output_channels() const noexcept { return output_channels_; }

private:
    void convert(const std::uint8_t* input, std::uint64_t samples, PlanarSamples& out);

    std::uint32_t output_rate_;
    std::uint32_t output_channels_;
    AudioFormat input_{};
    bool open_ = false;
    SwrContextPtr swr_;
    std::uint64_t input_samples_ = 0;   // of this segment
    std::uint64_t output_samples_ = 0;  // of this segment
    std::vector<std::uint8_t> silence_;
};

}  // namespace ringcast::runtime
