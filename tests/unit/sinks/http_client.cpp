// SPDX-License-Identifier: Apache-2.0
#include "http_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

namespace ringcast::test {

HttpClient::HttpClient(const std::string& url) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) {
        ::close(fd_);
        throw std::runtime_error("cannot connect to " + url);
    }
    const timeval watchdog{60, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &watchdog, sizeof watchdog);
}

HttpClient::~HttpClient() {
    ::close(fd_);
}

void HttpClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool HttpClient::fill() {
    std::array<char, 16384> buffer{};
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    pending_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
}

HttpAnswer HttpClient::receive(bool head) {
    HttpAnswer answer;
    std::size_t end = 0;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) return answer;
    }
    const std::string lines = pending_.substr(0, end + 2);
    pending_.erase(0, end + 4);
    answer.status = std::stoi(lines.substr(9, 3));
    for (std::size_t at = lines.find("\r\n") + 2; at < lines.size();) {
        const std::size_t stop = lines.find("\r\n", at);
        const std::size_t colon = lines.find(": ", at);
        std::string name = lines.substr(at, colon - at);
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        answer.headers[name] = lines.substr(colon + 2, stop - colon - 2);
        at = stop + 2;
    }
    const auto length = answer.headers.find("content-length");
    if (head || length == answer.headers.end()) return answer;
    const std::size_t size = std::stoul(length->second);
    while (pending_.size() < size && fill()) {
    }
    answer.body = pending_.substr(0, size);
    pending_.erase(0, size);
    return answer;
}

HttpAnswer HttpClient::request(const std::string& method, const std::string& target, const std::string& headers) {
    send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
    return receive(method == "HEAD");
}

bool HttpClient::has_answer_within(int milliseconds) const {
    pollfd waiting{fd_, POLLIN, 0};
    return !pending_.empty() || ::poll(&waiting, 1, milliseconds) > 0;
}

}  // namespace ringcast::test
