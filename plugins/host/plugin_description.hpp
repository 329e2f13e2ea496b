// SPDX-License-Identifier: Apache-2.0
/// What a loaded plugin says of itself, for people and programs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugin_loader.hpp"
#include "secret_options.hpp"

namespace ringcast::host {

struct DeclaredOption {
    std::string key;
    std::string value;  ///< default; meaningless when !has_value
    bool has_value = false;
    std::string help;
    std::string choices;
    Secrecy secrecy = Secrecy::none;
};

/// Copies of the plugin's declarations; text that a plugin left NULL is empty.
std::vector<DeclaredOption> declared_options(const ringcast_sink_plugin_v1& api);
std::vector<std::string> declared_defaults(const ringcast_sink_plugin_v1& api);

/// The defaults that hold for these words: of "KEY=VALUE if OPTION=WORD" the first half when the plugin's own OPTION
/// has that value. Throws Error(invalid_argument) when the plugin has no such option.
std::vector<std::string> defaults_for(const ringcast_sink_plugin_v1& api, std::span<const std::string> words);

/// The answer of `ringcast-sink --probe FILE --json`: one line.
std::string describe_as_json(const Plugin& plugin);
/// The same for a terminal.
std::string describe_as_text(const Plugin& plugin);

}  // namespace ringcast::host
