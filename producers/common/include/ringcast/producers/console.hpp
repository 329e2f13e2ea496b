// SPDX-License-Identifier: Apache-2.0
/// What a built-in producer says to a person: one live status line on a terminal, one summary line, JSON on request.
#pragma once

#include <atomic>
#include <string>

#include "ringcast/producers/loop.hpp"

namespace ringcast::producers {

/// Writes to stderr; the status line only when stderr is a terminal.
class Console : public LoopObserver {
public:
    Console(std::string verb, std::string bus);
    ~Console() override;
    void warned(const std::string& text) override;
    void waiting(unsigned ready, unsigned wanted) override;
    void started(const LoopProgress& progress) override;
    void progressed(const LoopProgress& progress) override;

    /// One line on stderr; with `as_json` also one JSON object on stdout.
    void summarise(const LoopSummary& summary, const ProducerOptions& options, bool as_json);

private:
    void line(const std::string& text, bool stays);

    std::string prefix_;
    bool is_terminal_;
    bool line_open_ = false;  ///< a status line without newline stands on the terminal
};

/// SIGINT and SIGTERM set the flag once; a second signal ends the process at once. The flag lives for ever.
const std::atomic<bool>& stop_on_signals();

}  // namespace ringcast::producers
