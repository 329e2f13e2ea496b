// SPDX-License-Identifier: Apache-2.0
#include "file_lock.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <mutex>
#include <thread>

#include "ringcast/error.hpp"

namespace ringcast {
namespace {

constexpr int kMaxLocks = 1024;
constexpr int kFree = -1;
constexpr int kReserved = -2;  // a slot taken by a lock whose fd is not open yet

/// The fds a forked child must close. Fixed and atomic: the child handler may only do async-signal-safe things.
struct LockTable {
    std::array<std::atomic<int>, kMaxLocks> fds;
    std::atomic<std::uint32_t> generation{0};
    std::mutex opening;  // held from open() to the store in the table, and across fork()

    LockTable() {
        for (auto& fd : fds)
            fd.store(kFree, std::memory_order_relaxed);
        pthread_atfork(&before_fork, &after_fork_parent, &after_fork_child);
    }
    static void before_fork();
    static void after_fork_parent();
    static void after_fork_child();
};

// Never destroyed: locks may be released by static destructors, and fork handlers cannot be taken back.
LockTable& table() {
    static auto* instance = new LockTable;
    return *instance;
}

void LockTable::before_fork() {
    table().opening.lock();
}
void LockTable::after_fork_parent() {
    table().opening.unlock();
}
void LockTable::after_fork_child() {
    LockTable& locks = table();
    for (auto& fd : locks.fds) {
        const int value = fd.exchange(kFree, std::memory_order_relaxed);
        if (value >= 0) ::close(value);
    }
    locks.generation.fetch_add(1, std::memory_order_relaxed);
    locks.opening.unlock();
}

int reserve_slot() {
    for (int slot = 0; slot < kMaxLocks; ++slot) {
        int expected = kFree;
        if (table().fds[static_cast<std::size_t>(slot)].compare_exchange_strong(expected, kReserved)) return slot;
    }
    throw Error(ErrorCode::system, "more than " + std::to_string(kMaxLocks) + " ringcast locks in one process");
}

void store_slot(int slot, int fd) noexcept {
    table().fds[static_cast<std::size_t>(slot)].store(fd, std::memory_order_relaxed);
}

struct flock write_lock(std::int64_t start, std::int64_t length) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = start;
    lock.l_len = length;
    return lock;
}

bool is_still_named(int fd, const std::string& path) {
    struct stat open_file {};
    struct stat named_file {};
    return ::fstat(fd, &open_file) == 0 && ::stat(path.c_str(), &named_file) == 0 &&
           open_file.st_ino == named_file.st_ino && open_file.st_dev == named_file.st_dev;
}

[[noreturn]] void fail_open(const std::string& path, int error) {
    throw Error(error == EACCES || error == EPERM ? ErrorCode::permission : ErrorCode::system,
                "lock file " + path + ": " + errno_text(error));
}

/// Opens and locks; -1 when somebody else holds the lock.
int open_and_lock(const std::string& path, int flags, mode_t mode, std::int64_t start, std::int64_t length) {
    for (;;) {
        FileDescriptor fd(::open(path.c_str(), flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, mode));
        if (!fd) fail_open(path, errno);
        struct flock lock = write_lock(start, length);
        if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
            if (errno == EAGAIN || errno == EACCES) return -1;
            fail_open(path, errno);
        }
        if (is_still_named(fd.get(), path)) {
            if ((flags & O_CREAT) != 0) ::fchmod(fd.get(), mode);
            return fd.release();
        }
        if ((flags & O_CREAT) == 0) return -1;
    }
}

}  // namespace

std::uint32_t fork_generation() noexcept {
    return table().generation.load(std::memory_order_relaxed);
}

std::optional<FileLock> FileLock::try_lock_file(const std::string& path, mode_t mode) {
    const std::lock_guard guard(table().opening);
    FileLock lock(reserve_slot());
    const int fd = open_and_lock(path, O_CREAT, mode, 0, 0);
    if (fd < 0) return std::nullopt;
    store_slot(lock.slot_, fd);
    return lock;
}

FileLock FileLock::lock_file(const std::string& path, mode_t mode, std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        if (auto lock = try_lock_file(path, mode)) return std::move(*lock);
        if (std::chrono::steady_clock::now() > deadline) {
            throw Error(ErrorCode::busy, "lock file " + path + " is held by another process (pid " +
                                             std::to_string(noted_holder(path)) + ")");
        }
        // Setup only; held for the milliseconds a bus is made or removed. A blocking lock could not keep the
        // opening mutex, and without that a fork could leak the fd.
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

std::optional<FileLock> FileLock::try_lock_range(const std::string& path, std::int64_t start, std::int64_t length) {
    const std::lock_guard guard(table().opening);
    FileLock lock(reserve_slot());
    const int fd = open_and_lock(path, 0, 0, start, length);
    if (fd < 0) return std::nullopt;
    store_slot(lock.slot_, fd);
    return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : slot_(std::exchange(other.slot_, -1)), generation_(other.generation_) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    if (this != &other) {
        release();
        slot_ = std::exchange(other.slot_, -1);
        generation_ = other.generation_;
    }
    return *this;
}

FileLock::~FileLock() {
    release();
}

int FileLock::fd() const noexcept {
    return slot_ < 0 ? -1 : table().fds[static_cast<std::size_t>(slot_)].load(std::memory_order_relaxed);
}

void FileLock::release() noexcept {
    if (slot_ < 0 || generation_ != fork_generation()) return;
    const int fd = table().fds[static_cast<std::size_t>(slot_)].exchange(kFree, std::memory_order_relaxed);
    if (fd >= 0) ::close(fd);
    slot_ = -1;
}

void FileLock::write_holder() const noexcept {
    char text[16] = {};
    const auto [end, error] = std::to_chars(text, text + sizeof(text) - 1, ::getpid());
    if (error != std::errc{}) return;
    *end = '\n';
    if (::ftruncate(fd(), 0) == 0) {
        [[maybe_unused]] const ssize_t written = ::pwrite(fd(), text, static_cast<std::size_t>(end - text) + 1, 0);
    }
}

bool is_range_locked(int fd, std::int64_t start, std::int64_t length) noexcept {
    // A read lock asked for conflicts with write locks only: a stranger's read lock does not look like a live writer.
    struct flock lock = write_lock(start, length);
    lock.l_type = F_RDLCK;
    return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
}

bool is_locked(const std::string& path, std::int64_t start, std::int64_t length) {
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    return fd && is_range_locked(fd.get(), start, length);
}

pid_t noted_holder(const std::string& path) {
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    char text[16] = {};
    if (!fd || ::pread(fd.get(), text, sizeof(text) - 1, 0) <= 0) return 0;
    pid_t pid = 0;
    std::from_chars(text, text + std::strlen(text), pid);
    return pid;
}

}  // namespace ringcast
