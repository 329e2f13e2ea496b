// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "mux/unique_fd.hpp"

namespace ringcast::sink {

/// So much goes to the disk at a time: what nobody can interrupt takes a second or two on a slow disk, not minutes.
inline constexpr std::int64_t kWritebackStep = 16 * 1024 * 1024;

/// Puts what is written to a file on its disk while it is being written, step by step; an fsync at the end has little
/// left to do. Thread safety: none.
class Writeback {
public:
    explicit Writeback(int fd) : fd_(fd) {}

    /// So many bytes are written: begins with the whole steps among them, and waits for all but the last of those.
    void reach(std::int64_t bytes) noexcept;

private:
    int fd_;
    std::int64_t begun_ = 0;
};

/// Puts the first `bytes` of a file on the disk, step by step. False: `go_on`, asked between steps, said no.
bool write_back(int fd, std::int64_t bytes, const std::function<bool()>& go_on);

}  // namespace ringcast::sink
