// SPDX-License-Identifier: Apache-2.0
#include "srt/srt_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <mutex>
#include <new>

#include "srt/srt_error.hpp"

namespace ringcast::srt {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// syslog's numbers, as libsrt wants them.
constexpr int kLogWarning = 4;
constexpr int kLogNothing = 0;
// IPv4, UDP and SRT headers, which libsrt counts with the payload.
constexpr std::uint64_t kHeaderBytes = 44;
constexpr int kPayloadBytes = 1456;
// libsrt's buffers hold 8192 packets: a second at 86 Mb/s. Longer latencies need more for the same rate, up to the
// 25600 packets that may be under way.
constexpr int kBufferedPackets = 8192;
constexpr int kMostPackets = 25600;
constexpr milliseconds kSlice{50};

struct LogReceiver {
    std::mutex mutex;
    std::function<void(std::string_view)> call;
};

LogReceiver& log_receiver() {
    // Never destroyed, for threads of libsrt may still write while the process ends; and no memory of its own, for a
    // plugin is unloaded.
    alignas(LogReceiver) static std::array<std::byte, sizeof(LogReceiver)> place;
    static auto* const receiver = new (place.data()) LogReceiver;
    return *receiver;
}

void on_log(void* /*opaque*/, int /*level*/, const char* /*file*/, int /*line*/, const char* area,
            const char* message) try {
    std::string line = std::string(area) + ": " + message;
    while (!line.empty() && (line.back() == '\n' || line.back() == ' '))
        line.pop_back();
    LogReceiver& receiver = log_receiver();
    const std::scoped_lock lock(receiver.mutex);
    if (receiver.call) receiver.call(line);
} catch (...) {
    // No exception may go through libsrt; a line is lost.
}

template <class Value>
void set_option(SRTSOCKET socket, SRT_SOCKOPT option, const Value& value, const char* name) {
    if (srt_setsockflag(socket, option, &value, sizeof value) == 0) return;
    throw SrtError(Failure::config, std::string("libsrt does not take ") + name + ": " + srt_error_text());
}

void set_text(SRTSOCKET socket, SRT_SOCKOPT option, const std::string& value, const char* name) {
    if (srt_setsockflag(socket, option, value.data(), static_cast<int>(value.size())) == 0) return;
    throw SrtError(Failure::config, std::string("libsrt does not take ") + name + ": " + srt_error_text());
}

void set_buffers(SRTSOCKET socket, milliseconds latency) {
    if (latency <= milliseconds(1000)) return;
    const auto packets = static_cast<std::int64_t>(kBufferedPackets) * latency.count() / 1000;
    const int bytes = static_cast<int>(std::min<std::int64_t>(packets, kMostPackets)) * kPayloadBytes;
    set_option(socket, SRTO_SNDBUF, bytes, "the size of the send buffer");
    set_option(socket, SRTO_RCVBUF, bytes, "the size of the receive buffer");
}

}  // namespace

SrtLibrary::SrtLibrary() {
    if (srt_startup() < 0) throw SrtError(Failure::config, "libsrt does not start: " + srt_error_text());
}

SrtLibrary::~SrtLibrary() {
    srt_cleanup();
}

void set_srt_log(std::function<void(std::string_view line)> receiver) {
    const bool nobody = !receiver;
    {
        const std::scoped_lock lock(log_receiver().mutex);
        log_receiver().call = std::move(receiver);
    }
    if (nobody) {
        // Our code may be unloaded before libsrt is.
        srt_setloglevel(kLogNothing);
        srt_setloghandler(nullptr, nullptr);
        return;
    }
    srt_setloglevel(kLogWarning);
    srt_setlogflags(SRT_LOGF_DISABLE_TIME | SRT_LOGF_DISABLE_THREADNAME | SRT_LOGF_DISABLE_SEVERITY |
                    SRT_LOGF_DISABLE_EOL);
    srt_setloghandler(nullptr, &on_log);
}

SrtSocket make_srt_socket(const SrtAddress& address) {
    SrtSocket socket(srt_create_socket());
    if (!socket) throw SrtError(Failure::transient, "no SRT socket: " + srt_error_text());
    const SRTSOCKET id = socket.get();
    set_option(id, SRTO_TRANSTYPE, SRTT_LIVE, "live mode");
    set_option(id, SRTO_SNDSYN, false, "non-blocking sending");
    set_option(id, SRTO_RCVSYN, false, "non-blocking receiving");
    set_option(id, SRTO_LATENCY, static_cast<int>(address.latency.count()), "latency");
    const std::int64_t bytes_per_second = address.maxbw_bps > 0 ? address.maxbw_bps / 8 : address.maxbw_bps;
    set_option(id, SRTO_MAXBW, bytes_per_second, "maxbw");
    // What was begun is sent to its end, however late: else a picture is torn. How much may wait the sender sees to.
    set_option(id, SRTO_SNDDROPDELAY, -1, "sending late");
    set_buffers(id, address.latency);
    set_encryption(id, address);
    if (address.mode != Mode::listener && !address.streamid.empty()) {
        set_text(id, SRTO_STREAMID, address.streamid, "this streamid");
    }
    return socket;
}

void set_encryption(SRTSOCKET socket, const SrtAddress& address) {
    set_text(socket, SRTO_PASSPHRASE, address.passphrase, "this passphrase");
    set_option(socket, SRTO_PBKEYLEN, address.pbkeylen, "pbkeylen");
}

SrtPoll::SrtPoll() : id_(srt_epoll_create()) {
    if (id_ < 0) throw SrtError(Failure::transient, "no epoll of libsrt: " + srt_error_text());
    // Nobody to wait for is no error: a listener may have neither clients nor, for a moment, a socket.
    srt_epoll_set(id_, SRT_EPOLL_ENABLE_EMPTY);
}

SrtPoll::~SrtPoll() {
    srt_epoll_release(id_);
}

void SrtPoll::add(SRTSOCKET socket, int events) {
    if (srt_epoll_add_usock(id_, socket, &events) == 0) return;
    throw SrtError(Failure::transient, "cannot wait for an SRT socket: " + srt_error_text());
}

void SrtPoll::remove(SRTSOCKET socket) noexcept {
    srt_epoll_remove_usock(id_, socket);
}

SrtPoll::End SrtPoll::wait(milliseconds limit) {
    const auto until = steady_clock::now() + limit;
    for (;;) {
        if (woken_) return End::woken;
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        const auto slice = std::clamp(left, milliseconds(0), kSlice);
        SRT_EPOLL_EVENT event;
        if (srt_epoll_uwait(id_, &event, 1, slice.count()) > 0) return woken_ ? End::woken : End::ready;
        if (left <= slice) return woken_ ? End::woken : End::timed_out;
    }
}

SrtFigures figures_of(SRTSOCKET socket, bool new_interval) {
    SRT_TRACEBSTATS counted{};
    if (srt_bstats(socket, &counted, new_interval ? 1 : 0) != 0) return {};
    constexpr double kMega = 1e6;
    const auto headers = static_cast<std::uint64_t>(counted.pktSentUniqueTotal) * kHeaderBytes;
    return {.rtt_us = std::llround(counted.msRTT * 1000),
            .bandwidth_bps = std::llround(counted.mbpsBandwidth * kMega),
            .send_rate_bps = std::llround(counted.mbpsSendRate * kMega),
            .send_buffer_ms = counted.msSndBuf,
            .lost_packets = counted.pktSndLossTotal,
            .retransmitted_packets = counted.pktRetransTotal,
            .send_drop_packets = counted.pktSndDropTotal,
            .sent_bytes = counted.byteSentUniqueTotal - std::min(headers, counted.byteSentUniqueTotal),
            .receive_rate_bps = std::llround(counted.mbpsRecvRate * kMega),
            .received_packets = counted.pktRecvTotal,
            .receive_lost_packets = counted.pktRcvLossTotal,
            .receive_drop_packets = counted.pktRcvDropTotal,
            .undecrypted_packets = counted.pktRcvUndecryptTotal};
}

milliseconds send_buffer_of(SRTSOCKET socket) {
    std::size_t packets = 0;
    std::size_t bytes = 0;
    const int time = srt_getsndbuffer(socket, &packets, &bytes);
    // The last packet alone spans no time.
    return milliseconds(time > 0 ? time : time == 0 && bytes > 0 ? 1 : 0);
}

milliseconds peer_latency_of(SRTSOCKET socket) {
    int latency = 0;
    int size = sizeof latency;
    return milliseconds(srt_getsockflag(socket, SRTO_PEERLATENCY, &latency, &size) == 0 ? latency : 0);
}

std::string text_of(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address->sa_family == AF_INET) {
        const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(address);
        ::inet_ntop(AF_INET, &ipv4->sin_addr, text.data(), text.size());
        return std::string(text.data()) + ":" + std::to_string(ntohs(ipv4->sin_port));
    }
    const auto* ipv6 = reinterpret_cast<const sockaddr_in6*>(address);
    const std::string port = std::to_string(ntohs(ipv6->sin6_port));
    if (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr)) {
        ::inet_ntop(AF_INET, &ipv6->sin6_addr.s6_addr[12], text.data(), text.size());
        return std::string(text.data()) + ":" + port;
    }
    ::inet_ntop(AF_INET6, &ipv6->sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + port;
}

std::string srt_error_text() {
    std::string text = srt_getlasterror_str();
    while (!text.empty() && (text.back() == '\n' || text.back() == '.' || text.back() == ' '))
        text.pop_back();
    return text;
}

}  // namespace ringcast::srt
