// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <chrono>
#include <cstdint>
#include <optional>

#include "hls/hls_folder.hpp"
#include "hls/http_body.hpp"

namespace ringcast::sink {

using HttpRequest = boost::beast::http::request<boost::beast::http::empty_body>;
using HttpReply = boost::beast::http::response<HttpBody>;

/// How long the reply to this request may wait for what it asks for; none: it can be made now. Held are
/// - the playlists, and /ready, while there is none: players never meet a 404. The player page asks /ready first, so
/// that
///   waiting shows no failed request in the browser; /ready?after=NAME waits for another stream than NAME;
/// - index.m3u8?_HLS_msn=N until segment N is in it (a blocking reload as in RFC 8216bis): the page learns of a segment
///   the moment it is there, not half a segment later.
std::optional<std::chrono::seconds> hold_time(const HttpRequest& request, const HlsFolder& folder);

/// The reply to a request, from the page's assets and what the folder has published at this moment. Never throws for
/// anything a client can send.
HttpReply make_reply(const HttpRequest& request, const HlsFolder& folder);

/// What of the stream a reply gave away.
struct MediaFile {
    std::optional<std::uint64_t> segment;  ///< none: the playlist
};

/// None: the page, an error, or no body at all.
std::optional<MediaFile> media_file(const HttpRequest& request, boost::beast::http::status status,
                                    const HlsFolder& folder);

/// The reply to bytes that are no HTTP request.
HttpReply bad_request_reply();

}  // namespace ringcast::sink
