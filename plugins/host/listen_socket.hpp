// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace ringcast::host {

/// A TCP socket listening on "[HOST:]PORT" (default host 127.0.0.1; IPv6 as [::1]:PORT; port 0: any free one), bound
/// with SO_REUSEADDR, non-blocking, close-on-exec. The caller closes the fd.
/// Throws PluginError: names the address, why, and the process that holds the port where that can be known.
int open_listen_socket(std::string_view address);

}  // namespace ringcast::host
