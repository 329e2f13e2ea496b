// SPDX-License-Identifier: Apache-2.0
/// libsrt's handles and figures as objects. Every socket here is in live mode and non-blocking.
#pragma once

#include <srt/srt.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "srt/srt_address.hpp"

namespace ringcast::srt {

/// libsrt is started as long as one of these lives; sockets must not outlive the last.
class SrtLibrary {
public:
    SrtLibrary();
    SrtLibrary(const SrtLibrary&) = delete;
    SrtLibrary& operator=(const SrtLibrary&) = delete;
    ~SrtLibrary();
};

/// Who gets libsrt's own lines from here on, on any thread; an empty function: nobody. Without a call libsrt writes to
/// stderr. When this returns the receiver before is not called any more.
void set_srt_log(std::function<void(std::string_view line)> receiver);

/// One owned SRTSOCKET.
class SrtSocket {
public:
    SrtSocket() = default;
    explicit SrtSocket(SRTSOCKET socket) noexcept : socket_(socket) {}
    SrtSocket(SrtSocket&& other) noexcept : socket_(other.release()) {}
    SrtSocket& operator=(SrtSocket&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    SrtSocket(const SrtSocket&) = delete;
    SrtSocket& operator=(const SrtSocket&) = delete;
    // What has not been sent is thrown away: live mode does not linger.
    ~SrtSocket() { reset(); }

    [[nodiscard]] SRTSOCKET get() const noexcept { return socket_; }
    [[nodiscard]] SRTSOCKET release() noexcept { return std::exchange(socket_, SRT_INVALID_SOCK); }
    void reset(SRTSOCKET socket = SRT_INVALID_SOCK) noexcept {
        if (socket_ != SRT_INVALID_SOCK) srt_close(socket_);
        socket_ = socket;
    }
    explicit operator bool() const noexcept { return socket_ != SRT_INVALID_SOCK; }

    [[nodiscard]] bool is_connected() const noexcept { return srt_getsockstate(socket_) == SRTS_CONNECTED; }

private:
    SRTSOCKET socket_ = SRT_INVALID_SOCK;
};

/// A new socket with the options of the address: latency, streamid, encryption, rate.
[[nodiscard]] SrtSocket make_srt_socket(const SrtAddress& address);

/// Sets passphrase and key length, before the socket connects.
void set_encryption(SRTSOCKET socket, const SrtAddress& address);

/// Waits for sockets. One thread waits; wake() from any.
class SrtPoll {
public:
    enum class End { ready, timed_out, woken };

    SrtPoll();
    SrtPoll(const SrtPoll&) = delete;
    SrtPoll& operator=(const SrtPoll&) = delete;
    ~SrtPoll();

    /// `events`: SRT_EPOLL_IN, OUT, ERR; level-triggered.
    void add(SRTSOCKET socket, int events);
    void remove(SRTSOCKET socket) noexcept;
    /// Until one of the sockets is ready; which one, and how, its calls tell.
    [[nodiscard]] End wait(std::chrono::milliseconds limit);

    /// Ends wait(), also one that has not begun, until clear_wake().
    void wake() noexcept { woken_ = true; }
    void clear_wake() noexcept { woken_ = false; }
    [[nodiscard]] bool is_woken() const noexcept { return woken_; }

private:
    int id_;
    std::atomic<bool> woken_{false};
};

/// What libsrt counts on one connection.
struct SrtFigures {
    std::int64_t rtt_us = 0;
    std::int64_t bandwidth_bps = 0;  ///< estimate of what the way carries
    std::int64_t send_rate_bps = 0;  ///< since the figures before
    std::int64_t send_buffer_ms = 0;
    std::int64_t lost_packets = 0;  ///< reported as missing by the peer, since the connection began; so the next three
    std::int64_t retransmitted_packets = 0;
    std::int64_t send_drop_packets = 0;  ///< too late to be sent
    std::uint64_t sent_bytes = 0;        ///< payload, each byte once
    // Of a receiver.
    std::int64_t receive_rate_bps = 0;
    std::int64_t received_packets = 0;
    std::int64_t receive_lost_packets = 0;
    std::int64_t receive_drop_packets = 0;  ///< came too late or never, and were passed over
    std::int64_t undecrypted_packets = 0;
};

/// Zeros for a connection that is gone. `new_interval`: rates of the next call are counted from here.
[[nodiscard]] SrtFigures figures_of(SRTSOCKET socket, bool new_interval);

/// How much media time waits to be sent or acknowledged.
[[nodiscard]] std::chrono::milliseconds send_buffer_of(SRTSOCKET socket);
/// What both ends agreed on: how long the peer holds what it received.
[[nodiscard]] std::chrono::milliseconds peer_latency_of(SRTSOCKET socket);

/// "10.0.0.7:41000", "[2001:db8::1]:41000"; an IPv4 address in IPv6 clothes as IPv4.
[[nodiscard]] std::string text_of(const sockaddr* address);

/// libsrt's words for the newest error of this thread.
[[nodiscard]] std::string srt_error_text();

}  // namespace ringcast::srt
