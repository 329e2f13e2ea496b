// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "mux/muxer.hpp"

namespace ringcast::sink {

enum class Container { mp4, mkv, ts, flv };

/// By the extension of the name; nothing for others.
[[nodiscard]] std::optional<Container> container_of(const std::filesystem::path& path);

/// Ticks per second in which an mp4 says where its sound begins: milliseconds would move it.
inline constexpr const char* kMovieTimescale = "90000";

/// How a recording is written while it runs: so that what is on the disk plays at any moment.
[[nodiscard]] Muxer::Format recording_format(Container container);

/// Each packet is whole on disk once written; the others are whole once a second.
[[nodiscard]] constexpr bool is_whole_after_each_packet(Container container) noexcept {
    return container == Container::ts || container == Container::flv;
}

}  // namespace ringcast::sink
