// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ringcast/reader.hpp"

namespace ringcast::tools {

/// Turns SIGINT and SIGTERM into a calm end of a verb that follows a bus.
/// Life cycle: one per process, for the run of a verb; it leaves the handlers in place.
/// Thread safety: the verb's thread; the handler only touches atomics, an eventfd and BusReader::interrupt().
class StopSignal {
public:
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    [[nodiscard]] bool requested() const noexcept;
    [[nodiscard]] int fd() const noexcept;  ///< readable once a stop was requested

    /// A wait() of this reader is ended by the signal; nullptr before the reader goes.
    void watch(BusReader* reader) noexcept;
};

}  // namespace ringcast::tools
