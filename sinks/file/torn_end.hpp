// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "file/container.hpp"

namespace ringcast::sink {

/// How far a recording that was cut off in the middle of a write is whole.
struct WholePart {
    std::int64_t bytes = 0;    ///< from the start of the file
    bool has_media = false;    ///< a player finds something in it
    bool is_finished = false;  ///< nothing to do: it is no recording in progress
};

/// Reads the structure of the file, not its media: mp4 up to the last whole fragment, mkv to the last whole cluster,
/// flv to the last whole tag, ts to the last picture that another one follows. Never throws: what cannot be read ends
/// it. Nothing: `go_on`, asked on the way, said no.
[[nodiscard]] std::optional<WholePart> find_whole_part(int fd, Container container, const std::function<bool()>& go_on);

}  // namespace ringcast::sink
