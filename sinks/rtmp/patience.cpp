// SPDX-License-Identifier: Apache-2.0
#include "rtmp/patience.hpp"

#include <poll.h>
#include <ringcast/sink.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

StopSignal::StopSignal() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!event_) throw SinkError(RINGCAST_SINK_E_INTERNAL, "eventfd: " + system_text(errno));
}

void StopSignal::set() noexcept {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(event_.get(), &one, sizeof one));
}

void StopSignal::clear() noexcept {
    std::uint64_t times = 0;
    static_cast<void>(!::read(event_.get(), &times, sizeof times));
}

bool StopSignal::is_set() const noexcept {
    pollfd look{event_.get(), POLLIN, 0};
    return ::poll(&look, 1, 0) == 1;
}

milliseconds Patience::left() const {
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(end_ - steady_clock::now()));
}

void Patience::check(const std::string& what) const {
    if (stop_.is_set()) throw SinkError(RINGCAST_SINK_E_INTERRUPTED, "stopped while " + what);
    if (left().count() == 0) {
        throw SinkError(RINGCAST_SINK_E_TRANSIENT, "no answer within " + seconds_text(limit_) + " while " + what);
    }
}

bool Patience::wait(int fd, short events, const std::string& what, double share) const {
    const auto part = milliseconds(static_cast<std::int64_t>(static_cast<double>(left().count()) * share));
    const auto until = steady_clock::now() + part;
    for (;;) {
        check(what);
        const auto rest = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        if (rest.count() <= 0) return false;
        std::array<pollfd, 2> fds{{{fd, events, 0}, {stop_.fd(), POLLIN, 0}}};
        const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(rest.count()));
        if (ready < 0 && errno != EINTR) throw SinkError(RINGCAST_SINK_E_INTERNAL, "poll: " + system_text(errno));
        if (ready > 0 && fds[0].revents != 0) return true;
    }
}

std::string seconds_text(milliseconds time) {
    if (time.count() % 1000 == 0) return std::to_string(time.count() / 1000) + " s";
    return std::to_string(time.count()) + " ms";
}

}  // namespace ringcast::sink
