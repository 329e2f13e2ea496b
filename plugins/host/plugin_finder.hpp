// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace ringcast::host {

/// A word with a slash or ending in ".so" is a path, anything else a name looked up in plugin_folders().
/// Throws PluginError: lists where it looked, what is there and the nearest name.
std::filesystem::path find_plugin(std::string_view name_or_path);

}  // namespace ringcast::host
