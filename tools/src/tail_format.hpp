// SPDX-License-Identifier: Apache-2.0
/// The lines of `ringcast tail`, as text or as JSON lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ringcast/reader.hpp"
#include "text.hpp"

namespace ringcast::tools {

struct TailTotals {
    std::uint64_t records = 0;
    std::uint64_t lost = 0;
};

class TailFormat {
public:
    TailFormat(bool json, Screen screen) : json_(json), screen_(screen) {}

    [[nodiscard]] std::string title() const;  ///< first line; empty for JSON
    [[nodiscard]] std::string record(FlowKind kind, const Record& record, std::int64_t age_ns) const;
    [[nodiscard]] std::string caps(FlowKind kind, const Record& record) const;
    [[nodiscard]] std::string session(FlowKind kind, const Record& record) const;
    [[nodiscard]] std::string lost(FlowKind kind, std::uint64_t overrun, std::uint64_t aborted,
                                   std::uint64_t before_index) const;
    [[nodiscard]] std::string end(const std::string& bus, const TailTotals& totals) const;

private:
    bool json_;
    Screen screen_;
};

}  // namespace ringcast::tools
