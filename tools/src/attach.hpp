// SPDX-License-Identifier: Apache-2.0
/// How the verbs that read records come to a bus, and take a record out of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/inspect.hpp"
#include "ringcast/reader.hpp"

namespace ringcast::tools {

using Deadline = std::chrono::steady_clock::time_point;

/// Attaches to a bus that is there; one whose producer is still reserving memory is waited for until the deadline.
/// nullptr only when `stop_fd` got readable. VerbError names a missing, stale, ended or damaged bus; `stale_hint` is
/// what this verb's user may do when the producer is gone.
std::unique_ptr<BusReader> attach_or_explain(const ReaderOptions& options, int stop_fd, Deadline deadline,
                                             const std::string& stale_hint);

/// A record taken out of the ring: what it said, and its bytes, followed by `kSlack` zeros for code that reads wide.
struct CopiedRecord {
    static constexpr std::size_t kSlack = 64;

    Record record;  ///< its payload points into `bytes`
    std::vector<std::byte> bytes;
};

/// Copies the record at the cursor. Only after ok does `copy` hold a record, and a whole one.
ReadStatus copy_record(FlowReader& flow, CopiedRecord& copy);

}  // namespace ringcast::tools
