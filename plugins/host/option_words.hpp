// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ringcast/sink.h"
#include "runtime/sink_options.hpp"

namespace ringcast::host {

struct SplitWords {
    runtime::SinkOptions sink;                                ///< defaults < the plugin's defaults < the words
    std::vector<std::pair<std::string, std::string>> plugin;  ///< for create()
};

/// Sorts "key=value" words, and at most one bare word for the plugin's main option, into the plugin's own options and
/// the host's. Throws UsageError: unknown key with the nearest name, a value that is not one of the choices, a bare
/// word that has no place.
SplitWords split_words(const ringcast_sink_plugin_v1& api, std::span<const std::string> words);

}  // namespace ringcast::host
