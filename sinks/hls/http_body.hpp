// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/file_posix.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ringcast::sink {

/// The body of every reply: a text, bytes that live as long as the program, or part of an open file. A file is read in
/// small pieces as the client takes them, so a slow client costs one piece of memory. Content-Length is the caller's.
struct HttpBody {
    struct FilePart {
        boost::beast::file_posix file;  ///< positioned at the first byte
        std::uint64_t remaining = 0;
    };
    using value_type = std::variant<std::string, std::string_view, FilePart>;

    class writer {
    public:
        using const_buffers_type = boost::asio::const_buffer;

        template <bool is_request, class Fields>
        writer(boost::beast::http::header<is_request, Fields>&, value_type& body) : body_(body) {}

        void init(boost::beast::error_code& error) { error = {}; }

        boost::optional<std::pair<const_buffers_type, bool>> get(boost::beast::error_code& error) {
            error = {};
            if (auto* part = std::get_if<FilePart>(&body_)) return next_piece(*part, error);
            const std::string_view bytes = std::holds_alternative<std::string>(body_)
                                               ? std::string_view(std::get<std::string>(body_))
                                               : std::get<std::string_view>(body_);
            if (bytes.empty()) return boost::none;
            return {{const_buffers_type(bytes.data(), bytes.size()), false}};
        }

    private:
        boost::optional<std::pair<const_buffers_type, bool>> next_piece(FilePart& part,
                                                                        boost::beast::error_code& error) {
            if (part.remaining == 0) return boost::none;
            const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(part.remaining, piece_.size()));
            const std::size_t got = part.file.read(piece_.data(), wanted, error);
            if (error) return boost::none;
            if (got == 0) {  // shorter than it was: the promised length cannot be kept
                error = boost::beast::http::error::partial_message;
                return boost::none;
            }
            part.remaining -= got;
            return {{const_buffers_type(piece_.data(), got), part.remaining > 0}};
        }

        value_type& body_;
        std::array<char, 32 * 1024> piece_;
    };
};

}  // namespace ringcast::sink
