// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "ringcast/producers/ingest.hpp"
#include "safe_words.hpp"

namespace ringcast::tools {

/// What `ringcast ingest` says: a line on stderr at each change and each 10 s, one that is redrawn where stderr is a
/// terminal; with `as_json` an object on stdout each second and at each change.
class IngestConsole final : public ingest::IngestObserver {
public:
    IngestConsole(std::string bus, bool as_json, const SafeWords& words);
    ~IngestConsole() override;
    void warned(const std::string& text) override;
    void state_changed(const ingest::IngestFigures& figures) override;
    void progressed(const ingest::IngestFigures& figures) override;
    void summarise(const ingest::IngestFigures& figures);

private:
    void line(const std::string& text, bool stays);
    void print_json(const ingest::IngestFigures& figures) const;

    std::string bus_;
    bool as_json_;
    const SafeWords& words_;
    bool is_terminal_;
    bool line_open_ = false;
    std::chrono::steady_clock::time_point said_{};
};

}  // namespace ringcast::tools
