// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>

#include "mux/unique_fd.hpp"
#include "rtmp/target.hpp"
#include "rtmp/tls.hpp"

namespace ringcast::sink {

/// The connection under RTMP: TCP, or TLS on it. Non-blocking once made.
/// Thread safety: none; it may move between threads.
class Transport {
public:
    /// Throws SinkError: REJECTED for a certificate that does not hold, TRANSIENT, INTERRUPTED.
    Transport(const RtmpTarget& target, TlsTrust& trust, const Patience& patience);

    /// As recv() and send() with MSG_NOSIGNAL.
    ssize_t receive(std::span<std::uint8_t> into);
    ssize_t send(std::span<const std::uint8_t> bytes);

    [[nodiscard]] bool has_received() const { return tls_ && tls_->has_received(); }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    /// No more will be sent; the peer reads what is under way and then an end.
    void finish_sending();

private:
    UniqueFd fd_;
    std::optional<TlsSession> tls_;
};

}  // namespace ringcast::sink
