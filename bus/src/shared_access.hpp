// SPDX-License-Identifier: Apache-2.0
/// Who besides the producer's user may read a bus: the modes and the group of what it puts under /dev/shm.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "ringcast/producer.hpp"

namespace ringcast {

class SharedAccess {
public:
    /// Throws Error(invalid_argument) for an unknown group or a mode that readers could damage the ring with.
    explicit SharedAccess(const ProducerOptions& options);

    [[nodiscard]] mode_t object_mode() const noexcept { return mode_; }
    /// Readers write their cell: whoever may read the ring may write the board.
    [[nodiscard]] mode_t board_mode() const noexcept { return mode_ | (mode_ & 0444U) >> 1U; }
    [[nodiscard]] mode_t liveness_mode() const noexcept { return mode_; }

    /// Gives the file to the group. Throws Error(permission) when this user may not.
    void apply(int fd, mode_t mode, const std::string& what) const;

private:
    mode_t mode_;
    std::optional<gid_t> group_;
    std::string group_name_;
};

}  // namespace ringcast
