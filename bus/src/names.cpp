// SPDX-License-Identifier: Apache-2.0
#include "names.hpp"

#include <algorithm>

#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"

namespace ringcast {

bool is_bus_name(std::string_view bus) noexcept {
    const auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !bus.empty() && bus.size() <= kMaxBusName && std::all_of(bus.begin(), bus.end(), is_allowed);
}

void check_bus_name(const std::string& bus) {
    if (!is_bus_name(bus)) {
        throw Error(ErrorCode::invalid_argument,
                    "bus name '" + sanitise(bus, 80) + "': use 1 to 48 letters, digits, '_' or '-'");
    }
}

std::string object_name(const std::string& bus, std::string_view part) {
    std::string name(kNamePrefix);
    name += bus;
    name += '.';
    name += part;
    return name;
}

std::string shm_path(const std::string& object) {
    return std::string(kShmDirectory) + "/" + object;
}

}  // namespace ringcast
