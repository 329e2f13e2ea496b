// SPDX-License-Identifier: Apache-2.0
#include "rtmp_listener.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ringcast::ingest {
namespace {

constexpr int kSliceMs = 100;
constexpr std::size_t kMostGuests = 16;
/// From the first byte to the wish to publish, and from a refusal to the close.
constexpr std::chrono::seconds kGuestPatience{5};
/// A publisher who was not heard for so long may be replaced: its network died, and it comes again.
constexpr std::chrono::seconds kSilence{2};
/// Where there is no file descriptor for another guest.
constexpr std::chrono::seconds kDeaf{1};
/// More than any keyframe; then the network has to wait.
constexpr std::size_t kMostUnread = 16 * 1024 * 1024;

struct AddressList {
    addrinfo* first = nullptr;
    AddressList() = default;
    AddressList(const AddressList&) = delete;
    AddressList& operator=(const AddressList&) = delete;
    ~AddressList() {
        if (first != nullptr) freeaddrinfo(first);
    }
};

/// What to do about the error of a bind or listen.
std::string listen_fix(int error, const RtmpAddress& address) {
    if (error == EADDRINUSE) return "; another program has that port: take another one";
    if (error == EACCES) return "; that port is for root only: take one from 1024 on";
    if (error != EADDRNOTAVAIL) return "";
    return "; listen at an address of this machine, or at all of them: rtmp://:" + std::to_string(address.port) + "/" +
           address.app.substr(0, address.app.find_first_of("/?"));
}

sink::UniqueFd listen_at(const RtmpAddress& address) {
    const std::string port = std::to_string(address.port);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    AddressList found;
    const char* host = address.host.empty() ? nullptr : address.host.c_str();
    if (const int code = getaddrinfo(host, port.c_str(), &hints, &found.first); code != 0)
        throw IngestError("cannot listen at " + address.place + ": " + gai_strerror(code) +
                          "; name an address of this machine, or none");
    // One socket for IPv4 and IPv6 where no host is named.
    const addrinfo* chosen = found.first;
    for (const addrinfo* each = found.first; host == nullptr && each != nullptr; each = each->ai_next) {
        if (each->ai_family == AF_INET6) chosen = each;
    }
    for (;;) {
        sink::UniqueFd fd(::socket(chosen->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        const int yes = 1;
        const int no = 0;
        if (fd) {
            ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
            if (chosen->ai_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
            if (::bind(fd.get(), chosen->ai_addr, chosen->ai_addrlen) == 0 && ::listen(fd.get(), 16) == 0) return fd;
        }
        const int error = errno;
        // A machine without IPv6.
        const bool has_other = host == nullptr && chosen != found.first && error != EADDRINUSE;
        if (!has_other) {
            throw IngestError("cannot listen at " + address.place + ": " + std::strerror(error) +
                              listen_fix(error, address));
        }
        chosen = found.first;
    }
}

std::string name_of(const sockaddr_storage& peer, socklen_t size) {
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    if (getnameinfo(reinterpret_cast<const sockaddr*>(&peer), size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return "somebody";
    std::string_view name = host.data();
    if (name.starts_with("::ffff:")) name.remove_prefix(7);
    const bool is_ipv6 = name.find(':') != std::string_view::npos;
    return (is_ipv6 ? "[" : "") + std::string(name) + (is_ipv6 ? "]:" : ":") + port.data();
}

}  // namespace

/// The publisher's media as a connection.
class RtmpListener::Publication final : public Connection {
public:
    Publication(RtmpListener& listener, RtmpGuest& guest, GoesOn goes_on)
        : listener_(listener), guest_(guest), goes_on_(std::move(goes_on)) {
        listener_.publisher_ = &guest_;
    }
    Publication(const Publication&) = delete;
    Publication& operator=(const Publication&) = delete;
    ~Publication() override {
        demuxer_.reset();
        listener_.publisher_ = nullptr;
        if (guest_.state() != RtmpGuest::State::leaving)
            listener_.guests_.remove_if([this](const RtmpGuest& guest) { return &guest == &guest_; });
    }

    Demuxer& demuxer() override {
        demuxer_ = std::make_unique<Demuxer>("flv", [this](std::span<std::uint8_t> into) { return pull(into); });
        return *demuxer_;
    }
    [[nodiscard]] std::string peer() const override { return guest_.address(); }
    [[nodiscard]] std::uint64_t received() const override { return guest_.received(); }
    [[nodiscard]] std::string end_text() const override { return guest_.reason(); }

private:
    std::size_t pull(std::span<std::uint8_t> into) {
        std::vector<std::uint8_t>& media = guest_.media();
        while (media.size() == at_) {
            media.clear();
            at_ = 0;
            if (guest_.state() != RtmpGuest::State::publishing || !goes_on_()) return 0;
            listener_.serve();
        }
        const std::size_t size = std::min(into.size(), media.size() - at_);
        std::memcpy(into.data(), media.data() + at_, size);
        at_ += size;
        return size;
    }

    RtmpListener& listener_;
    RtmpGuest& guest_;
    GoesOn goes_on_;
    std::size_t at_ = 0;
    std::unique_ptr<Demuxer> demuxer_;
};

RtmpListener::RtmpListener(RtmpAddress address)
    : address_(std::move(address)), place_(address_.place), socket_(listen_at(address_)) {}

std::unique_ptr<Connection> RtmpListener::connect(const GoesOn& goes_on) {
    while (goes_on()) {
        serve();
        for (RtmpGuest& guest : guests_) {
            if (guest.state() != RtmpGuest::State::publishing) continue;
            return std::make_unique<Publication>(*this, guest, goes_on);
        }
    }
    return nullptr;
}

void RtmpListener::serve() {
    const bool is_deaf = std::chrono::steady_clock::now() < deaf_until_;
    std::vector<pollfd> waits{{socket_.get(), static_cast<short>(is_deaf ? 0 : POLLIN), 0}};
    for (RtmpGuest& guest : guests_) {
        const bool reads = guest.media().size() < kMostUnread;
        const int events = (reads ? POLLIN : 0) | (guest.wants_to_send() ? POLLOUT : 0);
        waits.push_back({guest.socket(), static_cast<short>(events), 0});
    }
    if (::poll(waits.data(), waits.size(), kSliceMs) < 0) return;
    const auto now = std::chrono::steady_clock::now();
    std::size_t number = 1;
    for (RtmpGuest& guest : guests_) {
        const short events = waits[number++].revents;
        // The first who may is the one; others hear that in their answer.
        is_taken_ = std::any_of(guests_.begin(), guests_.end(), [&](const RtmpGuest& each) {
            return &each != &guest && each.state() == RtmpGuest::State::publishing && now - each.heard() < kSilence;
        });
        if ((events & POLLOUT) != 0) guest.flush();
        const bool was_publishing = guest.state() == RtmpGuest::State::publishing;
        if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) guest.hear();
        if (!was_publishing && guest.state() == RtmpGuest::State::publishing) replace_by(guest);
    }
    dismiss(now);
    if ((waits.front().revents & POLLIN) != 0) welcome();
}

void RtmpListener::replace_by(const RtmpGuest& guest) {
    for (RtmpGuest& each : guests_) {
        if (&each != &guest && each.state() == RtmpGuest::State::publishing)
            each.drop("nothing came for 2 s, and another publisher did");
    }
}

void RtmpListener::dismiss(std::chrono::steady_clock::time_point now) {
    for (auto guest = guests_.begin(); guest != guests_.end();) {
        const bool is_in_use = &*guest == publisher_ || guest->state() == RtmpGuest::State::publishing;
        const bool is_over = guest->state() == RtmpGuest::State::gone || now - guest->since() > kGuestPatience;
        if (!is_in_use && is_over) {
            say_goodbye(*guest);
            guest = guests_.erase(guest);
        } else {
            ++guest;
        }
    }
}

void RtmpListener::welcome() {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    sink::UniqueFd fd(
        ::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
        // Who could not be let in stays at the door, and would be announced again at once.
        const bool lacks_room = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        if (!lacks_room) return;
        if (deaf_until_ == std::chrono::steady_clock::time_point{})
            notes_.push_back(std::string("nobody else can be let in: ") + std::strerror(errno));
        deaf_until_ = std::chrono::steady_clock::now() + kDeaf;
        return;
    }
    const int yes = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (guests_.size() >= kMostGuests) make_room();
    guests_.emplace_back(std::move(fd), name_of(peer, size), RtmpGuest::House{address_.app, address_.key, is_taken_});
}

/// Who has said nothing for longest goes.
void RtmpListener::make_room() {
    auto silent = guests_.end();
    for (auto guest = guests_.begin(); guest != guests_.end(); ++guest) {
        if (&*guest == publisher_ || guest->state() == RtmpGuest::State::publishing) continue;
        if (silent == guests_.end() || guest->heard() < silent->heard()) silent = guest;
    }
    if (silent == guests_.end()) return;
    if (silent->reason().empty()) silent->drop("too many others came, and it said nothing for longest");
    say_goodbye(*silent);
    guests_.erase(silent);
}

void RtmpListener::say_goodbye(const RtmpGuest& guest) {
    if (guest.has_published()) return;
    ++refused_;
    if (notes_.size() >= kMostNotes) return;
    const std::string reason = guest.reason().empty() ? "it did not say what it wants within 5 s" : guest.reason();
    notes_.push_back("refused " + guest.address() + ": " + reason);
}

}  // namespace ringcast::ingest
