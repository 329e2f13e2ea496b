// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "ringcast/producers/ingest.hpp"

namespace ringcast::ingest {

struct RtmpAddress {
    bool tls = false;
    bool listens = false;
    std::string host;  ///< without the brackets of an IPv6 address; empty: any address of this machine
    std::uint16_t port = 1935;
    std::string app;
    std::string tls_ca;
    bool tls_verify = true;
    std::string key;    ///< the name of the stream with its arguments; secret; a listener without one takes any
    std::string place;  ///< for people: scheme, host, port and app
};

/// Takes rtmp://[HOST][:PORT]/APP[/KEY] apart. Throws AddressError without showing the key.
RtmpAddress read_rtmp_address(const IngestAddress& words);

}  // namespace ringcast::ingest
