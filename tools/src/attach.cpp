// SPDX-License-Identifier: Apache-2.0
#include "attach.hpp"

#include <cstring>
#include <span>

#include "bus_json.hpp"
#include "command.hpp"

namespace ringcast::tools {

namespace {

[[noreturn]] void explain_no_reader(const BusInfo& bus, const std::string& stale_hint) {
    if (!bus.problems.empty()) throw VerbError("bus \"" + bus.name + "\": " + bus.problems.front());
    throw VerbError("bus \"" + bus.name + "\" has no live producer (" + std::string(state_of(bus)) + "); " +
                    stale_hint + "remove it with: ringcast clean " + bus.name);
}

}  // namespace

std::unique_ptr<BusReader> attach_or_explain(const ReaderOptions& options, int stop_fd, Deadline deadline,
                                             const std::string& stale_hint) {
    auto reader = BusReader::try_attach(options);
    if (reader) return reader;
    const BusInfo bus = inspect_or_explain(options.bus);
    if (state_of(bus) != "starting") {
        // It may have begun between the two looks.
        reader = BusReader::try_attach(options);
        if (!reader) explain_no_reader(bus, stale_hint);
        return reader;
    }
    reader = BusReader::attach(options, stop_fd, deadline);
    if (!reader && std::chrono::steady_clock::now() >= deadline) {
        throw VerbError("bus \"" + options.bus + "\" did not begin in time; its producer is still reserving memory");
    }
    return reader;
}

ReadStatus copy_record(FlowReader& flow, CopiedRecord& copy) {
    std::size_t size = 0;
    const ReadStatus status = flow.try_read([&](const Record& record) {
        size = record.payload.size();
        copy.record = record;
        copy.bytes.resize(size + CopiedRecord::kSlack);
        if (size > 0) std::memcpy(copy.bytes.data(), record.payload.data(), size);
        std::memset(copy.bytes.data() + size, 0, CopiedRecord::kSlack);
    });
    copy.record.payload = std::span<const std::byte>(copy.bytes.data(), status == ReadStatus::ok ? size : 0);
    return status;
}

}  // namespace ringcast::tools
