// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "ringcast/error.hpp"
#include "suggest.hpp"

namespace ringcast::tools {

namespace {

constexpr std::size_t kMaxBusName = 48;

int report(const CLI::App& verb, const char* what, int exit_code) {
    std::fprintf(stderr, "ringcast %s: %s\n", verb.get_name().c_str(), what);
    return exit_code;
}

class FixedUsage : public CLI::Formatter {
public:
    explicit FixedUsage(std::string usage) : usage_(std::move(usage)) {}
    std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override {
        return "Usage: " + usage_ + "\n";
    }

private:
    std::string usage_;
};

}  // namespace

const CLI::App* find_verb(const CLI::App& app, const std::string& name) {
    const auto found = app.get_subcommands([&](const CLI::App* verb) { return verb->get_name() == name; });
    return found.empty() ? nullptr : found.front();
}

void set_usage(CLI::App& verb, std::string usage) {
    auto formatter = std::make_shared<FixedUsage>("ringcast " + std::move(usage));
    formatter->column_width(28);
    verb.formatter(formatter);
}

void run_as_verb(CLI::App& verb, int& exit_code, std::function<int()> body) {
    verb.callback([&verb, &exit_code, body = std::move(body)] {
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

void add_json_flag(CLI::App& verb, bool& json) {
    verb.add_flag("--json", json, "Print JSON (raw numbers, units in the names).");
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
    std::uint64_t count = 0;
    const bool good = CLI::detail::lexical_cast(text, count) && count > 0 && !text.starts_with("-");
    return good ? std::string() : "\"" + sanitise(text, 64) + "\" is not a whole number above 0";
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
