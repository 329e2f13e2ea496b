// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "mux/options.hpp"

namespace ringcast::sink {

/// When a recording goes on in the next file: after so much media or so many bytes, whatever comes first; 0 is no
/// limit.
struct SplitLimit {
    std::chrono::milliseconds time{0};
    std::uint64_t bytes = 0;

    [[nodiscard]] bool is_set() const noexcept { return time.count() > 0 || bytes > 0; }
};

/// The option split: "10m", "500MB", or both with a bar or comma between. Throws SinkError(E_CONFIG).
[[nodiscard]] SplitLimit split_limit(const Options& options);

/// An option in bytes with a unit, "500MB"; "0" needs none. Throws SinkError(E_CONFIG).
[[nodiscard]] std::uint64_t byte_option(const Options& options, std::string_view key);

/// "1.2 GB", "34.5 MB".
[[nodiscard]] std::string shown_bytes(std::uint64_t bytes);

/// Bytes that can still be written to the disk a file or folder lies on; UINT64_MAX when the system does not say.
[[nodiscard]] std::uint64_t free_bytes(const std::filesystem::path& path);

}  // namespace ringcast::sink
