// SPDX-License-Identifier: Apache-2.0
#include "rtmp_peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <stdexcept>

namespace ringcast::test {

namespace {

constexpr std::size_t kSignature = 1536;

void add_number(std::vector<std::uint8_t>& body, double number) {
    body.push_back(0);
    const auto bits = std::bit_cast<std::uint64_t>(number);
    for (int shift = 56; shift >= 0; shift -= 8)
        body.push_back(static_cast<std::uint8_t>(bits >> static_cast<unsigned>(shift)));
}

void add_name(std::vector<std::uint8_t>& body, const std::string& text) {
    body.push_back(static_cast<std::uint8_t>(text.size() >> 8U));
    body.push_back(static_cast<std::uint8_t>(text.size()));
    body.insert(body.end(), text.begin(), text.end());
}

void add_string(std::vector<std::uint8_t>& body, const std::string& text) {
    body.push_back(2);
    add_name(body, text);
}

void add_information(std::vector<std::uint8_t>& body, const std::string& level, const std::string& code,
                     const std::string& description) {
    body.push_back(3);
    for (const auto& [name, value] :
         {std::pair{std::string("level"), level}, {"code", code}, {"description", description}}) {
        add_name(body, name);
        add_string(body, value);
    }
    body.insert(body.end(), {0, 0, 9});
}

std::string command_name(const PeerMessage& message) {
    const auto size = static_cast<std::size_t>(message.body.at(1) << 8U | message.body.at(2));
    return message.text().substr(3, size);
}

double transaction_of(const PeerMessage& message) {
    const std::size_t at = 3 + command_name(message).size() + 1;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 8; ++i)
        bits = bits << 8U | message.body.at(at + i);
    return std::bit_cast<double>(bits);
}

std::uint32_t big_endian(const std::uint8_t* bytes, int count) {
    std::uint32_t number = 0;
    for (int i = 0; i < count; ++i)
        number = number << 8U | bytes[i];
    return number;
}

}  // namespace

RtmpPeer::RtmpPeer(PeerManners manners) : manners_(std::move(manners)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&name), size) != 0 || ::listen(listener_, 8) != 0) {
        throw std::runtime_error("the peer cannot listen");
    }
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size);
    port_ = ntohs(name.sin_port);
    thread_ = std::thread([this] { serve(); });
}

RtmpPeer::~RtmpPeer() {
    ::shutdown(listener_, SHUT_RDWR);
    hang_up();
    thread_.join();
    ::close(listener_);
}

void RtmpPeer::serve() {
    for (int number = 1;; ++number) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        peer_ = fd;
        in_chunk_ = out_chunk_ = 128;
        received_ = acknowledged_ = 0;
        window_ = UINT32_MAX;
        acknowledgements_left_ = manners_.acknowledgements;
        chunks_.clear();
        if (number != manners_.hangs_up_on && shake_hands()) {
            while (read_chunk()) {
            }
        }
        peer_ = -1;
        ::close(fd);
    }
}

void RtmpPeer::hang_up() {
    if (const int fd = peer_; fd >= 0) ::shutdown(fd, SHUT_RDWR);
}

void RtmpPeer::reset() {
    const linger at_once{1, 0};
    ::setsockopt(peer_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    const sockaddr nowhere{AF_UNSPEC, {}};
    // Resets at once, and leaves the descriptor to its thread.
    static_cast<void>(::connect(peer_, &nowhere, sizeof nowhere));
}

bool RtmpPeer::read(void* into, std::size_t size) {
    received_ += static_cast<std::uint32_t>(size);
    read_ += size;
    return ::recv(peer_, into, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

void RtmpPeer::acknowledge() {
    if (acknowledgements_left_ == 0 || received_ - acknowledged_ < window_) return;
    --acknowledgements_left_;
    const std::uint32_t number = manners_.counts_anew ? received_ - acknowledged_ : received_;
    acknowledged_ = received_;
    send(3, {static_cast<std::uint8_t>(number >> 24U), static_cast<std::uint8_t>(number >> 16U),
             static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)});
}

void RtmpPeer::send_raw(const std::vector<std::uint8_t>& bytes) {
    ::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

/// The plain handshake: version bytes of 0 tell the client that no digest is wanted.
bool RtmpPeer::shake_hands() {
    std::array<std::uint8_t, 1 + kSignature> hello{};
    if (!read(hello.data(), hello.size())) return false;
    if (!manners_.handshake_instead.empty()) {
        send_raw({manners_.handshake_instead.begin(), manners_.handshake_instead.end()});
        return false;
    }
    std::array<std::uint8_t, kSignature> back{};
    if (!manners_.shakes_hands) return read(back.data(), 1);
    std::vector<std::uint8_t> answer{3};
    answer.resize(1 + kSignature);
    answer.insert(answer.end(), hello.begin() + 1, hello.end());
    send_raw(answer);
    return read(back.data(), back.size());
}

bool RtmpPeer::read_chunk() {
    std::array<std::uint8_t, 11> head{};
    if (!read(head.data(), 1)) return false;
    const unsigned format = head[0] >> 6U;
    Chunks& chunks = chunks_[head[0] & 0x3FU];  // our sink uses small numbers only
    if (format == 0) {
        if (!read(head.data(), 11)) return false;
        chunks.message = {};
        chunks.message.timestamp = big_endian(head.data(), 3);
        chunks.length = big_endian(head.data() + 3, 3);
        chunks.message.type = head[6];
        for (std::size_t i = 4; i-- > 0;)
            chunks.message.stream = chunks.message.stream << 8U | head[7 + i];
        chunks.extended = chunks.message.timestamp == 0xFFFFFF;
    } else if (format != 3) {
        throw std::runtime_error("the peer expects full headers");
    }
    if (chunks.extended) {
        if (!read(head.data(), 4)) return false;
        chunks.message.timestamp = big_endian(head.data(), 4);
    }
    auto& body = chunks.message.body;
    const std::size_t part = std::min<std::size_t>(in_chunk_, chunks.length - body.size());
    body.resize(body.size() + part);
    if (part > 0 && !read(body.data() + body.size() - part, part)) return false;
    if (body.size() == chunks.length) take(chunks.message);
    acknowledge();
    return true;
}

void RtmpPeer::take(const PeerMessage& message) {
    const bool media = message.type == 8 || message.type == 9;
    if (message.type == 1) in_chunk_ = big_endian(message.body.data(), 4);
    if (message.type == 5) window_ = big_endian(message.body.data(), 4);
    if (media && on_media) on_media(message);
    {
        const std::scoped_lock lock(mutex_);
        ++counts_[message.type];
        if (!media || manners_.keeps_messages) messages_.push_back(message);
    }
    if (message.type == 20) answer(message);
}

void RtmpPeer::answer(const PeerMessage& message) {
    const std::string name = command_name(message);
    std::vector<std::uint8_t> body;
    if (name == "connect") {
        const bool agrees = manners_.connect_error.empty();
        add_string(body, agrees ? "_result" : "_error");
        add_number(body, transaction_of(message));
        body.push_back(5);
        agrees ? add_information(body, "status", "NetConnection.Connect.Success", "Connection succeeded.")
               : add_information(body, "error", "NetConnection.Connect.Rejected", manners_.connect_error);
    } else if (name == "createStream") {
        add_string(body, "_result");
        add_number(body, transaction_of(message));
        body.push_back(5);
        add_number(body, 7);
    } else if (name == "publish") {
        if (manners_.closes_at_publish) return hang_up();
        if (!manners_.answers_publish) return;
        add_string(body, "onStatus");
        add_number(body, 0);
        body.push_back(5);
        add_information(body, manners_.publish_level, manners_.publish_code, manners_.publish_description);
    } else {
        return;
    }
    send(20, body);
}

void RtmpPeer::send(std::uint8_t type, const std::vector<std::uint8_t>& body) {
    const auto size = static_cast<std::uint32_t>(body.size());
    std::vector<std::uint8_t> bytes{3,
                                    0,
                                    0,
                                    0,
                                    static_cast<std::uint8_t>(size >> 16U),
                                    static_cast<std::uint8_t>(size >> 8U),
                                    static_cast<std::uint8_t>(size),
                                    type,
                                    0,
                                    0,
                                    0,
                                    0};
    for (std::size_t at = 0; at < body.size(); at += out_chunk_) {
        if (at > 0) bytes.push_back(0xC3);
        const std::size_t end = std::min<std::size_t>(at + out_chunk_, body.size());
        bytes.insert(bytes.end(), body.begin() + static_cast<std::ptrdiff_t>(at),
                     body.begin() + static_cast<std::ptrdiff_t>(end));
    }
    send_raw(bytes);
}

void RtmpPeer::set_chunk_size(std::uint32_t size) {
    send(1, {static_cast<std::uint8_t>(size >> 24U), static_cast<std::uint8_t>(size >> 16U),
             static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)});
    out_chunk_ = size;
}

std::vector<PeerMessage> RtmpPeer::messages() const {
    const std::scoped_lock lock(mutex_);
    return messages_;
}

bool RtmpPeer::waits_for(std::uint8_t type, std::size_t count) const {
    for (int i = 0; i < 2000; ++i) {
        {
            const std::scoped_lock lock(mutex_);
            const auto found = counts_.find(type);
            if (found != counts_.end() && found->second >= count) return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

}  // namespace ringcast::test
