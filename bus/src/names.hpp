// SPDX-License-Identifier: Apache-2.0
/// Names of everything a bus puts under /dev/shm: ringcast.<bus>.<part>.
#pragma once

#include <string>
#include <string_view>

#include "ringcast/caps.hpp"

namespace ringcast {

inline constexpr const char* kShmDirectory = "/dev/shm";
inline constexpr std::string_view kNamePrefix = "ringcast.";
inline constexpr std::size_t kMaxBusName = 48;

/// Throws Error(invalid_argument) unless the name is 1..48 of [A-Za-z0-9_-].
void check_bus_name(const std::string& bus);
bool is_bus_name(std::string_view bus) noexcept;

std::string object_name(const std::string& bus, std::string_view part);  ///< for shm_open
std::string shm_path(const std::string& object);                         ///< the same as a file

inline std::string bus_object(const std::string& bus) {
    return object_name(bus, "bus");
}
inline std::string board_object(const std::string& bus) {
    return object_name(bus, "board");
}
inline std::string flow_object(const std::string& bus, FlowKind kind) {
    return object_name(bus, name_of(kind));
}
inline std::string bus_lock_path(const std::string& bus) {
    return shm_path(object_name(bus, "lock"));
}
inline std::string writer_lock_path(const std::string& bus, FlowKind kind) {
    return shm_path(flow_object(bus, kind) + ".lock");
}
inline std::string liveness_path(const std::string& bus, FlowKind kind) {
    return shm_path(flow_object(bus, kind) + ".live");
}

inline constexpr FlowKind kAllFlows[] = {FlowKind::video, FlowKind::audio, FlowKind::packets, FlowKind::events};

}  // namespace ringcast
