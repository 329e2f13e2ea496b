// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include "runtime/encoder_probe.hpp"

namespace ringcast::host {

/// Opens the encoders as probe_encoders() does. Throws UsageError when one makes what the plugin says it does not
/// carry, naming the option and the way out.
runtime::EncoderProbe probe_carried_encoders(const ringcast_sink_plugin_v1& api, const runtime::SinkOptions& options);

}  // namespace ringcast::host
