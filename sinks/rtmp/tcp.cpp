// SPDX-License-Identifier: Apache-2.0
#include "rtmp/tcp.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <ringcast/sink.h>
#include <sys/socket.h>

#include <cerrno>
#include <ctime>
#include <memory>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

// At 1 Mb/s this is 130 ms.
constexpr int kUnsentBytes = 16 * 1024;

struct AddressesDeleter {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesDeleter>;

/// A look-up in libc's own thread: one that waits for a dead name server can be left behind.
class LookUp {
public:
    LookUp(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {
        hints_.ai_family = AF_UNSPEC;
        hints_.ai_socktype = SOCK_STREAM;
        request_.ar_name = host_.c_str();
        request_.ar_service = port_.c_str();
        request_.ar_request = &hints_;
    }

    [[nodiscard]] Addresses run(const Patience& patience, const std::string& what) {
        gaicb* list[] = {&request_};
        if (const int error = ::getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr); error != 0) fail(error);
        for (;;) {
            const int error = ::gai_error(&request_);
            if (error == 0) return Addresses(request_.ar_result);
            if (error != EAI_INPROGRESS) fail(error);
            patience.check(what);
            constexpr timespec kSlice{0, 50'000'000};
            ::gai_suspend(list, 1, &kSlice);
        }
    }

    /// True: libc will not touch this object any more.
    [[nodiscard]] bool is_over() {
        return ::gai_error(&request_) != EAI_INPROGRESS || ::gai_cancel(&request_) == EAI_CANCELED;
    }

private:
    [[noreturn]] void fail(int error) const {
        throw SinkError(RINGCAST_SINK_E_TRANSIENT, "cannot find the host " + host_ + ": " + ::gai_strerror(error) +
                                                       "; check url= and this machine's network");
    }

    std::string host_;
    std::string port_;
    addrinfo hints_{};
    gaicb request_{};
};

/// nullptr: the host is no address, and has to be looked up.
Addresses read_address(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return nullptr;
    return Addresses(found);
}

Addresses find_addresses(const std::string& host, std::uint16_t port, const Patience& patience) {
    if (Addresses address = read_address(host, port)) return address;
    const std::string what = "looking up the host " + host;
    auto look_up = std::make_unique<LookUp>(host, std::to_string(port));
    try {
        return look_up->run(patience, what);
    } catch (...) {
        // libc still writes to a request it cannot cancel: such a one is left to it.
        if (!look_up->is_over()) static_cast<void>(look_up.release());
        throw;
    }
}

void set_option(int fd, int level, int name, int value) {
    ::setsockopt(fd, level, name, &value, sizeof value);
}

/// An errno value, 0 when connected, ETIMEDOUT when the share of the time is used up.
int try_address(const addrinfo& address, const Patience& patience, double share, const std::string& what,
                UniqueFd& out) {
    UniqueFd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
    if (!fd) return errno;
    set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytes);
    set_option(fd.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
    if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0) {
        if (errno != EINPROGRESS) return errno;
        if (!patience.wait(fd.get(), POLLOUT, what, share)) return ETIMEDOUT;
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
        if (error != 0) return error;
    }
    out = std::move(fd);
    return 0;
}

}  // namespace

UniqueFd connect_tcp(const std::string& host, std::uint16_t port, const Patience& patience) {
    const std::string where = host + " port " + std::to_string(port);
    const Addresses addresses = find_addresses(host, port, patience);
    int count = 0;
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next)
        ++count;
    int error = EADDRNOTAVAIL;
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next, --count) {
        UniqueFd fd;
        error = try_address(*each, patience, 1.0 / count, "connecting to " + where, fd);
        if (error == 0) return fd;
    }
    throw SinkError(RINGCAST_SINK_E_TRANSIENT, "cannot connect to " + where + ": " + system_text(error));
}

}  // namespace ringcast::sink
