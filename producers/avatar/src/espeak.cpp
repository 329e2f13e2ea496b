// SPDX-License-Identifier: Apache-2.0
#include "espeak.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"

namespace ringcast::producers {
namespace {

[[noreturn]] void fail(const std::string& what, int error) {
    throw Error(ErrorCode::system, "espeak-ng: " + what + ": " + std::strerror(error));
}

/// A file in memory: the child's stdin, stdout or stderr. No pipes, so nothing can block half-way.
class MemoryFile {
public:
    explicit MemoryFile(const char* name) : fd_(memfd_create(name, MFD_CLOEXEC)) {
        if (fd_ < 0) fail("cannot make a memory file", errno);
    }
    ~MemoryFile() { ::close(fd_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    [[nodiscard]] int fd() const { return fd_; }

    void fill(const std::string& text) {
        for (std::size_t done = 0; done < text.size();) {
            const ssize_t count = ::write(fd_, text.data() + done, text.size() - done);
            if (count < 0 && errno != EINTR) fail("cannot hand the text over", errno);
            if (count > 0) done += static_cast<std::size_t>(count);
        }
        ::lseek(fd_, 0, SEEK_SET);
    }

    [[nodiscard]] std::vector<std::byte> content() const {
        const off_t size = ::lseek(fd_, 0, SEEK_END);
        std::vector<std::byte> bytes(static_cast<std::size_t>(size > 0 ? size : 0));
        for (std::size_t done = 0; done < bytes.size();) {
            const ssize_t count = ::pread(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
            if (count == 0) break;
            if (count < 0 && errno != EINTR) fail("cannot read what it made", errno);
            if (count > 0) done += static_cast<std::size_t>(count);
        }
        return bytes;
    }

private:
    int fd_;
};

int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) fail("cannot wait for it", errno);
    }
    return status;
}

std::string one_line(const std::vector<std::byte>& bytes) {
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    text = text.substr(0, text.find('\n'));
    return sanitise(text, 200);
}

}  // namespace

std::vector<std::byte> run_espeak(const std::string& text, const std::string& voice) {
    MemoryFile input("espeak-text");
    const MemoryFile sound("espeak-sound");
    const MemoryFile messages("espeak-messages");
    input.fill(text);

    // -b 1: the text is UTF-8. -s: words a minute; its own default of 175 is hasty for a presenter.
    std::string words[] = {"espeak-ng", "--stdout", "--stdin", "-b", "1", "-s", "160", "-v", voice};
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input.fd(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, sound.fd(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, messages.fd(), STDERR_FILENO);
    pid_t child = 0;
    const int error = posix_spawnp(&child, "espeak-ng", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT) {
        throw Error(ErrorCode::not_found, "espeak-ng is not installed; it speaks the text: apt install espeak-ng");
    }
    if (error != 0) fail("cannot start it", error);

    const int status = wait_for(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return sound.content();
    const std::string said = one_line(messages.content());
    if (said.find("voice") != std::string::npos) {
        throw Error(ErrorCode::not_found,
                    "espeak-ng has no voice \"" + sanitise(voice, 64) + "\"; see the list: espeak-ng --voices");
    }
    throw Error(ErrorCode::system, "espeak-ng failed" + (said.empty() ? std::string{} : ": " + said));
}

}  // namespace ringcast::producers
