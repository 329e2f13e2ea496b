// SPDX-License-Identifier: Apache-2.0
#include "plugin_finder.hpp"

#include <string>
#include <system_error>
#include <vector>

#include "plugin_error.hpp"
#include "plugin_folders.hpp"
#include "runtime/option_values.hpp"

namespace ringcast::host {
namespace fs = std::filesystem;
namespace {

std::string refusal(std::string_view name) {
    const std::vector<fs::path> files = plugin_files();
    std::vector<std::string> names;
    for (const fs::path& file : files)
        names.push_back(file.stem().string());
    const std::vector<std::string_view> views(names.begin(), names.end());

    std::string text = "no plugin '" + std::string(name) + "'";
    if (const std::string_view nearest = runtime::nearest_name(name, views); !nearest.empty()) {
        text += " (did you mean '" + std::string(nearest) + "'?)";
    }
    text += "; looked in";
    for (const fs::path& folder : plugin_folders())
        text += " " + folder.string();
    text += names.empty() ? ", which hold none" : ", which hold";
    for (const std::string& found : names)
        text += " " + found;
    return text;
}

}  // namespace

fs::path find_plugin(std::string_view name_or_path) {
    std::error_code error;
    if (name_or_path.find('/') != std::string_view::npos || name_or_path.ends_with(".so")) {
        const fs::path path(name_or_path);
        if (fs::is_regular_file(path, error)) return path;
        throw PluginError("no plugin file " + path.string() +
                          (error ? ": " + error.message() : ": not a regular file"));
    }
    for (const fs::path& folder : plugin_folders()) {
        const fs::path path = folder / (std::string(name_or_path) + ".so");
        if (fs::is_regular_file(path, error)) return path;
    }
    throw PluginError(refusal(name_or_path));
}

}  // namespace ringcast::host
