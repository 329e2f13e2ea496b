// SPDX-License-Identifier: Apache-2.0
#include "hls/http_session.hpp"

#include <algorithm>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <utility>

namespace ringcast::sink {

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

constexpr std::chrono::seconds kIdleTime{60};
constexpr std::chrono::seconds kWriteTime{20};
constexpr std::chrono::seconds kLingerTime{2};
constexpr std::size_t kHeaderLimit = 8 * 1024;
constexpr std::size_t kMostOfAgent = 200;  // bytes that tell viewers apart

}  // namespace

HttpSession::HttpSession(boost::asio::ip::tcp::socket socket, const HlsFolder& folder, Audience& audience)
    : stream_(std::move(socket)),
      folder_(folder),
      audience_(audience),
      hold_timer_(stream_.get_executor()),
      buffer_(2 * kHeaderLimit) {
    error_code ignored;
    address_ = stream_.socket().remote_endpoint(ignored).address().to_string();
}

void HttpSession::read_request() {
    parser_.emplace();
    parser_->header_limit(kHeaderLimit);
    stream_.expires_after(kIdleTime);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, std::size_t) { self->on_request(error); });
}

void HttpSession::on_request(error_code error) {
    if (error == http::error::end_of_stream) return close();
    // Only what the parser itself refuses is worth an answer; the rest are dead or silent connections.
    if (error && error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::partial_message) {
        return reply_with(bad_request_reply());
    }
    if (error) return;
    if (const auto time = hold_time(parser_->get(), folder_)) return hold(*time);
    reply_with(make_reply(parser_->get(), folder_));
}

void HttpSession::hold(std::chrono::seconds most) {
    held_ = true;
    stream_.expires_never();
    hold_timer_.expires_after(most);
    hold_timer_.async_wait([self = shared_from_this()](error_code) {
        self->held_ = false;
        self->reply_with(make_reply(self->parser_->get(), self->folder_));
    });
}

void HttpSession::wake() {
    if (held_ && !hold_time(parser_->get(), folder_)) hold_timer_.cancel();
}

void HttpSession::reply_with(HttpReply reply) {
    reply_.emplace(std::move(reply));
    // A request body is of no use here and is never read, so no further request can follow it.
    if (!parser_->is_done()) reply_->keep_alive(false);
    serializer_.emplace(*reply_);
    write_some();
}

void HttpSession::write_some() {
    // The time runs anew with every piece taken: a slow client may be slow, a stopped one is let go.
    stream_.expires_after(kWriteTime);
    http::async_write_some(stream_, *serializer_, [self = shared_from_this()](error_code error, std::size_t) {
        if (error) return;
        if (!self->serializer_->is_done()) return self->write_some();
        self->tell_audience();
        const bool again = self->reply_->keep_alive();
        self->serializer_.reset();
        self->reply_.reset();  // closes the file
        again ? self->read_request() : self->close();
    });
}

void HttpSession::tell_audience() {
    const HttpRequest& request = parser_->get();
    const auto file = media_file(request, reply_->result(), folder_);
    if (!file) return;
    const auto agent = request[http::field::user_agent];
    const std::string viewer = address_ + ' ' + std::string(agent.data(), std::min(agent.size(), kMostOfAgent));
    if (file->segment) {
        audience_.fetched_segment(viewer, *file->segment, Audience::Clock::now());
    } else {
        audience_.fetched_playlist(viewer, Audience::Clock::now());
    }
}

void HttpSession::close() {
    error_code ignored;
    stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kLingerTime);
    drain();
}

// Closing with unread bytes would reset the connection and could take the reply from the client.
void HttpSession::drain() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kHeaderLimit), [self = shared_from_this()](error_code error, std::size_t) {
        if (!error) self->drain();
    });
}

}  // namespace ringcast::sink
