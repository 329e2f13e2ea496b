// SPDX-License-Identifier: Apache-2.0
#include "rtmp/target.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>
#include <vector>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

constexpr std::uint16_t kRtmpPort = 1935;
constexpr std::uint16_t kRtmpsPort = 443;
// librtmp builds the connect command in 4096 bytes.
constexpr std::size_t kMostAppBytes = 1500;

[[noreturn]] void wrong(const std::string& text) {
    throw SinkError(RINGCAST_SINK_E_CONFIG, text);
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

bool has_control_bytes(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool is_word(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c); });
}

bool read_scheme(std::string_view scheme) {
    const std::string name = lower(scheme);
    if (name == "rtmp" || name == "rtmps") return name == "rtmps";
    if (name == "srt") wrong("url= begins with srt://: that is the sink srt; this one takes rtmp:// and rtmps://");
    wrong("url= must begin with rtmp:// or rtmps://" + (is_word(name) ? ", not " + name + "://" : std::string()) +
          ", such as url=rtmp://live.example.com/app");
}

std::uint16_t read_port(std::string_view text) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65535) {
        wrong("url=: the port must be a number from 1 to 65535, such as rtmp://live.example.com:1935/app");
    }
    return static_cast<std::uint16_t>(port);
}

void read_authority(std::string_view authority, RtmpTarget& target) {
    if (authority.find('@') != std::string_view::npos) {
        wrong("url= holds a login (user@host), which RTMP platforms do not use; give the stream key with key=env:NAME");
    }
    target.port = target.tls ? kRtmpsPort : kRtmpPort;
    std::size_t end = 0;
    if (authority.starts_with('[')) {
        end = authority.find(']');
        if (end == std::string_view::npos)
            wrong("url=: the IPv6 address has no closing bracket, as in rtmp://[::1]/app");
        target.host = authority.substr(1, end - 1);
        ++end;
    } else {
        end = std::min(authority.find(':'), authority.size());
        target.host = authority.substr(0, end);
        if (authority.find(':', end + 1) != std::string_view::npos) {
            wrong("url=: write an IPv6 address in brackets, as in rtmp://[2001:db8::1]:1935/app");
        }
    }
    if (target.host.empty()) wrong("url= names no host, as in rtmp://live.example.com/app");
    if (end == authority.size()) return;
    if (authority[end] != ':') wrong("url=: behind the brackets only :PORT may follow, as in rtmp://[::1]:1935/app");
    target.port = read_port(authority.substr(end + 1));
}

std::string_view without_trailing_slashes(std::string_view text) {
    while (text.ends_with('/'))
        text.remove_suffix(1);
    return text;
}

/// `path` begins behind the slash that follows the host.
void read_path(std::string_view path, const std::string& key, RtmpTarget& target) {
    if (!key.empty()) {
        // Slashes at the end of a query belong to a value.
        target.app = path.find('?') == std::string_view::npos ? without_trailing_slashes(path) : path;
        target.stream = key;
        if (target.app.empty()) wrong("url= names no app, the first word behind the host: rtmp://live.example.com/app");
        return;
    }
    const std::size_t query = std::min(path.find('?'), path.size());
    const std::size_t slash = path.substr(0, query).rfind('/');
    if (slash != std::string_view::npos) {
        target.app = without_trailing_slashes(path.substr(0, slash));
        target.stream = path.substr(slash + 1);
    }
    if (target.app.empty() || target.stream.empty()) {
        wrong("which stream key? Add key=env:NAME or key=file:PATH (or put the key behind the app in url=)");
    }
}

/// What a server may repeat of a stream's name: all of it, its segments, and the values of its query.
std::vector<std::string_view> secrets_of(std::string_view stream) {
    std::vector<std::string_view> secrets{stream};
    for (std::size_t at = 0; at < stream.size();) {
        const std::size_t end = std::min(stream.find_first_of("/?&", at), stream.size());
        const std::string_view piece = stream.substr(at, end - at);
        const std::size_t equals = piece.find('=');
        secrets.push_back(piece);
        if (equals != std::string_view::npos) secrets.push_back(piece.substr(equals + 1));
        at = end + 1;
    }
    return secrets;
}

}  // namespace

RtmpTarget read_rtmp_target(const std::string& url, const std::string& key) {
    if (url.empty()) wrong("where to? Give url=rtmp://HOST/APP and key=env:NAME or key=file:PATH");
    if (has_control_bytes(url)) wrong("url= holds a line break or another control byte; copy it again");
    if (has_control_bytes(key)) wrong("key= holds a line break or another control byte; copy it again");
    if (key.size() > RINGCAST_SINK_MOST_SECRET) {
        wrong("key= is longer than " + std::to_string(RINGCAST_SINK_MOST_SECRET) + " bytes; that is no stream key");
    }
    const std::size_t colon = url.find("://");
    if (colon == std::string::npos)
        wrong("url= must begin with rtmp:// or rtmps://, such as rtmp://live.example.com/app");
    RtmpTarget target;
    target.tls = read_scheme(std::string_view(url).substr(0, colon));
    const std::size_t host = colon + 3;
    const std::size_t slash = std::min(url.find_first_of("/?", host), url.size());
    read_authority(std::string_view(url).substr(host, slash - host), target);
    const std::size_t path = slash < url.size() && url[slash] == '/' ? slash + 1 : slash;
    read_path(std::string_view(url).substr(path), key, target);
    if (target.app.size() > kMostAppBytes) wrong("url=: the app is longer than 1500 bytes");
    target.tc_url = url.substr(0, slash) + "/" + target.app;
    target.place = url.substr(0, slash) + "/" + target.app.substr(0, target.app.find_first_of("/?"));
    return target;
}

std::string without_key(std::string words, const RtmpTarget& target) {
    constexpr std::size_t kLeast = 6;  // shorter ones would take ordinary words out of the server's sentence
    for (const std::string_view secret : secrets_of(target.stream)) {
        if (secret.size() < kLeast) continue;
        for (std::size_t at = words.find(secret); at != std::string::npos; at = words.find(secret, at + 3))
            words.replace(at, secret.size(), "***");
    }
    return words;
}

}  // namespace ringcast::sink
