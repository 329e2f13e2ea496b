// SPDX-License-Identifier: Apache-2.0
#include "plugin_folders.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

namespace ringcast::host {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> shared_objects_in(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code ignored;  // a folder that is not there holds no plugins
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
        std::error_code error;
        if (entry.path().extension() == ".so" && entry.is_regular_file(error)) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

fs::path executable_folder() {
    std::error_code error;
    const fs::path executable = fs::read_symlink("/proc/self/exe", error);
    return error ? fs::path(".") : executable.parent_path();
}

std::vector<fs::path> plugin_folders() {
    std::vector<fs::path> folders;
    const char* list = std::getenv("RINGCAST_PLUGIN_PATH");
    std::string_view rest = list == nullptr ? std::string_view{} : std::string_view{list};
    while (!rest.empty()) {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        if (colon > 0) folders.push_back(fs::path(rest.substr(0, colon)).lexically_normal());
        rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    folders.push_back((executable_folder() / ".." / "lib" / "ringcast").lexically_normal());
    return folders;
}

std::vector<fs::path> plugin_files() {
    std::vector<fs::path> files;
    std::set<std::string> seen;
    for (const fs::path& folder : plugin_folders()) {
        for (const fs::path& file : shared_objects_in(folder)) {
            if (seen.insert(file.filename().string()).second) files.push_back(file);
        }
    }
    return files;
}

}  // namespace ringcast::host
