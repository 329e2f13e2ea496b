// SPDX-License-Identifier: Apache-2.0
#include "rtmp/transport.hpp"

#include <sys/socket.h>

#include "rtmp/tcp.hpp"

namespace ringcast::sink {

Transport::Transport(const RtmpTarget& target, TlsTrust& trust, const Patience& patience)
    : fd_(connect_tcp(target.host, target.port, patience)) {
    if (target.tls) tls_.emplace(trust, target.host, fd_.get(), patience);
}

ssize_t Transport::receive(std::span<std::uint8_t> into) {
    return tls_ ? tls_->receive(into) : ::recv(fd_.get(), into.data(), into.size(), 0);
}

ssize_t Transport::send(std::span<const std::uint8_t> bytes) {
    return tls_ ? tls_->send(bytes) : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void Transport::finish_sending() {
    if (tls_) tls_->close();
    ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace ringcast::sink
