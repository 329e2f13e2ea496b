// SPDX-License-Identifier: Apache-2.0
#include "hls/http_reply.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <string>
#include <string_view>

#include "hls/byte_range.hpp"
#include "hls/page_assets.hpp"

namespace ringcast::sink {

namespace {

namespace http = boost::beast::http;

constexpr std::string_view kReadyPath = "/ready";
constexpr std::string_view kPlaylistPath = "/index.m3u8";
constexpr std::string_view kMasterPath = "/master.m3u8";
static_assert(kPlaylistPath.substr(1) == kPlaylistName && kMasterPath.substr(1) == kMasterName);

// Players give up a playlist request after 10 s without a byte.
constexpr std::chrono::seconds kHoldForPlaylist{10};
constexpr std::chrono::seconds kHoldForSegment{6};
constexpr const char* kAllowedMethods = "GET, HEAD, OPTIONS";

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}
boost::beast::string_view view(std::string_view text) {
    return {text.data(), text.size()};
}

std::string_view path_of(const HttpRequest& request) {
    const std::string_view target = view(request.target());
    return target.substr(0, target.find('?'));
}

// The value of "?key=value", empty without it.
std::string_view query_value(const HttpRequest& request, std::string_view key) {
    std::string_view target = view(request.target());
    target.remove_prefix(std::min(target.find('?'), target.size()));
    while (!target.empty()) {
        target.remove_prefix(1);
        const std::string_view word = target.substr(0, target.find('&'));
        if (word.starts_with(key) && word.substr(key.size()).starts_with('=')) return word.substr(key.size() + 1);
        target.remove_prefix(word.size());
    }
    return {};
}

// The N of "?_HLS_msn=N".
std::optional<std::uint64_t> wanted_segment(const HttpRequest& request) {
    const std::string_view text = query_value(request, "_HLS_msn");
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && !text.empty() ? std::optional(number) : std::nullopt;
}

// The page that has seen one stream to its end asks "?after=NAME" for the next.
bool is_ready_for(const HttpRequest& request, const HlsFolder& folder) {
    return folder.has_playlist() && query_value(request, "after") != folder.stream().name;
}

// RFC 9110, 6.6.1: who has a clock says the time; a player far away tells by it how old what a cache gave it is.
std::string http_date() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return {text.data(), length};
}

HttpReply empty_reply(const HttpRequest& request, http::status status) {
    HttpReply reply{status, request.version()};
    reply.set(http::field::server, "ringcast");
    reply.set(http::field::date, http_date());
    reply.set(http::field::access_control_allow_origin, "*");
    reply.set(http::field::access_control_expose_headers, "Content-Length, Content-Range, Date");
    reply.set("X-Content-Type-Options", "nosniff");
    reply.keep_alive(request.keep_alive());
    return reply;
}

// The body comes last: for HEAD the headers stand alone and say what GET would send.
void set_body(HttpReply& reply, const HttpRequest& request, std::uint64_t size, HttpBody::value_type body) {
    reply.content_length(size);
    if (request.method() != http::verb::head) reply.body() = std::move(body);
}

HttpReply text_reply(const HttpRequest& request, http::status status, std::string_view mime, std::string text) {
    HttpReply reply = empty_reply(request, status);
    reply.set(http::field::content_type, view(mime));
    reply.set(http::field::cache_control, "no-store");
    const std::size_t size = text.size();
    set_body(reply, request, size, std::move(text));
    return reply;
}

HttpReply plain_reply(const HttpRequest& request, http::status status) {
    return text_reply(request, status, "text/plain; charset=utf-8",
                      std::string(view(http::obsolete_reason(status))) + "\n");
}

HttpReply asset_reply(const HttpRequest& request, const PageAsset& asset) {
    HttpReply reply = empty_reply(request, http::status::ok);
    reply.set(http::field::content_type, view(asset.mime));
    // Pages of two builds must not mix in one browser.
    reply.set(http::field::cache_control, "no-cache");
    set_body(reply, request, asset.bytes.size(), asset.bytes);
    return reply;
}

HttpReply preflight_reply(const HttpRequest& request) {
    HttpReply reply = empty_reply(request, http::status::no_content);
    reply.set(http::field::allow, kAllowedMethods);
    reply.set(http::field::access_control_allow_methods, kAllowedMethods);
    reply.set(http::field::access_control_allow_headers, "Range, If-None-Match");
    reply.set(http::field::access_control_max_age, "86400");
    return reply;
}

// A later run reuses segment names: inode and time tell its files from those a browser may have kept.
std::string entity_tag(const struct stat& status) {
    return '"' + std::to_string(status.st_ino) + '-' + std::to_string(status.st_mtim.tv_sec) + '-' +
           std::to_string(status.st_mtim.tv_nsec) + '-' + std::to_string(status.st_size) + '"';
}

HttpReply file_reply(const HttpRequest& request, const std::filesystem::path& path) {
    HttpBody::FilePart part;
    boost::beast::error_code error;
    part.file.open(path.c_str(), boost::beast::file_mode::scan, error);
    struct stat status {};
    if (error || ::fstat(part.file.native_handle(), &status) != 0) {
        return plain_reply(request, http::status::not_found);
    }
    const std::string tag = entity_tag(status);
    const auto size = static_cast<std::uint64_t>(status.st_size);
    HttpReply reply = empty_reply(request, http::status::ok);
    reply.set(http::field::content_type, view(mime_of(path.native())));
    reply.set(http::field::cache_control, "no-cache");
    reply.set(http::field::etag, tag);
    reply.set(http::field::accept_ranges, "bytes");
    if (view(request[http::field::if_none_match]) == tag) {
        reply.result(http::status::not_modified);
        return reply;
    }
    const std::string_view if_range = view(request[http::field::if_range]);
    const bool use_range = if_range.empty() || if_range == tag;
    const auto wanted = parse_byte_range(use_range ? view(request[http::field::range]) : std::string_view(), size);
    if (std::holds_alternative<UnsatisfiableRange>(wanted)) {
        HttpReply refusal = plain_reply(request, http::status::range_not_satisfiable);
        refusal.set(http::field::content_range, "bytes */" + std::to_string(size));
        return refusal;
    }
    part.remaining = size;
    if (const auto* range = std::get_if<ByteRange>(&wanted)) {
        part.file.seek(range->first, error);
        part.remaining = range->last - range->first + 1;
        reply.result(http::status::partial_content);
        reply.set(http::field::content_range, "bytes " + std::to_string(range->first) + '-' +
                                                  std::to_string(range->last) + '/' + std::to_string(size));
    }
    const std::uint64_t length = part.remaining;
    set_body(reply, request, length, std::move(part));
    return reply;
}

// "stream" tells a page that comes back whether it is still the one it was playing.
HttpReply ready_reply(const HttpRequest& request, const HlsFolder& folder) {
    const HlsFolder::Stream stream = folder.stream();
    const std::string mode = stream.mode == HlsMode::live ? "live" : "event";
    return text_reply(request, http::status::ok, "application/json",
                      is_ready_for(request, folder)
                          ? R"({"ready":true,"stream":")" + stream.name + R"(","mode":")" + mode + "\"}\n"
                          : "{\"ready\":false}\n");
}

HttpReply late_playlist_reply(const HttpRequest& request) {
    HttpReply reply = plain_reply(request, http::status::service_unavailable);
    reply.set(http::field::retry_after, "1");
    return reply;
}

}  // namespace

std::optional<std::chrono::seconds> hold_time(const HttpRequest& request, const HlsFolder& folder) {
    if (request.method() != http::verb::get && request.method() != http::verb::head) return std::nullopt;
    const std::string_view path = path_of(request);
    if (path == kReadyPath) return is_ready_for(request, folder) ? std::nullopt : std::optional(kHoldForPlaylist);
    if (path != kPlaylistPath && path != kMasterPath) return std::nullopt;
    if (!folder.has_playlist()) return kHoldForPlaylist;
    const auto wanted = wanted_segment(request);
    return wanted && !folder.playlist_answers(*wanted) ? std::optional(kHoldForSegment) : std::nullopt;
}

HttpReply make_reply(const HttpRequest& request, const HlsFolder& folder) {
    if (request.method() == http::verb::options) return preflight_reply(request);
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
        HttpReply reply = plain_reply(request, http::status::method_not_allowed);
        reply.set(http::field::allow, kAllowedMethods);
        return reply;
    }
    const std::string_view path = path_of(request);
    if (!path.starts_with('/')) return plain_reply(request, http::status::bad_request);
    if (path == kReadyPath) return ready_reply(request, folder);
    if (const auto asset = find_page_asset(path)) return asset_reply(request, *asset);
    if (const auto file = folder.find(path.substr(1))) return file_reply(request, *file);
    const bool is_playlist = path == kPlaylistPath || path == kMasterPath;
    return is_playlist ? late_playlist_reply(request) : plain_reply(request, http::status::not_found);
}

std::optional<MediaFile> media_file(const HttpRequest& request, http::status status, const HlsFolder& folder) {
    const bool given =
        status == http::status::ok || status == http::status::partial_content || status == http::status::not_modified;
    if (request.method() != http::verb::get || !given) return std::nullopt;
    const std::string_view path = path_of(request);
    if (path == kPlaylistPath) return MediaFile{};
    const auto number = path.starts_with('/') ? folder.names().segment_number(path.substr(1)) : std::nullopt;
    return number ? std::optional(MediaFile{number}) : std::nullopt;
}

HttpReply bad_request_reply() {
    HttpRequest request;
    request.keep_alive(false);
    return plain_reply(request, http::status::bad_request);
}

}  // namespace ringcast::sink
