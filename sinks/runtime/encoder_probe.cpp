// SPDX-License-Identifier: Apache-2.0
#include "runtime/encoder_probe.hpp"

#include "runtime/audio_encoder.hpp"
#include "runtime/video_encoder.hpp"

namespace ringcast::runtime {

EncoderProbe probe_encoders(const SinkOptions& options) {
    // Any size that every encoder takes, unless the output's is known already.
    const VideoEncoder video(options.video, options.video.size.value_or(Size{640, 360}),
                             options.video.fps.value_or(Rational{25, 1}));
    const AudioEncoder audio(options.audio);
    return {video.note(), video.stream().codec, audio.stream().codec};
}

}  // namespace ringcast::runtime
