// SPDX-License-Identifier: Apache-2.0
#include "srt/srt_address.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include "mux/quantity.hpp"
#include "srt/srt_error.hpp"
#include "srt/srt_query.hpp"

namespace ringcast::srt {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostStreamidBytes = 512;  // SRTO_STREAMID
constexpr std::size_t kLeastPassphrase = 10;     // SRTO_PASSPHRASE
constexpr std::size_t kMostPassphrase = 79;

[[noreturn]] void wrong(const std::string& text) {
    throw SrtError(Failure::config, text);
}

bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= 24 && std::ranges::all_of(text, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
    });
}

/// A value in a message: a long one, or one with other bytes, may be a secret in the wrong place.
std::string shown(std::string_view name, std::string_view value) {
    return std::string(name) + "=" + (is_word(value) ? std::string(value) : "...");
}

bool has_control_bytes(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

std::string_view without_scheme(std::string_view url) {
    if (url.empty()) wrong("where to? Give url=srt://HOST:PORT, or url=srt://:PORT to wait for others");
    if (has_control_bytes(url)) wrong("url= holds a line break or another control byte; copy it again");
    const std::size_t colon = url.find("://");
    const std::string scheme = colon == std::string_view::npos ? std::string() : lower(url.substr(0, colon));
    if (scheme == "srt") return url.substr(colon + 3);
    if (scheme == "rtmp" || scheme == "rtmps") {
        wrong("url= begins with " + scheme + "://: that is RTMP; SRT takes srt://HOST:PORT");
    }
    wrong("url= must begin with srt://" + (is_word(scheme) ? ", not " + scheme + "://" : std::string()) +
          ", such as url=srt://live.example.com:9000");
}

std::uint16_t read_port(std::string_view text) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port > 65535) {
        wrong("url=: the port must be a number from 1 to 65535, such as srt://live.example.com:9000");
    }
    return static_cast<std::uint16_t>(port);
}

void read_authority(std::string_view authority, SrtAddress& address) {
    if (authority.find('@') != std::string_view::npos) {
        wrong("url= holds a login (user@host), which SRT does not have; a server's user name goes into streamid=");
    }
    std::size_t end = 0;
    if (authority.starts_with('[')) {
        end = authority.find(']');
        if (end == std::string_view::npos) {
            wrong("url=: the IPv6 address has no closing bracket, as in srt://[::1]:9000");
        }
        address.host = authority.substr(1, end - 1);
        ++end;
    } else {
        end = std::min(authority.find(':'), authority.size());
        address.host = authority.substr(0, end);
        if (authority.find(':', end + 1) != std::string_view::npos) {
            wrong("url=: write an IPv6 address in brackets, as in srt://[2001:db8::1]:9000");
        }
    }
    if (end < authority.size() && authority[end] != ':') {
        wrong("url=: behind the brackets only :PORT may follow, as in srt://[::1]:9000");
    }
    if (end + 1 >= authority.size()) wrong("url= names no port, and SRT has no usual one: srt://HOST:PORT");
    address.port = read_port(authority.substr(end + 1));
}

/// What stands behind the authority, up to the query.
void check_path(std::string_view path) {
    if (path.empty() || path == "/") return;
    if (path.front() == '#') wrong("url=: '#' stands behind host and port; a streamid goes behind ?streamid=");
    wrong("url= has a path behind host and port, and SRT knows none; what names the stream goes into streamid=");
}

/// A key of others: taken in silence, left out with a warning, or refused.
void take_foreign(const KnownKey& key, std::string_view value, SrtAddress& address) {
    if (key.kind == QueryKey::fits && is_one_of(value, key.means)) return;
    if (key.name == "transtype") wrong("url=: only transtype=live carries a live stream");
    std::string line = "url=: " + std::string(key.name) + "= is left out";
    if (key.kind == QueryKey::fits) {
        line += "; ringcast sends with " + std::string(key.name) + "=" +
                std::string(key.means.substr(0, key.means.find('|')));
    } else if (key.name.ends_with("latency")) {
        line += "; latency= holds for both directions";
    }
    address.warnings.push_back(line);
}

/// A word of ours in a streamid or passphrase, as pbkeylen=128 would be, is told: it may be a slip of the pen.
void tell_swallowed(const QueryPart& part, SrtAddress& address) {
    for (const char* name : {"mode", "latency", "pbkeylen"}) {
        if (lower(part.value).find("&" + std::string(name) + "=") == std::string::npos) continue;
        address.warnings.push_back("url=: what follows " + std::string(name) + "= does not fit it, so it is part of " +
                                   std::string(part.key->means) + "=");
    }
}

/// The words that hold: the query's, and over them those of the options.
SrtWords all_words(std::string_view query, const SrtWords& options, SrtAddress& address) {
    SrtWords words;
    for (const QueryPart& part : query_parts(query)) {
        const KnownKey* key = part.key;
        const std::string value = percent_decoded(part.value);
        if (key == nullptr) {
            wrong("url= has behind '?' a key that SRT does not know" +
                  (is_word(part.name) ? ": " + std::string(part.name) : std::string()) +
                  "; there may be mode, latency, streamid, passphrase, pbkeylen and maxbw");
        }
        if (key->kind != QueryKey::own) {
            take_foreign(*key, value, address);
        } else if (!words.emplace(key->means, value).second) {
            wrong("url= has " + std::string(key->means) + "= twice");
        } else if (is_secret_key(key)) {
            tell_swallowed(part, address);
        }
    }
    for (const auto& [name, value] : options)
        words.insert_or_assign(name, value);
    return words;
}

std::optional<std::string> find(const SrtWords& words, std::string_view name) {
    const auto found = words.find(name);
    return found == words.end() ? std::nullopt : std::optional(found->second);
}

Mode read_mode(const SrtWords& words, const SrtAddress& address) {
    const auto word = find(words, "mode");
    if (!word) return address.host.empty() ? Mode::listener : Mode::caller;
    if (is_one_of(*word, "caller|client")) return Mode::caller;
    if (is_one_of(*word, "listener|server")) return Mode::listener;
    if (is_one_of(*word, "rendezvous")) return Mode::rendezvous;
    wrong(shown("mode", *word) + ": must be caller, listener or rendezvous");
}

void check_place(const SrtAddress& address) {
    if (address.mode == Mode::listener) return;
    const std::string mode(name_of(address.mode));
    if (address.host.empty()) wrong("url= names no host, and mode=" + mode + " needs one: srt://HOST:PORT");
    if (address.port == 0) wrong("url=: port 0 means any free one, which only mode=listener can use");
}

milliseconds read_latency(const std::string& word) {
    using sink::Unit;
    static constexpr std::array<Unit, 4> kUnits{{{"", 1e3}, {"ms", 1e3}, {"s", 1e6}, {"us", 1}}};
    const auto us = sink::parse_quantity(word, kUnits, 1e15);
    if (!us) wrong(shown("latency", word) + ": not a time; write milliseconds or a unit, such as latency=200ms");
    const auto time = milliseconds(std::llround(*us / 1e3));
    if (time <= kLongestLatency) return time;
    const bool bare = std::isdigit(static_cast<unsigned char>(word.back())) != 0;
    const std::string meant =
        bare && *us / 1e6 <= 8e3 ? "; latency=" + std::to_string(std::llround(*us / 1e6)) + "ms?" : std::string();
    wrong(shown("latency", word) + ": more than 8000 ms. FFmpeg's option of that name is in microseconds, ours is in " +
          "milliseconds" + meant);
}

std::string read_streamid(const std::string& word) {
    if (word.size() > kMostStreamidBytes) wrong("streamid= is longer than 512 bytes, which is all SRT carries");
    if (has_control_bytes(word)) wrong("streamid= holds a line break or another control byte; copy it again");
    return word;
}

std::string read_passphrase(const std::string& word) {
    if (word.size() < kLeastPassphrase || word.size() > kMostPassphrase) {
        wrong("passphrase= must have 10 to 79 characters; SRT takes no other");
    }
    if (has_control_bytes(word)) wrong("passphrase= holds a line break or another control byte; copy it again");
    return word;
}

int read_key_length(const SrtWords& words, bool encrypted) {
    const std::string word = find(words, "pbkeylen").value_or("0");
    if (word == "0") return encrypted ? kDefaultKeyLength : 0;
    if (!is_one_of(word, "16|24|32")) wrong(shown("pbkeylen", word) + ": must be 16, 24 or 32 (AES-128, 192, 256)");
    if (!encrypted) wrong("pbkeylen= without passphrase= encrypts nothing; give passphrase=env:NAME or file:PATH");
    return std::stoi(word);
}

std::int64_t read_rate(const std::string& word, std::optional<double> bits_of_bare) {
    if (word == "-1" || word == "0") return word == "0" ? 0 : -1;
    using sink::Unit;
    const std::array<Unit, 8> units{{{"", bits_of_bare.value_or(0)},
                                     {"k", 1e3},
                                     {"M", 1e6},
                                     {"G", 1e9},
                                     {"bps", 1},
                                     {"kbps", 1e3},
                                     {"Mbps", 1e6},
                                     {"Gbps", 1e9}}};
    const auto bits = sink::parse_quantity(word, units, 1e12);
    if (bits && *bits >= 1e5) return std::llround(*bits);
    wrong(shown("maxbw", word) + ": not a rate from 100k on; write bits per second with a unit, such as maxbw=10M " +
          "(libsrt's own number is bytes per second)");
}

/// A word of ours needs its unit; libsrt and FFmpeg write bytes per second into an address, without one.
void read_maxbw(const std::string& word, bool of_url, SrtAddress& address) {
    address.maxbw_bps = read_rate(word, of_url ? std::optional(8.0) : std::nullopt);
    const bool bare = std::isdigit(static_cast<unsigned char>(word.back())) != 0;
    if (!of_url || !bare || address.maxbw_bps <= 0) return;
    address.warnings.push_back("url=: maxbw=" + word + " is taken as libsrt's bytes per second: maxbw=" +
                               std::to_string(std::llround(static_cast<double>(address.maxbw_bps) / 1e3)) + "k");
}

}  // namespace

std::string_view name_of(Mode mode) noexcept {
    switch (mode) {
        case Mode::caller:
            return "caller";
        case Mode::listener:
            return "listener";
        case Mode::rendezvous:
            return "rendezvous";
    }
    return "?";
}

std::string place_of(std::string_view host, std::uint16_t port) {
    const bool brackets = host.find(':') != std::string_view::npos;
    return "srt://" + (brackets ? "[" + std::string(host) + "]" : std::string(host)) + ":" + std::to_string(port);
}

std::string SrtAddress::place() const {
    return place_of(host, port);
}

SrtAddress read_srt_address(std::string_view url, const SrtWords& options) {
    SrtAddress address;
    const std::string_view rest = without_scheme(url);
    const std::size_t path = std::min(rest.find_first_of("/?#"), rest.size());
    const std::size_t query = std::min(rest.find('?', path), rest.size());
    read_authority(rest.substr(0, path), address);
    check_path(rest.substr(path, query - path));
    const SrtWords words = all_words(rest.substr(std::min(query + 1, rest.size())), options, address);
    address.mode = read_mode(words, address);
    check_place(address);
    if (const auto word = find(words, "latency")) address.latency = read_latency(*word);
    if (const auto word = find(words, "streamid")) address.streamid = read_streamid(*word);
    if (const auto word = find(words, "passphrase")) address.passphrase = read_passphrase(*word);
    if (const auto word = find(words, "maxbw")) read_maxbw(*word, !options.contains("maxbw"), address);
    address.pbkeylen = read_key_length(words, !address.passphrase.empty());
    return address;
}

}  // namespace ringcast::srt
