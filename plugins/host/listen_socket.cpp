// SPDX-License-Identifier: Apache-2.0
#include "listen_socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "plugin_error.hpp"

namespace ringcast::host {
namespace {

constexpr int kBacklog = 64;

struct Address {
    std::string host;
    std::uint16_t port = 0;
};

[[noreturn]] void refuse(std::string_view address, const std::string& why) {
    throw PluginError("cannot listen on " + std::string(address) + ": " + why);
}

Address parse(std::string_view text) {
    Address result{"127.0.0.1", 0};
    std::string_view port = text;
    if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
        std::string_view host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
        if (!host.empty()) result.host = host;
    }
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
    if (port.empty() || error != std::errc{} || end != port.data() + port.size()) {
        refuse(text, "the form is [HOST:]PORT with a port of 0..65535, such as 8080 or 0.0.0.0:8080");
    }
    return result;
}

/// Inode of the listening socket on this port, from the kernel's table of this network namespace.
std::optional<std::string> inode_of_listener(std::uint16_t port) {
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream file(table);
        std::string line;
        std::getline(file, line);  // column heads
        while (std::getline(file, line)) {
            std::istringstream fields(line);
            std::string slot, local, remote, state, queues, timer, retransmit, uid, timeout, inode;
            fields >> slot >> local >> remote >> state >> queues >> timer >> retransmit >> uid >> timeout >> inode;
            const std::size_t colon = local.rfind(':');
            if (state != "0A" || colon == std::string::npos) continue;
            if (std::strtoul(local.c_str() + colon + 1, nullptr, 16) == port) return inode;
        }
    }
    return std::nullopt;
}

bool holds_socket(const std::filesystem::path& process, const std::string& link) {
    std::error_code error;
    std::filesystem::directory_iterator fds(process / "fd", error);
    return !error && std::any_of(begin(fds), end(fds), [&](const auto& fd) {
        std::error_code unreadable;
        return std::filesystem::read_symlink(fd.path(), unreadable).string() == link;
    });
}

/// " (held by python3, pid 77)", or empty: another user's processes cannot be looked into.
std::string holder_of(std::uint16_t port) {
    const auto inode = inode_of_listener(port);
    if (!inode) return {};
    std::error_code error;
    for (const auto& process : std::filesystem::directory_iterator("/proc", error)) {
        const std::string pid = process.path().filename().string();
        if (!std::all_of(pid.begin(), pid.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
        if (!holds_socket(process.path(), "socket:[" + *inode + "]")) continue;
        std::ifstream comm(process.path() / "comm");
        std::string name;
        std::getline(comm, name);
        return " (held by " + name + ", pid " + pid + ")";
    }
    return {};
}

}  // namespace

int open_listen_socket(std::string_view text) {
    const Address address = parse(text);
    addrinfo hints{};
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* raw = nullptr;
    const int found = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &raw);
    if (found != 0) refuse(text, "host '" + address.host + "': " + gai_strerror(found));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> resolved(raw, &freeaddrinfo);

    const int fd = socket(raw->ai_family, raw->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, raw->ai_protocol);
    if (fd < 0) refuse(text, std::strerror(errno));
    const int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(fd, raw->ai_addr, raw->ai_addrlen) != 0 ||
        listen(fd, kBacklog) != 0) {
        const int error = errno;
        close(fd);
        std::string why = std::strerror(error);
        if (error == EADDRINUSE) why += holder_of(address.port) + "; choose another port, or 0 for any free one";
        if (error == EACCES) why += "; ports below 1024 need privileges";
        refuse(text, why);
    }
    return fd;
}

}  // namespace ringcast::host
