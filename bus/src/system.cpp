// SPDX-License-Identifier: Apache-2.0
#include "system.hpp"

#include <linux/futex.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>
#include <system_error>

#include "ringcast/error.hpp"

namespace ringcast {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::int64_t clock_ns(clockid_t clock) noexcept {
    timespec now{};
    clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * kNsPerSecond + now.tv_nsec;
}

}  // namespace

void FileDescriptor::reset() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

std::string errno_text(int error) {
    return std::generic_category().message(error);
}

std::int64_t monotonic_ns() noexcept {
    return clock_ns(CLOCK_MONOTONIC);
}
std::int64_t realtime_ns() noexcept {
    return clock_ns(CLOCK_REALTIME);
}

std::uint64_t random_session() {
    std::uint64_t session = 0;
    while (session == 0) {
        if (::getrandom(&session, sizeof(session), 0) != static_cast<ssize_t>(sizeof(session))) {
            throw Error(ErrorCode::system, "getrandom: " + errno_text(errno));
        }
    }
    return session;
}

void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                std::chrono::nanoseconds timeout) noexcept {
    if (timeout.count() <= 0) return;
    const timespec relative{static_cast<time_t>(timeout.count() / kNsPerSecond),
                            static_cast<long>(timeout.count() % kNsPerSecond)};
    ::syscall(SYS_futex, &word, FUTEX_WAIT, expected, &relative, nullptr, 0);
}

void futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept {
    ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace ringcast
