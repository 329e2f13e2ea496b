// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <utility>

#include "ringcast/error.hpp"
#include "suggest.hpp"

namespace ringcast::tools {

namespace {

constexpr std::size_t kMaxBusName = 48;

int report(const host::Command& verb, const char* what, int exit_code) {
    std::fprintf(stderr, "%s: %s\n", verb.full_name().c_str(), what);
    return exit_code;
}

}  // namespace

void run_as_verb(host::Command& verb, int& exit_code, std::function<int()> body) {
    verb.on_call([verb, &exit_code, body = std::move(body)] {
        try {
            exit_code = body();
        } catch (const UsageError& error) {
            exit_code = report(verb, error.what(), kExitUsage);
        } catch (const Error& error) {
            const bool usage = error.code() == ErrorCode::invalid_argument;
            exit_code = report(verb, error.what(), usage ? kExitUsage : kExitFailure);
        } catch (const std::exception& error) {
            exit_code = report(verb, error.what(), kExitFailure);
        }
    });
}

host::Option add_json_flag(host::Command& verb, bool& json) {
    return verb.flag("--json", json, "Print JSON (raw numbers, units in the names).");
}

bool print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return true;
    if (errno == EPIPE) return false;
    throw VerbError(std::string("cannot write to stdout: ") + std::strerror(errno));
}

std::string check_bus_name(const std::string& name) {
    const bool good =
        !name.empty() && name.size() <= kMaxBusName &&
        name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
    if (good) return {};
    return "\"" + sanitise(name, 64) + "\" is not a bus name: use 1 to 48 of A-Z a-z 0-9 _ -";
}

void explain_missing_bus(const std::string& bus) {
    throw VerbError(missing_bus_message(bus, list_buses()));
}

std::string check_count(const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = error == std::errc{} && end == text.data() + text.size() && value > 0;
    return good ? std::string() : "\"" + sanitise(text, 64) + "\" is not a whole number above 0";
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream rest(text);
    for (std::string part; std::getline(rest, part, separator);)
        parts.push_back(part);
    return parts;
}

BusInfo inspect_or_explain(const std::string& bus) {
    try {
        return inspect_bus(bus);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
    }
    explain_missing_bus(bus);
}

}  // namespace ringcast::tools
