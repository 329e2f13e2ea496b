// SPDX-License-Identifier: Apache-2.0
/// What every verb shares: one way to end in an error, to check a bus name and to print a result.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "host/command_parser.hpp"
#include "ringcast/inspect.hpp"
#include "verbs.hpp"

namespace ringcast::tools {

/// Wrong words on the command line that the parser cannot see. Ends the verb with exit code 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The thing asked for could not be done. Ends the verb with exit code 1; what() names the thing and the fix.
class VerbError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What a call of the verb does: runs `body`, stores its exit code, turns an exception into one line on stderr.
void run_as_verb(host::Command& verb, int& exit_code, std::function<int()> body);

/// Adds `--json` to a verb.
host::Option add_json_flag(host::Command& verb, bool& json);

/// Writes a result to stdout. False when nobody reads any more (a closed pipe); throws VerbError when the place is
/// full.
bool print(std::string_view text);

/// The parser's check of a bus name: 1..48 of [A-Za-z0-9_-]. Returns the error, empty when the name is good.
std::string check_bus_name(const std::string& name);

/// The same of a count: a whole number above 0.
std::string check_count(const std::string& text);

/// The parts of "a|b"; a separator at the end begins none.
std::vector<std::string> split(const std::string& text, char separator);

/// The bus, or a VerbError that says which names are near or how to start one.
BusInfo inspect_or_explain(const std::string& bus);
[[noreturn]] void explain_missing_bus(const std::string& bus);

}  // namespace ringcast::tools
