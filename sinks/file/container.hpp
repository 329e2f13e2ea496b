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

/// How a recording is written while it runs: so that what is on the disk plays at any moment.
[[nodiscard]] Muxer::Format recording_format(Container container);

/// MPEG-TS has no time before 0 and wants its clock reference ahead of the packets: everything is moved by this much.
[[nodiscard]] std::int64_t container_shift_us(Container container);

/// Each packet is whole on disk once written; the others are whole once a second.
[[nodiscard]] constexpr bool is_whole_after_each_packet(Container container) noexcept {
    return container == Container::ts || container == Container::flv;
}

}  // namespace ringcast::sink
