// SPDX-License-Identifier: Apache-2.0
/// What people build from the kernel alone: a FIFO per reader, and memfds whose descriptors go over a Unix socket.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "transport.hpp"

namespace ringcast::bench {
namespace {

void check(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

class Fifo final : public Transport {
public:
    explicit Fifo(unsigned readers) : pipes_(readers), frame_(kFrameBytes) {
        for (auto& pipe : pipes_) {
            check(::pipe(pipe.data()) == 0, "pipe");
            fcntl(pipe[1], F_SETPIPE_SZ, 1 << 20);  // the most an unprivileged process gets
        }
    }
    ~Fifo() override {
        for (const auto& pipe : pipes_) {
            close(pipe[0]);
            close(pipe[1]);
        }
    }

    void open_writer() override {}
    std::span<std::byte> prepare() override { return frame_; }
    void publish() override { write_all(frame_); }
    void send(std::span<const std::byte> frame) override { write_all(frame); }

    void open_reader(unsigned number) override { input_ = pipes_[number][0]; }
    std::uint64_t receive() override {
        for (std::size_t have = 0; have < kFrameBytes;) {
            const ssize_t got = read(input_, frame_.data() + have, kFrameBytes - have);
            check(got > 0, "read");
            have += static_cast<std::size_t>(got);
        }
        std::uint64_t stamp = 0;
        std::memcpy(&stamp, frame_.data(), sizeof stamp);
        return stamp;
    }

private:
    void write_all(std::span<const std::byte> frame) {
        for (const auto& pipe : pipes_) {
            for (std::size_t done = 0; done < frame.size();) {
                const ssize_t put = write(pipe[1], frame.data() + done, frame.size() - done);
                check(put > 0, "write");
                done += static_cast<std::size_t>(put);
            }
        }
    }

    std::vector<std::array<int, 2>> pipes_;
    std::vector<std::byte> frame_;
    int input_ = -1;
};

/// One byte, which the kernel wants, and room for one descriptor.
struct DescriptorMessage {
    DescriptorMessage() = default;
    DescriptorMessage(const DescriptorMessage&) = delete;
    DescriptorMessage& operator=(const DescriptorMessage&) = delete;

    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    char byte = 0;
    iovec data{&byte, 1};
    msghdr header{.msg_name = nullptr,
                  .msg_namelen = 0,
                  .msg_iov = &data,
                  .msg_iovlen = 1,
                  .msg_control = control.data(),
                  .msg_controllen = control.size(),
                  .msg_flags = 0};
};

/// kSlots memfds; each frame's descriptor is sent to every reader, who maps it and gives the slot back with one byte.
class Memfd final : public Transport {
public:
    explicit Memfd(unsigned readers) : sockets_(readers), owed_(readers) {
        for (auto& pair : sockets_)
            check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair.data()) == 0, "socketpair");
    }
    ~Memfd() override {
        for (const auto& pair : sockets_) {
            close(pair[0]);
            close(pair[1]);
        }
    }

    void open_writer() override {
        for (Slot& slot : slots_) {
            slot.fd = memfd_create("bench", 0);
            check(slot.fd >= 0 && ftruncate(slot.fd, kFrameBytes) == 0, "memfd");
            void* memory = mmap(nullptr, kFrameBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, slot.fd, 0);
            check(memory != MAP_FAILED, "mmap");
            slot.memory = static_cast<std::byte*>(memory);
        }
    }
    std::span<std::byte> prepare() override {
        for (std::size_t reader = 0; reader < owed_.size(); ++reader) {
            while (owed_[reader] >= kSlots - 1) {
                char answer = 0;
                check(recv(sockets_[reader][0], &answer, 1, 0) == 1, "recv");
                --owed_[reader];
            }
        }
        return {slots_[next_].memory, kFrameBytes};
    }
    void publish() override {
        for (std::size_t reader = 0; reader < owed_.size(); ++reader) {
            send_descriptor(sockets_[reader][0], slots_[next_].fd);
            ++owed_[reader];
        }
        next_ = (next_ + 1) % kSlots;
    }

    void open_reader(unsigned number) override { socket_ = sockets_[number][1]; }
    std::uint64_t receive() override {
        const int fd = receive_descriptor(socket_);
        void* memory = mmap(nullptr, kFrameBytes, PROT_READ, MAP_SHARED, fd, 0);
        check(memory != MAP_FAILED, "mmap");
        std::uint64_t stamp = 0;
        std::memcpy(&stamp, memory, sizeof stamp);
        munmap(memory, kFrameBytes);
        close(fd);
        check(::send(socket_, "", 1, 0) == 1, "send");
        return stamp;
    }

private:
    struct Slot {
        int fd = -1;
        std::byte* memory = nullptr;
    };

    static void send_descriptor(int socket, int fd) {
        DescriptorMessage message;
        cmsghdr* header = CMSG_FIRSTHDR(&message.header);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
        check(sendmsg(socket, &message.header, 0) == 1, "sendmsg");
    }
    static int receive_descriptor(int socket) {
        DescriptorMessage message;
        check(recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC) == 1, "recvmsg");
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message.header)), sizeof fd);
        return fd;
    }

    std::vector<std::array<int, 2>> sockets_;
    std::vector<unsigned> owed_;  // frames a reader has not given back
    std::array<Slot, kSlots> slots_;
    unsigned next_ = 0;
    int socket_ = -1;
};

}  // namespace

std::unique_ptr<Transport> make_fifo(unsigned readers) {
    return std::make_unique<Fifo>(readers);
}
std::unique_ptr<Transport> make_memfd(unsigned readers) {
    return std::make_unique<Memfd>(readers);
}

}  // namespace ringcast::bench
