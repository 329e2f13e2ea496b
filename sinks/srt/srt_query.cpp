// SPDX-License-Identifier: Apache-2.0
#include "srt/srt_query.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace ringcast::srt {

namespace {

constexpr std::string_view kOn = "1|yes|true|on";

// FFmpeg's libsrt protocol, and the URIs of libsrt's own programs. Those that would change what the peer sees or how
// long a connection takes are told; a value that is what ringcast does anyway is taken in silence.
constexpr auto kKnownKeys = std::to_array<KnownKey>({
    {"mode", QueryKey::own, "mode"},
    {"latency", QueryKey::own, "latency"},
    {"streamid", QueryKey::own, "streamid"},
    {"srt_streamid", QueryKey::own, "streamid"},
    {"passphrase", QueryKey::own, "passphrase"},
    {"pbkeylen", QueryKey::own, "pbkeylen"},
    {"maxbw", QueryKey::own, "maxbw"},
    {"transtype", QueryKey::fits, "live"},
    {"pkt_size", QueryKey::fits, "1316"},
    {"payload_size", QueryKey::fits, "1316"},
    {"payloadsize", QueryKey::fits, "1316"},
    {"messageapi", QueryKey::fits, kOn},
    {"tsbpdmode", QueryKey::fits, kOn},
    {"tsbpd", QueryKey::fits, kOn},
    {"tlpktdrop", QueryKey::fits, kOn},
    {"nakreport", QueryKey::fits, kOn},
    {"enforced_encryption", QueryKey::fits, kOn},
    {"enforcedencryption", QueryKey::fits, kOn},
    {"drifttracer", QueryKey::fits, kOn},
    {"smoother", QueryKey::fits, "live"},
    {"congestion", QueryKey::fits, "live"},
    {"linger", QueryKey::fits, "0"},
    {"snddropdelay", QueryKey::fits, "0"},
    {"inputbw", QueryKey::fits, "0"},
    {"mininputbw", QueryKey::fits, "0"},
    {"lossmaxttl", QueryKey::fits, "0"},
    {"minversion", QueryKey::fits, "0"},
    {"groupconnect", QueryKey::fits, "0"},
    {"rcvlatency", QueryKey::left_out},
    {"peerlatency", QueryKey::left_out},
    {"connect_timeout", QueryKey::left_out},
    {"conntimeo", QueryKey::left_out},
    {"listen_timeout", QueryKey::left_out},
    {"timeout", QueryKey::left_out},
    {"rw_timeout", QueryKey::left_out},
    {"peeridletimeo", QueryKey::left_out},
    {"send_buffer_size", QueryKey::left_out},
    {"recv_buffer_size", QueryKey::left_out},
    {"sndbuf", QueryKey::left_out},
    {"rcvbuf", QueryKey::left_out},
    {"udp_sndbuf", QueryKey::left_out},
    {"udp_rcvbuf", QueryKey::left_out},
    {"ffs", QueryKey::left_out},
    {"fc", QueryKey::left_out},
    {"mss", QueryKey::left_out},
    {"ipttl", QueryKey::left_out},
    {"iptos", QueryKey::left_out},
    {"ttl", QueryKey::left_out},
    {"tos", QueryKey::left_out},
    {"oheadbw", QueryKey::left_out},
    {"kmrefreshrate", QueryKey::left_out},
    {"kmpreannounce", QueryKey::left_out},
    {"retransmitalgo", QueryKey::left_out},
    {"packetfilter", QueryKey::left_out},
    {"blocking", QueryKey::left_out},
    {"sndsyn", QueryKey::left_out},
    {"rcvsyn", QueryKey::left_out},
    {"adapter", QueryKey::left_out},
    {"port", QueryKey::left_out},
    {"localport", QueryKey::left_out},
    {"bind", QueryKey::left_out},
    {"ipv6only", QueryKey::left_out},
});

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool same_letters(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b,
                              [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// A value that may hold any byte.
bool is_free_text(const KnownKey* key) {
    return key != nullptr && (key->means == "streamid" || key->means == "passphrase");
}

/// Where the value that begins at `from` ends.
std::size_t end_of_value(std::string_view query, std::size_t from, bool free_text) {
    for (std::size_t at = query.find('&', from); at != std::string_view::npos; at = query.find('&', at + 1)) {
        const std::size_t equals = query.find_first_of("=&", at + 1);
        const bool is_pair = equals != std::string_view::npos && query[equals] == '=';
        if (!free_text || (is_pair && find_known_key(query.substr(at + 1, equals - at - 1)) != nullptr)) return at;
    }
    return query.size();
}

}  // namespace

const KnownKey* find_known_key(std::string_view name) {
    const auto found =
        std::ranges::find_if(kKnownKeys, [&](const KnownKey& key) { return same_letters(key.name, name); });
    return found == kKnownKeys.end() ? nullptr : &*found;
}

QueryPairs split_query(std::string_view query) {
    QueryPairs pairs;
    for (std::size_t at = 0; at < query.size();) {
        const std::size_t name_end = std::min(query.find_first_of("=&", at), query.size());
        const std::string_view name = query.substr(at, name_end - at);
        const bool has_value = name_end < query.size() && query[name_end] == '=';
        const std::size_t from = has_value ? name_end + 1 : name_end;
        const std::size_t end = has_value ? end_of_value(query, from, is_free_text(find_known_key(name))) : name_end;
        if (end > at) pairs.emplace_back(name, percent_decoded(query.substr(from, end - from)));
        at = end + 1;
    }
    return pairs;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const int high = text[at] == '%' && at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[at + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high * 16 + low);
            at += 2;
        } else {
            out += text[at];
        }
    }
    return out;
}

}  // namespace ringcast::srt
