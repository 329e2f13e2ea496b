// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "hls/audience.hpp"
#include "hls/http_reply.hpp"

namespace ringcast::sink {

/// One connection: request, perhaps held, reply, next request. Everything is asynchronous and bounded: header size,
/// idle time, the time in which a client must take at least some bytes. Thread safety: the server's thread only.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
public:
    HttpSession(boost::asio::ip::tcp::socket socket, const HlsFolder& folder, Audience& audience);

    void start() { read_request(); }

    /// Answers a held request if what it waits for is there now.
    void wake();

private:
    void read_request();
    void on_request(boost::beast::error_code error);
    void hold(std::chrono::seconds most);
    void reply_with(HttpReply reply);
    void write_some();
    void tell_audience();
    void close();
    void drain();

    boost::beast::tcp_stream stream_;
    const HlsFolder& folder_;
    Audience& audience_;
    std::string address_;
    boost::asio::steady_timer hold_timer_;
    boost::beast::flat_buffer buffer_;
    std::optional<boost::beast::http::request_parser<boost::beast::http::empty_body>> parser_;
    std::optional<HttpReply> reply_;
    std::optional<boost::beast::http::response_serializer<HttpBody>> serializer_;
    bool held_ = false;
};

}  // namespace ringcast::sink
