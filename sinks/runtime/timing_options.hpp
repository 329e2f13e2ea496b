// SPDX-License-Identifier: Apache-2.0
/// The rows of the host's option table that decide time: what happens when the producer falls behind, pauses or ends.
#pragma once

#include <span>
#include <string_view>

#include "runtime/sink_options.hpp"

namespace ringcast::runtime {

/// One option: its row for people, and what sets it; false when the value is not one of its own.
struct OptionEntry {
    OptionRow row;
    bool (*set)(SinkOptions& options, std::string_view value);
};

std::span<const OptionEntry> timing_options();

}  // namespace ringcast::runtime
