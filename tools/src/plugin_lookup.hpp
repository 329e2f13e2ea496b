// SPDX-License-Identifier: Apache-2.0
/// Plugin names and their files, without running plugin code.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ringcast::tools {

/// Names as `ringcast sink NAME` takes them, in the order of the folders.
std::vector<std::string> plugin_names();

/// A word with a slash or ending in ".so" is a path, anything else a name. Throws VerbError with near names.
std::filesystem::path find_plugin_file(const std::string& name_or_path);

}  // namespace ringcast::tools
