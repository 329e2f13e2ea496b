// SPDX-License-Identifier: Apache-2.0
#include "secret_source.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "plugin_error.hpp"

namespace ringcast::host {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMostValue = 4096;
constexpr std::chrono::seconds kPipePatience{5};
constexpr std::string_view kEnv = "env:";
constexpr std::string_view kFile = "file:";

class OpenFile {
public:
    // Not blocking: a pipe without a writer must not hold the process; read_value() waits for it.
    explicit OpenFile(const std::string& path)
        : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
    ~OpenFile() {
        if (fd_ >= 0) close(fd_);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

std::string name_file(const std::string& option, const std::string& path) {
    return option + "=file:" + path;
}

/// `fix` says how to put it right.
std::string checked(std::string value, const std::string& what, const std::string& fix) {
    if (value.find('\0') != std::string::npos) throw UsageError(what + ": holds a NUL byte, so it is no text; " + fix);
    if (value.ends_with('\n')) value.pop_back();
    if (value.ends_with('\r')) value.pop_back();
    if (value.empty()) throw UsageError(what + ": is empty; " + fix);
    if (value.size() > kMostValue) {
        throw UsageError(what + ": is longer than " + std::to_string(kMostValue) + " bytes; " + fix);
    }
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(value.begin(), value.end(), is_control)) {
        throw UsageError(what + ": holds more than one line, or a control character; " + fix);
    }
    return value;
}

std::string read_file(const SecretSource& source, int fd) {
    const std::string what = name_file(source.option(), source.where());
    return checked(read_value(fd, what), what, "put the value there as one line");
}

}  // namespace

std::string read_value(int fd, const std::string& what) {
    const auto deadline = steady_clock::now() + kPipePatience;
    std::string value;
    std::array<char, 1024> buffer{};
    while (value.size() <= kMostValue + 2) {
        pollfd wait{fd, POLLIN, 0};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
        if (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) == 0) {
            throw UsageError(what + ": nobody wrote its end within 5 s");
        }
        const ssize_t got = read(fd, buffer.data(), buffer.size());
        if (got == 0) break;
        if (got > 0) {
            value.append(buffer.data(), static_cast<std::size_t>(got));
        } else if (errno != EINTR && errno != EAGAIN) {
            throw UsageError(what + ": " + std::strerror(errno));
        }
    }
    explicit_bzero(buffer.data(), buffer.size());
    return value;
}

std::optional<SecretSource> SecretSource::parse(const std::string& option, const std::string& value) {
    for (const std::string_view kind : {kEnv, kFile}) {
        if (!value.starts_with(kind)) continue;
        std::string where = value.substr(kind.size());
        if (where.empty() || (kind == kEnv && where.find('=') != std::string::npos)) {
            throw UsageError("option " + option + ": after env: stands the NAME of a variable, after file: a PATH");
        }
        return SecretSource(option, kind == kFile, std::move(where));
    }
    return std::nullopt;
}

std::string SecretSource::take() const {
    if (is_file_) {
        const OpenFile file(where_);
        if (file.get() < 0) {
            throw UsageError(name_file(option_, where_) + ": " + std::strerror(errno) +
                             "; the file must be there and readable for this user");
        }
        return read_file(*this, file.get());
    }
    char* text = getenv(where_.c_str());
    const std::string what = option_ + "=env:" + where_;
    const std::string fix = "export " + where_ + ", or use " + option_ + "=file:PATH";
    if (text == nullptr) throw UsageError(what + ": there is no such environment variable; " + fix);
    std::string value = text;
    explicit_bzero(text, value.size());
    unsetenv(where_.c_str());
    return checked(std::move(value), what, fix);
}

std::optional<std::string> SecretSource::look_again() const {
    if (!is_file_) return std::nullopt;
    const OpenFile file(where_);
    if (file.get() < 0) throw UsageError(name_file(option_, where_) + ": " + std::strerror(errno));
    struct stat status {};
    if (fstat(file.get(), &status) == 0 && !S_ISREG(status.st_mode)) return std::nullopt;
    return read_file(*this, file.get());
}

bool SecretSource::is_open_to_all() const {
    struct stat status {};
    return is_file_ && stat(where_.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0;
}

}  // namespace ringcast::host
