// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace ringcast::sink {

/// Where the stream goes. All parts are the user's bytes: nothing is decoded, encoded or normalised.
struct RtmpTarget {
    bool tls = false;
    std::string host;  ///< without the brackets of an IPv6 address
    std::uint16_t port = 0;
    std::string app;
    std::string tc_url;  ///< scheme, host, port and app; never the key
    std::string stream;  ///< the key; only ever sent, never shown
    std::string place;   ///< for people: scheme, host, port and the first word of the app
};

/// Takes url= apart. With a key the whole path is the app; without, the last part of the path and its query are the
/// key. Throws SinkError(E_CONFIG) without showing any of it.
RtmpTarget read_rtmp_target(const std::string& url, const std::string& key);

/// The server's words, fit for a log: the key, its name and the values in its query blanked, in case they are repeated.
std::string without_key(std::string words, const RtmpTarget& target);

}  // namespace ringcast::sink
