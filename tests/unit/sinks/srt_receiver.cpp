// SPDX-License-Identifier: Apache-2.0
#include "srt_receiver.hpp"

#include <array>
#include <fstream>

namespace ringcast::test {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kLong{20};

template <class Condition>
bool wait_until(Condition&& condition) {
    for (const auto end = steady_clock::now() + kLong; steady_clock::now() < end;) {
        if (condition()) return true;
        std::this_thread::sleep_for(milliseconds(5));
    }
    return condition();
}

void leave_no_room(SRTSOCKET socket) {
    const int packets = 32;
    const int bytes = packets * 1456;
    srt_setsockflag(socket, SRTO_FC, &packets, sizeof packets);
    srt_setsockflag(socket, SRTO_RCVBUF, &bytes, sizeof bytes);
}

}  // namespace

std::unique_ptr<SrtReceiver> SrtReceiver::listening(const srt::SrtWords& words, bool reads) {
    std::unique_ptr<SrtReceiver> receiver(new SrtReceiver);
    receiver->reads_ = reads;
    receiver->listener_.emplace(
        srt::read_srt_address("srt://127.0.0.1:0?mode=listener", words), receiver->poll_,
        [](const std::string&, std::string_view) { return 0; }, reads ? nullptr : &leave_no_room);
    receiver->thread_ = std::thread([self = receiver.get()] { self->run(); });
    return receiver;
}

std::unique_ptr<SrtReceiver> SrtReceiver::calling(const std::string& url, const srt::SrtWords& words, bool reads) {
    std::unique_ptr<SrtReceiver> receiver(new SrtReceiver);
    receiver->reads_ = reads;
    const auto address = srt::read_srt_address(url, words);
    receiver->socket_ = srt::connect_srt(address, receiver->poll_, milliseconds(8000), [&](SRTSOCKET socket) {
        if (!reads) leave_no_room(socket);
    });
    if (reads) receiver->poll_.add(receiver->socket_.get(), SRT_EPOLL_IN | SRT_EPOLL_ERR);
    receiver->thread_ = std::thread([self = receiver.get()] { self->run(); });
    return receiver;
}

SrtReceiver::~SrtReceiver() {
    poll_.wake();
    if (thread_.joinable()) thread_.join();
}

std::string SrtReceiver::url() const {
    return srt::place_of("127.0.0.1", listener_->port());
}

void SrtReceiver::run() {
    while (poll_.wait(milliseconds(100)) != srt::SrtPoll::End::woken) {
        const std::scoped_lock lock(mutex_);
        if (listener_ && !socket_) {
            if (auto client = listener_->accept()) {
                socket_ = std::move(client->socket);
                streamid_ = client->streamid;
                poll_.add(socket_.get(), reads_ ? SRT_EPOLL_IN | SRT_EPOLL_ERR : SRT_EPOLL_ERR);
            }
        }
        if (!socket_ || (reads_ ? read_all() : socket_.is_connected())) continue;
        poll_.remove(socket_.get());
        socket_.reset();
        ++ended_;
        if (!listener_) return;
    }
}

/// False: the connection is over.
bool SrtReceiver::read_all() {
    std::array<char, 1456> bytes{};
    for (;;) {
        const int size = srt_recvmsg2(socket_.get(), bytes.data(), bytes.size(), nullptr);
        if (size <= 0) return size < 0 && srt_getlasterror(nullptr) == SRT_EASYNCRCV;
        messages_.emplace_back(bytes.begin(), bytes.begin() + size);
    }
}

std::vector<Message> SrtReceiver::messages() const {
    const std::scoped_lock lock(mutex_);
    return messages_;
}

std::string SrtReceiver::streamid() const {
    const std::scoped_lock lock(mutex_);
    return streamid_;
}

bool SrtReceiver::wait_for_messages(std::size_t count) const {
    return wait_until([&] {
        const std::scoped_lock lock(mutex_);
        return messages_.size() >= count;
    });
}

bool SrtReceiver::wait_for_end() const {
    return wait_until([&] {
        const std::scoped_lock lock(mutex_);
        return ended_ > 0;
    });
}

void SrtReceiver::save(const std::filesystem::path& path) const {
    std::ofstream file(path, std::ios::binary);
    for (const Message& message : messages())
        file.write(reinterpret_cast<const char*>(message.data()), static_cast<std::streamsize>(message.size()));
}

void SrtReceiver::hang_up() {
    const std::scoped_lock lock(mutex_);
    if (socket_) poll_.remove(socket_.get());
    socket_.reset();
}

}  // namespace ringcast::test
