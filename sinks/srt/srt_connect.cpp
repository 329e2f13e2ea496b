// SPDX-License-Identifier: Apache-2.0
#include "srt/srt_connect.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <optional>
#include <system_error>
#include <thread>

namespace ringcast::srt {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr int kBacklog = 64;
constexpr milliseconds kLookUpSlice{50};
// A handshake is over within a few round trips; what was greeted longer ago and never came failed.
constexpr std::chrono::seconds kHandshakeTime{3};

struct Place {
    sockaddr_storage storage{};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

struct Found {
    int error = 0;
    std::vector<Place> places;
};

Found look_up(const std::string& host, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* list = nullptr;
    Found found;
    found.error = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &list);
    for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
        Place place;
        std::memcpy(&place.storage, each->ai_addr, each->ai_addrlen);
        place.size = each->ai_addrlen;
        found.places.push_back(place);
    }
    if (list != nullptr) ::freeaddrinfo(list);
    return found;
}

[[noreturn]] void throw_interrupted(const std::string& what) {
    throw SrtError(Failure::interrupted, "stopped while " + what);
}

/// A name server that says nothing for a minute is left to a thread of its own.
std::vector<Place> find_places(const SrtAddress& address, const SrtPoll& poll, steady_clock::time_point until) {
    if (Found numeric = look_up(address.host, address.port, AI_NUMERICHOST); numeric.error == 0) return numeric.places;
    std::packaged_task<Found()> task([host = address.host, port = address.port] { return look_up(host, port, 0); });
    std::future<Found> answer = task.get_future();
    std::thread(std::move(task)).detach();
    while (answer.wait_for(kLookUpSlice) != std::future_status::ready) {
        if (poll.is_woken()) throw_interrupted("looking up the host " + address.host);
        if (steady_clock::now() < until) continue;
        throw SrtError(Failure::transient, "no name server answers for the host " + address.host);
    }
    Found found = answer.get();
    if (found.error == 0) return found.places;
    throw SrtError(Failure::transient, "cannot find the host " + address.host + ": " + ::gai_strerror(found.error) +
                                           "; check url= and this machine's network");
}

SrtError no_answer(const SrtAddress& address, milliseconds limit) {
    const std::string hint = address.mode == Mode::rendezvous
                                 ? "; is the other side in rendezvous mode, too, at that port?"
                                 : "; is the server up, and UDP let through?";
    return {Failure::transient, "no answer from " + address.place() + " within " +
                                    std::to_string((limit.count() + 500) / 1000) + " s" + hint};
}

struct BindError {
    std::string text;
    bool foreign;  ///< the address is none of this machine's
};

/// Why libsrt could not bind there: it only says that it could not.
BindError bind_error(const Place& place) {
    const std::string library = srt_error_text();
    const int fd = ::socket(place.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool bound = fd >= 0 && ::bind(fd, place.get(), place.size) == 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (bound) return {library, false};
    return {std::generic_category().message(error), error == EADDRNOTAVAIL};
}

/// The address of this machine that packets to `peer` leave from; any, when the system does not say.
Place source_for(const Place& peer) {
    Place local;
    local.storage.ss_family = peer.storage.ss_family;
    local.size = peer.size;
    const int fd = ::socket(peer.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return local;
    // Of a datagram socket connect() sends nothing.
    if (::connect(fd, peer.get(), peer.size) == 0) {
        socklen_t size = sizeof local.storage;
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&local.storage), &size);
    }
    ::close(fd);
    return local;
}

/// Rendezvous: both ends send from the port they are sent to.
void bind_for_rendezvous(SRTSOCKET socket, const Place& peer, const SrtAddress& address) {
    const bool rendezvous = true;
    srt_setsockflag(socket, SRTO_RENDEZVOUS, &rendezvous, sizeof rendezvous);
    Place local = source_for(peer);
    // The port stands at the same place for both families.
    reinterpret_cast<sockaddr_in*>(&local.storage)->sin_port = htons(address.port);
    const int only = 1;
    if (peer.storage.ss_family == AF_INET6) srt_setsockflag(socket, SRTO_IPV6ONLY, &only, sizeof only);
    if (srt_bind(socket, local.get(), static_cast<int>(local.size)) == 0) return;
    throw SrtError(Failure::config, "cannot use port " + std::to_string(address.port) + " on this machine: " +
                                        bind_error(local).text + "; mode=rendezvous needs the same port at both ends");
}

SrtSocket try_place(SrtSocket socket, const SrtAddress& address, const Place& place, SrtPoll& poll,
                    milliseconds limit) {
    // In rendezvous mode libsrt takes ten times as long.
    const int timeout = static_cast<int>(limit.count()) / (address.mode == Mode::rendezvous ? 10 : 1);
    srt_setsockflag(socket.get(), SRTO_CONNTIMEO, &timeout, sizeof timeout);
    if (address.mode == Mode::rendezvous) bind_for_rendezvous(socket.get(), place, address);
    // Before it connects: what fails before it is watched is never told.
    poll.add(socket.get(), SRT_EPOLL_OUT | SRT_EPOLL_ERR);
    if (srt_connect(socket.get(), place.get(), static_cast<int>(place.size)) == SRT_ERROR) {
        throw SrtError(Failure::transient, "cannot connect to " + address.place() + ": " + srt_error_text());
    }
    // A little more than libsrt's own limit, so that it is libsrt who gives up, with its reason.
    const SrtPoll::End end = poll.wait(limit + milliseconds(500));
    poll.remove(socket.get());
    if (end == SrtPoll::End::woken) throw_interrupted("connecting to " + address.place());
    if (socket.is_connected()) return socket;
    const int reason = srt_getrejectreason(socket.get());
    if (end == SrtPoll::End::timed_out || reason == SRT_REJ_TIMEOUT || reason == SRT_REJ_UNKNOWN) {
        throw no_answer(address, limit);
    }
    const Refusal refusal = refusal_of(reason);
    throw SrtError(refusal.failure, address.place() + " refused the connection: " + refusal.words);
}

/// Every address of this machine, IPv4 ones as IPv6, or where that does not exist the IPv4 ones.
std::vector<Place> any_places(std::uint16_t port) {
    std::vector<Place> places(2);
    auto* ipv6 = reinterpret_cast<sockaddr_in6*>(&places[0].storage);
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(port);
    places[0].size = sizeof(sockaddr_in6);
    auto* ipv4 = reinterpret_cast<sockaddr_in*>(&places[1].storage);
    ipv4->sin_family = AF_INET;
    ipv4->sin_port = htons(port);
    places[1].size = sizeof(sockaddr_in);
    return places;
}

SrtSocket bound_socket(const SrtAddress& address, SrtPoll& poll, const std::function<void(SRTSOCKET)>& prepare) {
    const auto until = steady_clock::now() + std::chrono::seconds(5);
    const auto places = address.host.empty() ? any_places(address.port) : find_places(address, poll, until);
    std::optional<BindError> reason;
    for (const Place& place : places) {
        SrtSocket socket = make_srt_socket(address);
        if (prepare) prepare(socket.get());
        const int only = address.host.empty() ? 0 : 1;
        if (place.storage.ss_family == AF_INET6) srt_setsockflag(socket.get(), SRTO_IPV6ONLY, &only, sizeof only);
        if (srt_bind(socket.get(), place.get(), static_cast<int>(place.size)) == 0) return socket;
        if (!reason) reason = bind_error(place);
    }
    const std::string port = std::to_string(address.port);
    const std::string fix = reason && reason->foreign
                                ? "; listen at an address of this machine, or at all of them: srt://:" + port
                                : "; choose another port, or stop what uses this one";
    throw SrtError(Failure::config,
                   "cannot listen at " + address.place() + ": " + (reason ? reason->text : srt_error_text()) + fix);
}

}  // namespace

SrtSocket connect_srt(const SrtAddress& address, SrtPoll& poll, milliseconds limit,
                      const std::function<void(SRTSOCKET)>& prepare) {
    const auto until = steady_clock::now() + limit;
    const auto places = find_places(address, poll, until);
    for (std::size_t i = 0;; ++i) {
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        const auto share = std::max(milliseconds(1000), left / static_cast<int>(places.size() - i));
        try {
            SrtSocket socket = make_srt_socket(address);
            if (prepare) prepare(socket.get());
            return try_place(std::move(socket), address, places[i], poll, share);
        } catch (const SrtError& error) {
            if (error.failure() != Failure::transient || i + 1 == places.size()) throw;
        }
    }
}

SrtListener::SrtListener(const SrtAddress& address, SrtPoll& poll, Admit admit,
                         const std::function<void(SRTSOCKET)>& prepare)
    : admit_(std::move(admit)), address_(address), socket_(bound_socket(address, poll, prepare)) {
    srt_listen_callback(socket_.get(), &SrtListener::on_client, this);
    poll.add(socket_.get(), SRT_EPOLL_IN);
    if (srt_listen(socket_.get(), kBacklog) == 0) return;
    throw SrtError(Failure::config, "cannot listen at " + address.place() + ": " + srt_error_text());
}

SrtListener::~SrtListener() = default;

int SrtListener::on_client(void* self, SRTSOCKET socket, int /*version*/, const sockaddr* peer, const char* streamid) {
    // No exception may go through libsrt.
    try {
        return static_cast<SrtListener*>(self)->greet(socket, peer, streamid == nullptr ? "" : streamid);
    } catch (...) {
        return -1;
    }
}

int SrtListener::greet(SRTSOCKET socket, const sockaddr* peer, std::string_view streamid) {
    const std::string address = text_of(peer);
    if (const int code = admit_(address, streamid); code != 0) {
        srt_setrejectreason(socket, code);
        return -1;
    }
    const std::scoped_lock lock(mutex_);
    // A listening socket takes no other passphrase; each that comes of it does, up to here.
    srt::set_encryption(socket, address_);
    greeted_.push_back({socket, address, steady_clock::now()});
    return 0;
}

void SrtListener::set_encryption(const SrtAddress& address) {
    const std::scoped_lock lock(mutex_);
    address_ = address;
}

std::optional<SrtClient> SrtListener::accept() {
    Place peer;
    int size = sizeof peer.storage;
    SrtSocket socket(srt_accept(socket_.get(), reinterpret_cast<sockaddr*>(&peer.storage), &size));
    if (!socket) return std::nullopt;
    {
        const std::scoped_lock lock(mutex_);
        std::erase_if(greeted_, [&](const Greeted& one) { return one.socket == socket.get(); });
    }
    std::array<char, 513> streamid{};
    int length = streamid.size();
    if (srt_getsockflag(socket.get(), SRTO_STREAMID, streamid.data(), &length) != 0) length = 0;
    return SrtClient{std::move(socket), text_of(peer.get()),
                     std::string(streamid.data(), static_cast<std::size_t>(length))};
}

std::vector<std::string> SrtListener::take_failed() {
    std::vector<std::string> failed;
    const std::scoped_lock lock(mutex_);
    std::erase_if(greeted_, [&](const Greeted& one) {
        const SRT_SOCKSTATUS state = srt_getsockstate(one.socket);
        const bool gone =
            state == SRTS_BROKEN || state == SRTS_CLOSING || state == SRTS_CLOSED || state == SRTS_NONEXIST;
        if (!gone && steady_clock::now() - one.since < kHandshakeTime) return false;
        if (gone) failed.push_back(one.address);
        return true;
    });
    return failed;
}

std::uint16_t SrtListener::port() const {
    Place local;
    int size = sizeof local.storage;
    if (srt_getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&local.storage), &size) != 0) return 0;
    return ntohs(reinterpret_cast<const sockaddr_in*>(&local.storage)->sin_port);
}

}  // namespace ringcast::srt
