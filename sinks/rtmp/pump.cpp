// SPDX-License-Identifier: Apache-2.0
#include "rtmp/pump.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <ringcast/sink.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

using std::chrono::steady_clock;

namespace {

// Small, like the unsent bytes in the kernel: what waits shall wait in the host's queue, where it can be dropped.
constexpr std::size_t kOutgoingBytes = 8 * 1024;
constexpr int kSocketPairBytes = 8 * 1024;
// What a server may say ahead of our reading. Publishers hear a few hundred bytes a minute.
constexpr std::size_t kIncomingBytes = 256 * 1024;

bool is_later(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Pump::Pump(Transport transport, const StopSignal& stop, std::atomic<std::uint64_t>& sent)
    : transport_(std::move(transport)), stop_(stop), sent_(sent) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw SinkError(RINGCAST_SINK_E_INTERNAL, "socketpair: " + system_text(errno));
    }
    near_ = UniqueFd(ends[0]);
    far_ = UniqueFd(ends[1]);
    ::setsockopt(near_.get(), SOL_SOCKET, SO_SNDBUF, &kSocketPairBytes, sizeof kSocketPairBytes);
    thread_ = std::thread([this] { run(); });
}

Pump::~Pump() {
    if (!thread_.joinable()) return;
    stop_at(steady_clock::now());
    thread_.join();
}

void Pump::finish() {
    thread_.join();
}

void Pump::stop_at(steady_clock::time_point end) {
    stop_at_ = end;
    wake_.set();
}

PumpEnd Pump::end() const {
    const std::scoped_lock lock(mutex_);
    return end_;
}

std::string Pump::reason() const {
    const std::scoped_lock lock(mutex_);
    return system_text(error_);
}

void Pump::run() {
    while (carry()) {
    }
    // Whoever waits at the near end sees the end only after it is known how it came.
    ::shutdown(far_.get(), SHUT_RDWR);
}

/// Notes how it ended; the first answer stands. Always false, for `return over(...)`.
bool Pump::over(PumpEnd end, int error) {
    {
        const std::scoped_lock lock(mutex_);
        if (end_ == PumpEnd::open) {
            end_ = end;
            error_ = error;
        }
    }
    changed_.notify_all();
    return false;
}

void Pump::set_congested(bool congested) {
    if (congested_ == congested) return;
    {
        const std::scoped_lock lock(mutex_);
        congested_ = congested;
    }
    changed_.notify_all();
}

void Pump::wait_while_congested() {
    if (!congested_) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !congested_ || end_ != PumpEnd::open; });
}

bool Pump::is_taken() const {
    int here = 0;
    int under_way = 0;
    return !congested_ && ::ioctl(far_.get(), FIONREAD, &here) == 0 && here == 0 &&
           ::ioctl(transport_.fd(), SIOCOUTQ, &under_way) == 0 && under_way == 0;
}

/// One round; false: the connection is over.
bool Pump::carry() {
    short far = 0;
    short network = 0;
    if (!wait(far, network)) return false;
    if (network != 0 && !receive()) return false;
    if (!incoming_.empty() && !hand_in()) return false;
    if (peer_closed_ && incoming_.empty()) return over(near_closed_ ? PumpEnd::finished : PumpEnd::peer_closed);
    if (far != 0 && outgoing_.empty() && !take_outgoing()) return false;
    return outgoing_.empty() || send_outgoing();
}

bool Pump::wait(short& far, short& network) {
    const bool takes = outgoing_.empty() && !near_closed_;
    const bool hears = incoming_.size() < kIncomingBytes && !peer_closed_;
    far = static_cast<short>((takes ? POLLIN : 0) | (incoming_.empty() ? 0 : POLLOUT));
    network = static_cast<short>((hears ? POLLIN : 0) | (outgoing_.empty() ? 0 : POLLOUT));
    std::array<pollfd, 4> fds{{{far == 0 ? -1 : far_.get(), far, 0},
                               {network == 0 ? -1 : transport_.fd(), network, 0},
                               {stop_.fd(), POLLIN, 0},
                               {wake_.fd(), POLLIN, 0}}};
    const bool ready = hears && transport_.has_received();
    if (::poll(fds.data(), fds.size(), ready ? 0 : timeout_ms()) < 0 && errno != EINTR) {
        return over(PumpEnd::broken_inside, errno);
    }
    if (fds[3].revents != 0) wake_.clear();
    if (fds[2].revents != 0) return over(PumpEnd::interrupted);
    if (steady_clock::now() >= stop_at_.load()) return over(PumpEnd::timed_out);
    far = fds[0].revents;
    network = hears && (ready || fds[1].revents != 0) ? POLLIN : 0;
    return true;
}

int Pump::timeout_ms() const {
    const auto end = stop_at_.load();
    if (end == steady_clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
}

bool Pump::take_outgoing() {
    outgoing_.resize(kOutgoingBytes);
    const ssize_t count = ::recv(far_.get(), outgoing_.data(), outgoing_.size(), MSG_DONTWAIT);
    outgoing_.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    outgoing_at_ = 0;
    if (count > 0) return true;
    if (count < 0) return is_later(errno) || over(PumpEnd::broken_inside, errno);
    near_closed_ = true;
    incoming_.clear();
    transport_.finish_sending();
    return true;
}

bool Pump::send_outgoing() {
    const std::span<const std::uint8_t> rest = std::span(outgoing_).subspan(outgoing_at_);
    const ssize_t count = transport_.send(rest);
    const int error = errno;
    set_congested(count < static_cast<ssize_t>(rest.size()));
    if (count < 0) return is_later(error) || over(PumpEnd::lost, error);
    sent_ += static_cast<std::uint64_t>(count);
    outgoing_at_ += static_cast<std::size_t>(count);
    if (outgoing_at_ == outgoing_.size()) outgoing_.clear();
    return true;
}

bool Pump::receive() {
    std::array<std::uint8_t, 4096> bytes{};
    const ssize_t count = transport_.receive(bytes);
    if (count < 0) return is_later(errno) || over(PumpEnd::lost, errno);
    peer_closed_ = count == 0;
    // After our own end only the server's end matters: waiting for it keeps what we sent from being thrown away.
    if (!near_closed_) incoming_.insert(incoming_.end(), bytes.begin(), bytes.begin() + count);
    return true;
}

bool Pump::hand_in() {
    const ssize_t count = ::send(far_.get(), incoming_.data(), incoming_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && (errno == EPIPE || near_closed_)) {
        incoming_.clear();
        return true;
    }
    if (count < 0) return is_later(errno) || over(PumpEnd::broken_inside, errno);
    incoming_.erase(incoming_.begin(), incoming_.begin() + count);
    return true;
}

}  // namespace ringcast::sink
