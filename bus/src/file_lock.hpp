// SPDX-License-Identifier: Apache-2.0
/// Liveness and exclusion by kernel locks (open file description locks), never by pid.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "system.hpp"

namespace ringcast {

/// Counts fork()s seen from inside the child: a handle made under another number belongs to the parent.
std::uint32_t fork_generation() noexcept;

/// A lock on a whole file or a byte range of it. The fd is closed in every forked child, so that the death of the
/// process that took the lock frees it even while a child lives.
class FileLock {
public:
    /// Opens or creates the file and locks it; nullopt when somebody else holds it. After locking the path is compared
    /// with the inode: a lock on an unlinked file is worth nothing and is taken again on the new one.
    static std::optional<FileLock> try_lock_file(const std::string& path, mode_t mode);
    /// The same, waiting; throws Error(busy) at the time-out.
    static FileLock lock_file(const std::string& path, mode_t mode, std::chrono::milliseconds timeout);
    /// Locks bytes of an existing file (a board cell) through a description of its own.
    static std::optional<FileLock> try_lock_range(const std::string& path, std::int64_t start, std::int64_t length);

    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock();

    /// Notes this process in the file, for the message a rival gets. Information only.
    void write_holder() const noexcept;
    [[nodiscard]] int fd() const noexcept;

private:
    explicit FileLock(int slot) noexcept : slot_(slot), generation_(fork_generation()) {}
    void release() noexcept;
    int slot_ = -1;                 // in the table of fds a forked child closes
    std::uint32_t generation_ = 0;  // a forked child's copy owns nothing: its slot may belong to a newer lock
};

/// Whether somebody holds a write lock on these bytes (length 0: the whole file). False when the file is not there.
bool is_locked(const std::string& path, std::int64_t start = 0, std::int64_t length = 0);
bool is_range_locked(int fd, std::int64_t start, std::int64_t length) noexcept;
/// The pid noted by write_holder(), 0 when unreadable.
pid_t noted_holder(const std::string& path);

}  // namespace ringcast
