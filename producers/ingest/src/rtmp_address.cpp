// SPDX-License-Identifier: Apache-2.0
#include "rtmp_address.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>

namespace ringcast::ingest {
namespace {

constexpr std::uint16_t kTlsPort = 443;

std::uint16_t read_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
        throw AddressError(
            "the port of the address must be a number from 1 to 65535, as in rtmp://127.0.0.1:1935/live");
    }
    return port;
}

void read_authority(std::string_view authority, RtmpAddress& address) {
    if (authority.find('@') != std::string_view::npos)
        throw AddressError("the address holds a login (user@host), which RTMP does not use; give the key with --key");
    std::size_t colon = authority.rfind(':');
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos)
            throw AddressError("the IPv6 address has no closing bracket: rtmp://[::1]/live");
        address.host = authority.substr(1, end - 1);
        colon = end + 1 < authority.size() ? end + 1 : std::string_view::npos;
    } else if (authority.find(':') != colon) {
        throw AddressError("an IPv6 address has to be written in brackets: rtmp://[" + std::string(authority) +
                           "]/live");
    } else {
        address.host = authority.substr(0, colon);
    }
    if (colon != std::string_view::npos) address.port = read_port(authority.substr(colon + 1));
}

/// Takes "listen=1" out of a query, and says whether it stood there.
bool take_listen(std::string& path) {
    const std::size_t query = path.find('?');
    if (query == std::string::npos) return false;
    for (std::size_t at = query + 1; at <= path.size();) {
        const std::size_t end = std::min(path.find('&', at), path.size());
        const std::string_view pair = std::string_view(path).substr(at, end - at);
        if (pair == "listen=1" || pair == "listen") {
            // With the separator behind it, or the one in front where it is the last.
            end < path.size() ? path.erase(at, end + 1 - at) : path.erase(at - 1);
            return true;
        }
        at = end + 1;
    }
    return false;
}

/// libavformat would go on with a file that it cannot read, and trust nobody.
void take_trust(const IngestAddress& words, RtmpAddress& address) {
    if (!address.tls && (!words.tls_ca.empty() || !words.tls_verify))
        throw AddressError("--tls-ca and --tls-verify are for rtmps://");
    if (!words.tls_ca.empty() && !words.tls_verify)
        throw AddressError("--tls-verify no trusts everybody, so --tls-ca has no use; leave one of them out");
    address.tls_ca = words.tls_ca;
    address.tls_verify = words.tls_verify;
    if (words.tls_ca.empty()) return;
    std::ifstream file(words.tls_ca);
    const std::string pem((std::istreambuf_iterator<char>(file)), {});
    if (pem.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
        const char* fault = file.is_open() ? "it holds no certificate" : "it cannot be read";
        throw AddressError("--tls-ca " + words.tls_ca + ": " + fault +
                           "; name a PEM file with the authority's certificate");
    }
}

}  // namespace

RtmpAddress read_rtmp_address(const IngestAddress& words) {
    const std::string& url = words.url;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (std::any_of(url.begin(), url.end(), is_control) || std::any_of(words.key.begin(), words.key.end(), is_control))
        throw AddressError("the address or the key holds a line break or another control byte; copy it again");
    RtmpAddress address;
    const std::size_t scheme_end = url.find("://");
    // "rtmps", however it is written: the caller has looked at the scheme.
    address.tls = scheme_end == 5;
    take_trust(words, address);
    if (address.tls) address.port = kTlsPort;
    const std::size_t host = scheme_end + 3;
    const std::size_t slash = std::min(url.find_first_of("/?", host), url.size());
    read_authority(std::string_view(url).substr(host, slash - host), address);
    std::string path = slash < url.size() && url[slash] == '/' ? url.substr(slash + 1) : url.substr(slash);
    address.listens = take_listen(path) || words.listen || address.host.empty();
    const std::size_t end = path.find_last_not_of('/', path.find('?') == std::string::npos ? std::string::npos : 0);
    if (path.find('?') == std::string::npos) path.resize(end == std::string::npos ? 0 : end + 1);
    address.app = path;
    address.key = words.key;
    if (address.key.empty()) {
        const std::size_t last = path.substr(0, path.find('?')).rfind('/');
        if (last != std::string::npos) {
            address.app = path.substr(0, last);
            address.key = path.substr(last + 1);
        }
    }
    if (address.app.empty()) throw AddressError("the address names no app: rtmp://HOST[:PORT]/APP[/STREAM]");
    if (address.tls && address.listens)
        throw AddressError(
            "RTMPS cannot be listened at here: use rtmp:// behind a TLS proxy, or srt:// with --passphrase");
    if (!address.listens && address.key.empty())
        throw AddressError("which stream? Add --key env:NAME or --key file:PATH, or put its name behind the app");
    address.place = url.substr(0, slash) + "/" + address.app.substr(0, address.app.find_first_of("/?"));
    return address;
}

}  // namespace ringcast::ingest
