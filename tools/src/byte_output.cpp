// SPDX-License-Identifier: Apache-2.0
#include "byte_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "command.hpp"

namespace ringcast::tools {

namespace {

// What a pipe holds. A signal ends a write that blocks, so a stop is seen between two parts.
constexpr std::size_t kPipePart = 65536;

bool is_file(int fd) {
    struct stat info {};
    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

ByteOutput::ByteOutput(const std::string& path, const std::string& terminal_hint) {
    if (path.empty() || path == "-") {
        if (isatty(STDOUT_FILENO) != 0) throw VerbError(terminal_hint);
        name_ = "stdout";
        fd_ = STDOUT_FILENO;
    } else {
        name_ = "\"" + sanitise(path) + "\"";
        fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        owned_ = true;
        if (fd_ < 0) fail(errno);
    }
    // Appending ignores the position, so what was written cannot be amended there.
    file_ = is_file(fd_);
    seekable_ = file_ && lseek(fd_, 0, SEEK_CUR) == 0 && (fcntl(fd_, F_GETFL) & O_APPEND) == 0;
}

ByteOutput::~ByteOutput() {
    if (owned_ && fd_ >= 0) ::close(fd_);
}

void ByteOutput::fail(int error) const {
    throw VerbError("cannot write to " + name_ + ": " + std::strerror(error));
}

void ByteOutput::wait_writable() const {
    std::array<pollfd, 2> fds{{{fd_, POLLOUT, 0}, {stop_fd_, POLLIN, 0}}};
    for (;;) {
        const int ready = poll(fds.data(), fds.size(), -1);
        if (ready < 0 && errno != EINTR) fail(errno);
        if (ready <= 0) continue;
        if (fds[1].revents != 0) throw Stopped{};
        if (fds[0].revents != 0) return;
    }
}

void ByteOutput::write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        std::size_t part = bytes.size();
        if (!file_) {
            wait_writable();
            part = std::min(part, kPipePart);
        }
        const ssize_t done = ::write(fd_, bytes.data(), part);
        if (done < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (done < 0 && errno == EPIPE) throw ReaderLeft{};
        if (done < 0) fail(errno);
        written_ += static_cast<std::uint64_t>(done);
        bytes = bytes.subspan(static_cast<std::size_t>(done));
    }
}

void ByteOutput::seek(std::int64_t position) {
    if (lseek(fd_, position, SEEK_SET) < 0) fail(errno);
}

void ByteOutput::close() {
    if (!owned_) return;
    if (::close(std::exchange(fd_, -1)) != 0) fail(errno);
}

}  // namespace ringcast::tools
