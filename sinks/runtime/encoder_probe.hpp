// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runtime/sink_options.hpp"

namespace ringcast::runtime {

struct EncoderProbe {
    std::string note;  ///< of a fallback at work; else empty
    Codec video{};     ///< what will be made
    Codec audio{};
};

/// Opens the encoders as these options ask, and closes them again: what cannot open is known when the sink is started,
/// not when the producer comes. Throws what VideoEncoder and AudioEncoder throw.
EncoderProbe probe_encoders(const SinkOptions& options);

}  // namespace ringcast::runtime
