// SPDX-License-Identifier: Apache-2.0
#include "file/writeback.hpp"

#include <fcntl.h>

#include <algorithm>

namespace ringcast::sink {

namespace {

constexpr unsigned kThrough = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

/// Where it fails, the fsync that follows tells.
void sync_range(int fd, std::int64_t at, std::int64_t bytes, unsigned how) noexcept {
    static_cast<void>(::sync_file_range(fd, at, bytes, how));
}

}  // namespace

void Writeback::reach(std::int64_t bytes) noexcept {
    for (; begun_ + kWritebackStep <= bytes; begun_ += kWritebackStep) {
        sync_range(fd_, begun_, kWritebackStep, SYNC_FILE_RANGE_WRITE);
        if (begun_ > 0) sync_range(fd_, begun_ - kWritebackStep, kWritebackStep, kThrough);
    }
}

bool write_back(int fd, std::int64_t bytes, const std::function<bool()>& go_on) {
    for (std::int64_t at = 0; at < bytes; at += kWritebackStep) {
        if (!go_on()) return false;
        sync_range(fd, at, std::min(kWritebackStep, bytes - at), kThrough);
    }
    return go_on();
}

}  // namespace ringcast::sink
