// SPDX-License-Identifier: Apache-2.0
/// Lists plugins without running their code in the caller: each file is loaded by `ringcast-sink --probe` in a child.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ringcast::host {

struct ProbedOption {
    std::string key;
    std::optional<std::string> default_value;
    std::string help;
    std::string choices;  ///< "event|live"; empty: free text
};

struct ProbeResult {
    std::filesystem::path file;
    bool usable = false;
    std::string problem;  ///< one line; empty when usable
    std::string name;     ///< the rest is set only when usable
    std::string version;
    std::string summary;
    std::uint32_t abi_major = 0;
    std::uint32_t abi_minor = 0;
    bool takes_packets = false;
    bool takes_frames = false;
    bool can_hand_over = false;
    std::string main_option;  ///< empty: none
    std::vector<ProbedOption> options;
    std::vector<std::string> defaults;  ///< "key=value" for the host's own options
    std::string content_hash;           ///< SHA-256, hex
};

/// <folder of this executable>/ringcast-sink.
std::filesystem::path default_sink_executable();

/// One child, at most 5 s. A crash, a hang or a refusal is a `problem`, never an exception.
ProbeResult probe_plugin(const std::filesystem::path& file,
                         const std::filesystem::path& sink_executable = default_sink_executable());

/// Every file of plugin_files(), in that order.
std::vector<ProbeResult> probe_plugins(const std::filesystem::path& sink_executable = default_sink_executable());

}  // namespace ringcast::host
