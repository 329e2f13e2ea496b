// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gnutls/gnutls.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "rtmp/patience.hpp"

namespace ringcast::sink {

/// Whom to believe. Shared by all sessions of a sink.
class TlsTrust {
public:
    /// Only the authorities in the PEM file `ca`, or those of this machine. Throws SinkError(E_CONFIG) when the file
    /// holds none.
    TlsTrust(const std::string& ca, bool verify);

    [[nodiscard]] bool verifies() const noexcept { return verify_; }
    /// Reads this machine's authorities when they are first wanted. Throws SinkError(E_REJECTED) when
    /// there are none.
    [[nodiscard]] gnutls_certificate_credentials_t get();

private:
    struct Deleter {
        void operator()(gnutls_certificate_credentials_t credentials) const noexcept {
            gnutls_certificate_free_credentials(credentials);
        }
    };
    std::unique_ptr<std::remove_pointer_t<gnutls_certificate_credentials_t>, Deleter> credentials_;
    bool verify_;
    bool complete_ = false;
};

/// One TLS client session on a non-blocking socket that it does not own: name sent, chain and name checked.
/// Thread safety: none; it may move between threads.
class TlsSession {
public:
    /// Shakes hands. Throws SinkError: REJECTED with what is wrong with the certificate, TRANSIENT, INTERRUPTED.
    TlsSession(TlsTrust& trust, const std::string& host, int fd, const Patience& patience);

    /// As recv() and send(): a count, 0 at the end, or -1 with errno (EAGAIN: later; EPROTO: TLS broke).
    ssize_t receive(std::span<std::uint8_t> into);
    ssize_t send(std::span<const std::uint8_t> bytes);

    /// Bytes that were received but not yet taken; no poll() shows them.
    [[nodiscard]] bool has_received() const { return gnutls_record_check_pending(session_.get()) > 0; }

    /// Says goodbye, so that the peer can tell an end from a cut.
    void close();

private:
    void shake_hands(const std::string& host, int fd, const Patience& patience);
    [[noreturn]] void refuse(const std::string& host, int error);

    struct Deleter {
        void operator()(gnutls_session_t session) const noexcept { gnutls_deinit(session); }
    };
    std::unique_ptr<std::remove_pointer_t<gnutls_session_t>, Deleter> session_;
};

}  // namespace ringcast::sink
