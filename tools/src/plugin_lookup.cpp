// SPDX-License-Identifier: Apache-2.0
#include "plugin_lookup.hpp"

#include "command.hpp"
#include "host/plugin_folders.hpp"
#include "suggest.hpp"

namespace ringcast::tools {

std::vector<std::string> plugin_names() {
    std::vector<std::string> names;
    for (const std::filesystem::path& file : host::plugin_files())
        names.push_back(file.stem().string());
    return names;
}

std::filesystem::path find_plugin_file(const std::string& name_or_path) {
    if (name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".so")) {
        if (std::filesystem::is_regular_file(name_or_path)) return std::filesystem::absolute(name_or_path);
        throw VerbError("no plugin file \"" + sanitise(name_or_path) + "\" is there");
    }
    for (const std::filesystem::path& file : host::plugin_files()) {
        if (file.stem() == name_or_path) return file;
    }
    const std::vector<std::string> near = nearest(name_or_path, plugin_names());
    throw VerbError(
        "no plugin \"" + sanitise(name_or_path, 64) + "\" is there; " +
        (near.empty() ? "see what is there with: ringcast plugins" : "did you mean " + quoted_list(near) + "?"));
}

}  // namespace ringcast::tools
