// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ringcast::srt {

enum class Mode { caller, listener, rendezvous };

[[nodiscard]] std::string_view name_of(Mode mode) noexcept;

inline constexpr std::chrono::milliseconds kDefaultLatency{200};
inline constexpr std::chrono::milliseconds kLongestLatency{8000};
inline constexpr int kDefaultKeyLength = 32;

/// Where a connection goes and how, checked.
struct SrtAddress {
    Mode mode = Mode::caller;
    std::string host;  ///< without the brackets of an IPv6 address; empty: any address of this machine (listener)
    std::uint16_t port = 0;
    std::chrono::milliseconds latency = kDefaultLatency;
    std::string streamid;    ///< secret; empty: none
    std::string passphrase;  ///< secret; empty: not encrypted
    int pbkeylen = 0;        ///< bytes of the AES key: 16, 24 or 32; 0 without a passphrase
    /// bits per second; -1: no limit (libsrt's default), 0: libsrt's estimate of the input plus a quarter
    std::int64_t maxbw_bps = -1;
    std::vector<std::string> warnings;  ///< what of the address was left out, a line each; no secrets

    /// For people: "srt://host:port".
    [[nodiscard]] std::string place() const;
};

/// Option words by name, those that were given: mode, latency, streamid, passphrase, pbkeylen, maxbw.
using SrtWords = std::map<std::string, std::string, std::less<>>;

/// Takes "srt://[HOST]:PORT[?QUERY]" apart and checks all of it; a word beats what the query says. Pure: no name is
/// looked up. Throws SrtError(config), without showing what may be a secret.
[[nodiscard]] SrtAddress read_srt_address(std::string_view url, const SrtWords& options = {});

/// "srt://host:port", with brackets around an IPv6 address.
[[nodiscard]] std::string place_of(std::string_view host, std::uint16_t port);

}  // namespace ringcast::srt
