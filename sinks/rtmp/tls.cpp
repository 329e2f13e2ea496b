// SPDX-License-Identifier: Apache-2.0
#include "rtmp/tls.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <ringcast/sink.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

void check(int result, const char* attempt) {
    if (result < 0) {
        throw SinkError(RINGCAST_SINK_E_INTERNAL,
                        std::string("GnuTLS could not ") + attempt + ": " + gnutls_strerror(result));
    }
}

/// RFC 6066: an address is no server name.
bool is_address(const std::string& host) {
    std::array<std::uint8_t, sizeof(in6_addr)> bytes{};
    return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

/// What is wrong with a certificate, in the order of what a person would fix first.
std::string fault_of(unsigned status) {
    constexpr std::pair<unsigned, std::string_view> kFaults[] = {
        {GNUTLS_CERT_UNEXPECTED_OWNER, "is made out for another name"},
        {GNUTLS_CERT_EXPIRED, "has expired"},
        {GNUTLS_CERT_NOT_ACTIVATED, "is not valid yet (is this machine's clock right?)"},
        {GNUTLS_CERT_REVOKED, "has been revoked"},
        {GNUTLS_CERT_SIGNER_NOT_FOUND, "is signed by nobody trusted here (self-signed?)"},
        {GNUTLS_CERT_SIGNER_NOT_CA, "is signed by a certificate that may not sign"},
        {GNUTLS_CERT_INSECURE_ALGORITHM, "is signed with a broken algorithm"},
    };
    std::string text;
    for (const auto& [flag, words] : kFaults) {
        if ((status & flag) != 0) text += (text.empty() ? "" : " and ") + std::string(words);
    }
    return text.empty() ? "does not hold" : text;
}

std::string advice_on(unsigned status) {
    if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0) return "; use a name that stands in it";
    return (status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0 ? "; tls_ca=FILE names an authority" : "";
}

int to_errno(ssize_t result) {
    if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED) return EAGAIN;
    if (result == GNUTLS_E_PREMATURE_TERMINATION || result == GNUTLS_E_PULL_ERROR) return ECONNRESET;
    return result == GNUTLS_E_PUSH_ERROR ? EPIPE : EPROTO;
}

/// GnuTLS has one error for an end without TLS's farewell and for a reset; after a reset the socket is hung up.
bool was_reset(int fd) {
    pollfd look{fd, 0, 0};
    return ::poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace

TlsTrust::TlsTrust(const std::string& ca, bool verify) : verify_(verify) {
    gnutls_certificate_credentials_t credentials = nullptr;
    check(gnutls_certificate_allocate_credentials(&credentials), "make credentials");
    credentials_.reset(credentials);
    if (ca.empty()) return;
    complete_ = true;
    const int count = gnutls_certificate_set_x509_trust_file(credentials, ca.c_str(), GNUTLS_X509_FMT_PEM);
    if (count <= 0) {
        throw SinkError(RINGCAST_SINK_E_CONFIG, "tls_ca=" + ca + ": " +
                                                    (count < 0 ? gnutls_strerror(count) : "it holds no certificate") +
                                                    "; name a PEM file with the authority's certificate");
    }
}

gnutls_certificate_credentials_t TlsTrust::get() {
    if (verify_ && !complete_) {
        const int count = gnutls_certificate_set_x509_system_trust(credentials_.get());
        check(count, "read this machine's authorities");
        if (count == 0) {
            throw SinkError(RINGCAST_SINK_E_REJECTED,
                            "TLS: this machine has no authorities: apt install ca-certificates, or give tls_ca=FILE");
        }
        complete_ = true;
    }
    return credentials_.get();
}

TlsSession::TlsSession(TlsTrust& trust, const std::string& host, int fd, const Patience& patience) {
    gnutls_session_t session = nullptr;
    check(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), "make a session");
    session_.reset(session);
    check(gnutls_set_default_priority(session), "choose ciphers");
    check(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, trust.get()), "set credentials");
    if (!is_address(host)) {
        check(gnutls_server_name_set(session, GNUTLS_NAME_DNS, host.data(), host.size()), "set the server's name");
    }
    if (trust.verifies()) gnutls_session_set_verify_cert(session, host.c_str(), 0);
    gnutls_transport_set_int(session, fd);
    shake_hands(host, fd, patience);
}

void TlsSession::shake_hands(const std::string& host, int fd, const Patience& patience) {
    for (;;) {
        const int result = gnutls_handshake(session_.get());
        if (result == GNUTLS_E_SUCCESS) return;
        if (result == GNUTLS_E_AGAIN) {
            const short events = gnutls_record_get_direction(session_.get()) == 1 ? POLLOUT : POLLIN;
            patience.wait(fd, events, "setting up TLS with " + host);
        } else if (gnutls_error_is_fatal(result) != 0) {
            refuse(host, result);
        }
    }
}

void TlsSession::refuse(const std::string& host, int error) {
    if (error == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR) {
        const unsigned status = gnutls_session_get_verify_cert_status(session_.get());
        throw SinkError(RINGCAST_SINK_E_REJECTED,
                        "TLS: the certificate of " + host + " " + fault_of(status) + advice_on(status));
    }
    const std::string start = "cannot set up TLS with " + host + ": ";
    if (error == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        const char* alert = gnutls_alert_get_name(gnutls_alert_get(session_.get()));
        throw SinkError(RINGCAST_SINK_E_REJECTED, start + "it answered: " + (alert == nullptr ? "an alert" : alert));
    }
    if (error == GNUTLS_E_UNEXPECTED_PACKET_LENGTH || error == GNUTLS_E_UNEXPECTED_PACKET ||
        error == GNUTLS_E_UNSUPPORTED_VERSION_PACKET) {
        throw SinkError(RINGCAST_SINK_E_TRANSIENT,
                        start + "it does not speak TLS there; is it rtmp:// or another port?");
    }
    throw SinkError(RINGCAST_SINK_E_TRANSIENT, start + gnutls_strerror(error));
}

ssize_t TlsSession::receive(std::span<std::uint8_t> into) {
    const ssize_t result = gnutls_record_recv(session_.get(), into.data(), into.size());
    if (result >= 0) return result;
    // Many servers close without TLS's farewell. RTMP messages carry their length: a cut one would be noticed.
    if (result == GNUTLS_E_PREMATURE_TERMINATION && !was_reset(gnutls_transport_get_int(session_.get()))) return 0;
    // A renegotiation request or a warning changes nothing for us.
    errno = gnutls_error_is_fatal(static_cast<int>(result)) != 0 ? to_errno(result) : EAGAIN;
    return -1;
}

ssize_t TlsSession::send(std::span<const std::uint8_t> bytes) {
    const ssize_t result = gnutls_record_send(session_.get(), bytes.data(), bytes.size());
    if (result >= 0) return result;
    errno = to_errno(result);
    return -1;
}

void TlsSession::close() {
    gnutls_bye(session_.get(), GNUTLS_SHUT_WR);
}

}  // namespace ringcast::sink
