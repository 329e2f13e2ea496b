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

#include "handed_value.hpp"
#include "plugin_error.hpp"
#include "ringcast/sink.h"

namespace ringcast::host {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMostValue = RINGCAST_SINK_MOST_SECRET;
constexpr std::chrono::seconds kPipePatience{5};
constexpr std::string_view kEnv = "env:";
constexpr std::string_view kFile = "file:";
constexpr std::string_view kDescriptor = "fd:";

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

/// `fix` says how to put it right.
std::string checked(std::string value, const std::string& what, const std::string& fix) {
    if (value.find('\0') != std::string::npos) throw UsageError(what + ": holds a NUL byte, so it is no text; " + fix);
    value.erase(value.find_last_not_of("\r\n") + 1);  // empty lines at the end are the editor's
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

std::string read_checked(const std::string& what, int fd) {
    return checked(read_value(fd, what), what, "put the value there as one line");
}

}  // namespace

const char* blank_in(std::string_view value) {
    // Copied from a page: no-break and ideographic spaces, zero-width ones, the byte order mark of some editors.
    for (const std::string_view blank : {" ", "\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8b", "\xef\xbb\xbf"}) {
        if (value.starts_with(blank)) return "in front of";
        if (value.ends_with(blank)) return "at the end of";
        if (value.find(blank) != std::string_view::npos) return "inside";
    }
    return nullptr;
}

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
    if (const auto fd = handed_descriptor(value)) return SecretSource(option, Kind::descriptor, std::to_string(*fd));
    for (const auto& [prefix, kind] : {std::pair(kEnv, Kind::env), std::pair(kFile, Kind::file)}) {
        if (!value.starts_with(prefix)) continue;
        std::string where = value.substr(prefix.size());
        if (where.empty() || (kind == Kind::env && where.find('=') != std::string::npos)) {
            throw UsageError("option " + option + ": after env: stands the NAME of a variable, after file: a PATH");
        }
        return SecretSource(option, kind, std::move(where));
    }
    return std::nullopt;
}

std::string SecretSource::text() const {
    const std::string_view prefix = kind_ == Kind::env ? kEnv : kind_ == Kind::file ? kFile : kDescriptor;
    return option_ + "=" + std::string(prefix) + where_;
}

std::string SecretSource::take() const {
    const std::string what = text();
    if (kind_ == Kind::descriptor) {
        const int fd = *handed_descriptor(std::string(kDescriptor) + where_);
        std::string value = read_checked(what, fd);
        close(fd);
        return value;
    }
    if (kind_ == Kind::file) {
        const OpenFile file(where_);
        if (file.get() < 0) {
            throw UsageError(what + ": " + std::strerror(errno) +
                             "; the file must be there and readable for this user");
        }
        return read_checked(what, file.get());
    }
    char* text = getenv(where_.c_str());
    const std::string fix = "export " + where_ + ", or use " + option_ + "=file:PATH";
    if (text == nullptr) throw UsageError(what + ": there is no such environment variable; " + fix);
    std::string value = text;
    explicit_bzero(text, value.size());
    unsetenv(where_.c_str());
    return checked(std::move(value), what, fix);
}

std::optional<std::string> SecretSource::look_again() const {
    if (!is_file()) return std::nullopt;
    const OpenFile file(where_);
    if (file.get() < 0) throw UsageError(text() + ": " + std::strerror(errno));
    struct stat status {};
    if (fstat(file.get(), &status) == 0 && !S_ISREG(status.st_mode)) return std::nullopt;
    return read_checked(text(), file.get());
}

bool SecretSource::is_open_to_all() const {
    struct stat status {};
    return is_file() && stat(where_.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           (status.st_mode & S_IROTH) != 0;
}

}  // namespace ringcast::host
