// SPDX-License-Identifier: Apache-2.0
/// What may stand at the cursor of a command line: the one place that knows it, for every shell.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/command_parser.hpp"
#include "host/plugin_probe.hpp"

namespace ringcast::tools {

struct Candidate {
    std::string word;  ///< ends in "=" when a value is to follow
    std::string help;  ///< one line; may be empty
};

struct Candidates {
    std::vector<Candidate> words;
    bool files = false;  ///< a file may stand here too
};

/// Where names come from that are only known at run time; none of them throws.
struct CandidateSources {
    std::function<std::vector<std::string>()> buses;
    std::function<std::vector<std::string>()> plugins;
    /// The declared options of a plugin, and which of them is the main one.
    std::function<host::ProbeResult(const std::string& plugin)> plugin;
};

/// `words` are those after the program's name; the last one is being typed and may be empty.
Candidates candidates_for(const host::Command& command, const std::vector<std::string>& words,
                          const CandidateSources& sources);

/// Runs `ringcast __complete WORD...`, what the completion scripts call: one candidate a line, its help after a tab,
/// and
/// ":files" where a file may stand too. Returns the exit code.
int print_candidates(const host::Command& command, const std::vector<std::string>& words);

}  // namespace ringcast::tools
