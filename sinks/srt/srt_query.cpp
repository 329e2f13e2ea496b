// SPDX-License-Identifier: Apache-2.0
#include "srt/srt_query.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace ringcast::srt {

namespace {

constexpr std::string_view kOn = "1|yes|true|on";
constexpr std::string_view kFlag = "0|1|no|yes|false|true|off|on";

// FFmpeg's libsrt protocol, and the URIs of libsrt's own programs. Those that would change what the peer sees or how
// long a connection takes are told; a value that is what ringcast does anyway is taken in silence.
constexpr auto kKnownKeys = std::to_array<KnownKey>({
    {"mode", QueryKey::own, "mode", "caller|client|listener|server|rendezvous"},
    {"latency", QueryKey::own, "latency", kNumber},
    {"streamid", QueryKey::own, "streamid", kAny},
    {"srt_streamid", QueryKey::own, "streamid", kAny},
    {"passphrase", QueryKey::own, "passphrase", kAny},
    {"pbkeylen", QueryKey::own, "pbkeylen", "0|16|24|32"},
    {"maxbw", QueryKey::own, "maxbw", kAny},
    {"transtype", QueryKey::fits, "live", "live|file"},
    {"pkt_size", QueryKey::fits, "1316", kNumber},
    {"payload_size", QueryKey::fits, "1316", kNumber},
    {"payloadsize", QueryKey::fits, "1316", kNumber},
    {"messageapi", QueryKey::fits, kOn, kFlag},
    {"tsbpdmode", QueryKey::fits, kOn, kFlag},
    {"tsbpd", QueryKey::fits, kOn},
    {"tlpktdrop", QueryKey::fits, kOn, kFlag},
    {"nakreport", QueryKey::fits, kOn, kFlag},
    {"enforced_encryption", QueryKey::fits, kOn, kFlag},
    {"enforcedencryption", QueryKey::fits, kOn, kFlag},
    {"drifttracer", QueryKey::fits, kOn},
    {"smoother", QueryKey::fits, "live"},
    {"congestion", QueryKey::fits, "live"},
    {"linger", QueryKey::fits, "0"},
    {"snddropdelay", QueryKey::fits, "0", kNumber},
    {"inputbw", QueryKey::fits, "0", kNumber},
    {"mininputbw", QueryKey::fits, "0"},
    {"lossmaxttl", QueryKey::fits, "0", kNumber},
    {"minversion", QueryKey::fits, "0"},
    {"groupconnect", QueryKey::fits, "0"},
    {"rcvlatency", QueryKey::left_out, {}, kNumber},
    {"peerlatency", QueryKey::left_out, {}, kNumber},
    {"connect_timeout", QueryKey::left_out, {}, kNumber},
    {"conntimeo", QueryKey::left_out, {}, kNumber},
    {"listen_timeout", QueryKey::left_out},
    {"timeout", QueryKey::left_out},
    {"rw_timeout", QueryKey::left_out},
    {"peeridletimeo", QueryKey::left_out},
    {"send_buffer_size", QueryKey::left_out, {}, kNumber},
    {"recv_buffer_size", QueryKey::left_out, {}, kNumber},
    {"sndbuf", QueryKey::left_out, {}, kNumber},
    {"rcvbuf", QueryKey::left_out, {}, kNumber},
    {"udp_sndbuf", QueryKey::left_out},
    {"udp_rcvbuf", QueryKey::left_out},
    {"ffs", QueryKey::left_out},
    {"fc", QueryKey::left_out},
    {"mss", QueryKey::left_out},
    {"ipttl", QueryKey::left_out},
    {"iptos", QueryKey::left_out},
    {"ttl", QueryKey::left_out},
    {"tos", QueryKey::left_out},
    {"oheadbw", QueryKey::left_out, {}, kNumber},
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

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

bool same_letters(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b,
                              [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool is_number(std::string_view value) {
    if (value.starts_with('-')) value.remove_prefix(1);
    const std::size_t unit = std::min(value.find_first_not_of("0123456789."), value.size());
    return unit > 0 && (unit == value.size() || is_one_of(value.substr(unit), "s|ms|us"));
}

/// Whether "key=value" is no part of the streamid or passphrase in front of it.
bool ends_text(std::string_view pair) {
    const std::size_t equals = pair.find('=');
    const KnownKey* key = equals == std::string_view::npos ? nullptr : find_known_key(pair.substr(0, equals));
    if (key == nullptr || key->ends_text_as.empty()) return false;
    if (key->ends_text_as == kAny) return true;
    const std::string value = percent_decoded(pair.substr(equals + 1));
    return key->ends_text_as == kNumber ? is_number(value) : is_one_of(value, key->ends_text_as);
}

/// Where the value that begins at `from` ends.
std::size_t end_of_value(std::string_view query, std::size_t from, bool free_text) {
    for (std::size_t at = query.find('&', from); at != std::string_view::npos; at = query.find('&', at + 1)) {
        const std::string_view next = query.substr(at + 1);
        if (!free_text || ends_text(next.substr(0, next.find('&')))) return at;
    }
    return query.size();
}

}  // namespace

const KnownKey* find_known_key(std::string_view name) {
    const auto found =
        std::ranges::find_if(kKnownKeys, [&](const KnownKey& key) { return same_letters(key.name, name); });
    return found == kKnownKeys.end() ? nullptr : &*found;
}

bool is_secret_key(const KnownKey* key) {
    return key != nullptr && (key->means == "streamid" || key->means == "passphrase");
}

bool is_one_of(std::string_view value, std::string_view choices) {
    const std::string wanted = lower(value);
    while (!choices.empty()) {
        const std::size_t bar = std::min(choices.find('|'), choices.size());
        if (choices.substr(0, bar) == wanted) return true;
        choices.remove_prefix(std::min(bar + 1, choices.size()));
    }
    return false;
}

std::vector<QueryPart> query_parts(std::string_view query) {
    std::vector<QueryPart> parts;
    for (std::size_t at = 0; at < query.size();) {
        const std::size_t name_end = std::min(query.find_first_of("=&", at), query.size());
        const std::string_view name = query.substr(at, name_end - at);
        const bool has_value = name_end < query.size() && query[name_end] == '=';
        const std::size_t from = has_value ? name_end + 1 : name_end;
        const KnownKey* key = find_known_key(name);
        const std::size_t end = has_value ? end_of_value(query, from, is_secret_key(key)) : name_end;
        if (end > at) parts.push_back({query.substr(at, end - at), name, query.substr(from, end - from), key});
        at = end + 1;
    }
    return parts;
}

QueryPairs split_query(std::string_view query) {
    QueryPairs pairs;
    for (const QueryPart& part : query_parts(query))
        pairs.emplace_back(part.name, percent_decoded(part.value));
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
