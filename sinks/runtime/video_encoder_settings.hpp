// SPDX-License-Identifier: Apache-2.0
/// The sink's video options in the words of each family of encoders.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/encoder_open.hpp"
#include "runtime/sink_options.hpp"

namespace ringcast::runtime {

/// The output of one encoder.
struct VideoTarget {
    Size size;
    Rational fps{25, 1};
    std::uint32_t gop_frames = 1;
};

/// The software format the encoder is given: what `wanted` names, else yuv420p, else nv12, else the encoder's first.
/// Throws Error(invalid_argument) when the encoder does not take `wanted`.
AVPixelFormat choose_pixel_format(const AVCodecContext& context, const std::string& wanted);
/// True when the encoder takes pictures in the memory of a device only.
bool needs_upload(const AVCodecContext& context);

/// Fills `context` and `settings` but for the pixel format. Returns the bitrate that the stream is announced with; 0:
/// unknown. Throws Error(invalid_argument) for a preset, tune or profile the encoder does not have.
std::uint64_t apply_video_options(AVCodecContext& context, EncoderSettings& settings, const VideoOptions& options,
                                  const VideoTarget& target);

/// The same output by options.fallback: what only the first encoder understands is left away.
VideoOptions fallback_options(const VideoOptions& options);

}  // namespace ringcast::runtime
