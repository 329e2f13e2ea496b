// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runtime/sink_options.hpp"

namespace ringcast::runtime {

/// Opens the encoders as these options ask, and closes them again: what cannot open is known when the sink is started,
/// not when the producer comes. Returns the note of a fallback at work, or nothing. Throws what VideoEncoder and
/// AudioEncoder throw.
std::string probe_encoders(const SinkOptions& options);

}  // namespace ringcast::runtime
