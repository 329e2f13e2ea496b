// SPDX-License-Identifier: Apache-2.0
#include "hls/http_server.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

using boost::asio::ip::tcp;
using boost::beast::error_code;

// A viewer keeps one or two connections, and each reply holds a file open.
constexpr std::size_t kMostConnections = 4096;
constexpr rlim_t kDescriptors = 2 * kMostConnections + 256;
constexpr std::chrono::milliseconds kAcceptPause{200};

std::string url_of(const tcp::endpoint& endpoint) {
    const auto address = endpoint.address();
    std::string host = address.to_string();
    // Bound to every address: the one that works for the person at this machine.
    if (address.is_unspecified())
        host = "127.0.0.1";
    else if (address.is_v6())
        host = "[" + host + "]";
    return "http://" + host + ":" + std::to_string(endpoint.port()) + "/";
}

tcp protocol_of(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
}

// The usual soft limit of 1024 descriptors is there for programs that use select(); this one does not.
std::size_t most_connections() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
    limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kDescriptors));
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur >= kDescriptors ? kMostConnections : std::max<std::size_t>(limit.rlim_cur / 4, 16);
}

// Signals belong to the host's main thread; this one never runs a handler.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

}  // namespace

HttpServer::HttpServer(int listen_fd, const HlsFolder& folder, Audience& audience)
    : folder_(folder), audience_(audience), most_connections_(most_connections()) {
    // Everyone comes at once when a show begins: a queue as long as the system allows.
    ::listen(listen_fd, SOMAXCONN);
    error_code error;
    acceptor_.assign(protocol_of(listen_fd), listen_fd, error);
    if (error) {
        ::close(listen_fd);
        throw SinkError(RINGCAST_SINK_E_CONFIG, "cannot serve on the listening socket: " + error.message());
    }
    url_ = url_of(acceptor_.local_endpoint(error));
    accept();
    const SignalsBlocked inherited_by_the_thread;
    thread_ = std::thread([this] { context_.run(); });
}

HttpServer::~HttpServer() {
    context_.stop();
    thread_.join();
}

void HttpServer::wake_held_requests() {
    boost::asio::post(context_, [this] {
        for (const auto& weak : sessions_) {
            if (const auto session = weak.lock()) session->wake();
        }
    });
}

void HttpServer::accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) { on_accept(error, std::move(socket)); });
}

void HttpServer::on_accept(error_code error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted) return;
    if (error) {
        // Out of descriptors, most likely: the next accept would fail at once, for ever.
        accept_pause_.expires_after(kAcceptPause);
        accept_pause_.async_wait([this](error_code stopped) {
            if (!stopped) accept();
        });
        return;
    }
    forget_ended_sessions();
    if (sessions_.size() < most_connections_) {
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        const auto session = std::make_shared<HttpSession>(std::move(socket), folder_, audience_);
        sessions_.push_back(session);
        session->start();
    }
    accept();
}

void HttpServer::forget_ended_sessions() {
    std::erase_if(sessions_, [](const auto& weak) { return weak.expired(); });
}

}  // namespace ringcast::sink
