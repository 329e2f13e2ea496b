// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>

#include "file/container.hpp"

namespace ringcast::sink {

/// Why a file could not be written anew; one line.
class RemuxError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct RemuxResult {
    bool done = false;  ///< false: `go_on` said no
    std::chrono::milliseconds length{0};
};

/// Copies every packet of a recording into a new file with its index: an mp4 with the index first (fast start), a
/// Matroska or FLV file that tells its length. The new file is on the disk when it returns. `go_on` is asked between
/// packets, with the bytes written so far; they go to the disk on the way, so that no call lasts. Throws RemuxError,
/// also when the packets do not account for all of the old file.
RemuxResult remux(const std::filesystem::path& from, const std::filesystem::path& to, Container container,
                  const std::function<bool(std::int64_t written)>& go_on);

}  // namespace ringcast::sink
