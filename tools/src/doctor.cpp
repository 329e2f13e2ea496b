// SPDX-License-Identifier: Apache-2.0
/// `ringcast doctor`: what is wrong with this machine or a bus, and the command that mends it.
#include <algorithm>
#include <memory>

#include "bus_json.hpp"
#include "command.hpp"
#include "doctor_checks.hpp"
#include "text.hpp"

namespace ringcast::tools {

namespace {

struct Options {
    std::string bus;
    bool json = false;
};

Findings all_findings(const Options& options) {
    Findings all;
    const auto add = [&](Findings findings) { std::move(findings.begin(), findings.end(), std::back_inserter(all)); };
    add(check_shm(look_at_shm()));
    add(check_buses(options.bus.empty() ? std::nullopt : std::optional(options.bus)));
    add(check_limits());
    add(check_plugins());
    add(check_encoders());
    add(check_speech());
    return all;
}

const char* name_of(Level level) {
    switch (level) {
        case Level::ok:
            return "ok";
        case Level::warning:
            return "warning";
        case Level::error:
            return "error";
    }
    return "";
}

Tone tone_of(Level level) {
    return level == Level::ok ? Tone::good : level == Level::warning ? Tone::warning : Tone::bad;
}

std::string text_of(const Findings& findings) {
    const Screen screen = Screen::of_stdout();
    constexpr std::size_t kWidest = 7;
    std::string text;
    for (const Finding& finding : findings) {
        const std::string level = name_of(finding.level);
        text += screen.paint(level, tone_of(finding.level)) + std::string(kWidest - level.size() + 2, ' ') +
                finding.what + "\n";
        if (!finding.fix.empty()) text += std::string(kWidest + 2, ' ') + "fix: " + finding.fix + "\n";
    }
    return text;
}

Json json_of(const Findings& findings) {
    Json json = {{"findings", Json::array()}};
    for (const Finding& finding : findings) {
        json["findings"].push_back({{"level", name_of(finding.level)},
                                    {"what", finding.what},
                                    {"fix", finding.fix.empty() ? Json(nullptr) : Json(finding.fix)}});
    }
    return json;
}

int run(const Options& options) {
    if (!options.bus.empty()) inspect_or_explain(options.bus);
    const Findings findings = all_findings(options);
    print(options.json ? pretty(json_of(findings)) : text_of(findings));
    const bool broken = std::any_of(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return finding.level == Level::error; });
    return broken ? kExitFailure : kExitOk;
}

}  // namespace

void add_doctor(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    host::Command verb =
        command.add_verb("doctor", "Say what is wrong on this machine, and the command that mends it.");
    verb.set_usage("[BUS] [--json]");
    verb.option("bus", options->bus, "Only this bus; without it, all.").check(check_bus_name).type_name("NAME");
    add_json_flag(verb, options->json);
    verb.set_footer(
        "Looks at shared memory, buses, owners and permissions, limits, plugins, encoders and speech; changes\n"
        "nothing. Exit code 1 when there is an error among the findings; warnings are no error.\n\n"
        "Examples:\n"
        "  ringcast doctor\n"
        "  ringcast doctor talk\n"
        "  ringcast doctor --json");
    run_as_verb(verb, exit_code, [options] { return run(*options); });
}

}  // namespace ringcast::tools
