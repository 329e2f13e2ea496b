// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "mux/unique_fd.hpp"
#include "rtmp/patience.hpp"

namespace ringcast::sink {

/// Opens a TCP connection, trying each address of the host; non-blocking, without Nagle, with as little unsent data in
/// the kernel as the network allows, so that what waits, waits in the host's queue, where it can be dropped.
/// Throws SinkError: TRANSIENT with the reason, INTERRUPTED.
UniqueFd connect_tcp(const std::string& host, std::uint16_t port, const Patience& patience);

}  // namespace ringcast::sink
