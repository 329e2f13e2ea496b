// SPDX-License-Identifier: Apache-2.0
#include "mux/sink_error.hpp"

#include <cerrno>
#include <system_error>

namespace ringcast::sink {

std::string system_text(int error_number) {
    return std::generic_category().message(error_number);
}

void throw_storage_error(const std::string& path, int error_number) {
    const bool full = error_number == ENOSPC || error_number == EDQUOT;
    throw SinkError(RINGCAST_SINK_E_STORAGE,
                    "cannot write " + path + ": " + system_text(error_number) +
                        (full ? "; free some space and start the sink again, what was written so far plays"
                              : "; choose another place, or make this one writable"));
}

}  // namespace ringcast::sink
