// SPDX-License-Identifier: Apache-2.0
#include "stop_signal.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "command.hpp"

namespace ringcast::tools {

namespace {

// A signal handler has no `this`.
std::atomic<bool> stop_requested{false};
std::atomic<int> stop_fd{-1};
std::atomic<BusReader*> watched{nullptr};

void on_signal(int /*signal*/) {
    const int saved_errno = errno;
    stop_requested.store(true, std::memory_order_relaxed);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_fd.load(std::memory_order_relaxed), &one, sizeof one);
    if (BusReader* reader = watched.load(std::memory_order_acquire)) reader->interrupt();
    errno = saved_errno;
}

}  // namespace

StopSignal::StopSignal() {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) throw VerbError(std::string("cannot make an eventfd: ") + std::strerror(errno));
    stop_fd.store(fd);
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

StopSignal::~StopSignal() {
    watched.store(nullptr);
    close(stop_fd.exchange(-1));
}

bool StopSignal::requested() const noexcept {
    return stop_requested.load(std::memory_order_relaxed);
}

int StopSignal::fd() const noexcept {
    return stop_fd.load();
}

void StopSignal::watch(BusReader* reader) noexcept {
    watched.store(reader, std::memory_order_release);
}

}  // namespace ringcast::tools
