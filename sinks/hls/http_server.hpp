// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hls/audience.hpp"
#include "hls/hls_folder.hpp"
#include "hls/http_session.hpp"

namespace ringcast::sink {

/// The web server of the HLS sink: a thread of its own that serves the player page and what the folder has published.
/// Life cycle: serves from construction to destruction. Thread safety: all public members, any thread.
class HttpServer {
public:
    /// Takes over a listening socket. `folder` and `audience` must outlive the server. Throws SinkError(E_CONFIG).
    HttpServer(int listen_fd, const HlsFolder& folder, Audience& audience);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer();

    /// Answers the requests that wait for what is there now; call it after each new playlist.
    void wake_held_requests();

    /// Where a person opens the page.
    [[nodiscard]] const std::string& url() const noexcept { return url_; }

private:
    void accept();
    void on_accept(boost::beast::error_code error, boost::asio::ip::tcp::socket socket);
    void forget_ended_sessions();

    const HlsFolder& folder_;
    Audience& audience_;
    std::size_t most_connections_;
    boost::asio::io_context context_{1};
    boost::asio::ip::tcp::acceptor acceptor_{context_};
    boost::asio::steady_timer accept_pause_{context_};
    std::vector<std::weak_ptr<HttpSession>> sessions_;
    std::string url_;
    std::thread thread_;
};

}  // namespace ringcast::sink
