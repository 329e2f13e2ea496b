// SPDX-License-Identifier: Apache-2.0
/// What `ringcast doctor` looks at. Each check looks once, changes nothing, and says at least one finding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ringcast::tools {

enum class Level { ok, warning, error };

struct Finding {
    Level level = Level::ok;
    std::string what;
    std::string fix;  ///< a command, or what to do; empty when nothing is wrong
};
using Findings = std::vector<Finding>;

struct ShmFacts {
    bool present = false;
    bool writable = false;
    bool read_only_mount = false;
    std::uint64_t total_bytes = 0;
    std::uint64_t free_bytes = 0;
    bool in_container = false;
};
ShmFacts look_at_shm();

Findings check_shm(const ShmFacts& facts);
Findings check_limits();
/// Stale, damaged and foreign objects; of one bus, or of all.
Findings check_buses(const std::optional<std::string>& bus);
Findings check_plugins();
Findings check_encoders();
Findings check_speech();

}  // namespace ringcast::tools
