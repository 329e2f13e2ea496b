// SPDX-License-Identifier: Apache-2.0
/// Loads one plugin into this process.
#pragma once

#include <filesystem>
#include <string>

#include "ringcast/sink.h"

namespace ringcast::host {

/// A loaded plugin.
/// Life cycle: load() maps a private copy of the file; it stays mapped until the process ends, because code of a plugin
/// may run in threads of its libraries at any time. Overwriting or removing the file changes nothing here.
/// Thread safety: immutable after load().
class Plugin {
public:
    /// Throws PluginError with one line: cannot read, not an ELF shared object, a library is missing, no
    /// `ringcast_sink_plugin`, built for another ABI major, a struct too short, a required call that is NULL.
    static Plugin load(const std::filesystem::path& file);

    [[nodiscard]] const ringcast_sink_plugin_v1& api() const noexcept { return api_; }
    [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }
    /// SHA-256 of the file's bytes, hex.
    [[nodiscard]] const std::string& content_hash() const noexcept { return hash_; }

private:
    Plugin() = default;

    ringcast_sink_plugin_v1 api_{};  // a copy: a longer struct of a newer minor is cut, never read past
    std::filesystem::path file_;
    std::string hash_;
};

}  // namespace ringcast::host
