// SPDX-License-Identifier: Apache-2.0
/// Where plugins lie. Runs no plugin code.
#pragma once

#include <filesystem>
#include <vector>

namespace ringcast::host {

/// The folder of the running executable.
std::filesystem::path executable_folder();

/// $RINGCAST_PLUGIN_PATH (colon list, empty parts skipped), then <executable folder>/../lib/ringcast; normalised.
std::vector<std::filesystem::path> plugin_folders();

/// Every *.so in the folders, by folder then name. A name that an earlier folder has already hides the later file.
std::vector<std::filesystem::path> plugin_files();

}  // namespace ringcast::host
