// SPDX-License-Identifier: Apache-2.0
/// `ringcast ls`: the buses of this machine.
#include <memory>

#include "bus_json.hpp"
#include "command.hpp"
#include "ringcast/error.hpp"
#include "text.hpp"

namespace ringcast::tools {

namespace {

struct Options {
    bool json = false;
    bool names = false;
};

/// A bus may end between the listing and the look inside: it is then no bus any more.
std::vector<BusInfo> inspect_all() {
    std::vector<BusInfo> buses;
    for (const std::string& name : list_buses()) {
        try {
            buses.push_back(inspect_bus(name));
        } catch (const Error& error) {
            if (error.code() == ErrorCode::not_found) continue;
            BusInfo unreadable;
            unreadable.name = name;
            unreadable.problems.emplace_back(error.what());
            buses.push_back(std::move(unreadable));
        }
    }
    return buses;
}

Tone tone_of(std::string_view state) {
    if (state == "live") return Tone::good;
    if (state == "damaged") return Tone::bad;
    return Tone::warning;
}

std::string flow_caps(const BusInfo& bus, FlowKind kind) {
    const FlowInfo* flow = flow_of(bus, kind);
    return flow == nullptr ? "-" : caps_text(kind, flow->caps);
}

std::string table_of(const std::vector<BusInfo>& buses) {
    const Screen screen = Screen::of_stdout();
    Table table({{"BUS", Align::left, true},
                 {"STATE"},
                 {"PRODUCER", Align::left, true},
                 {"PID", Align::right},
                 {"VIDEO", Align::left, true},
                 {"AUDIO", Align::left, true},
                 {"UPTIME", Align::right},
                 {"READERS", Align::right},
                 {"MEMORY", Align::right}});
    std::string problems;
    for (const BusInfo& bus : buses) {
        const std::string_view state = state_of(bus);
        const bool known = bus.layout_major != 0;
        table.add({{bus.name, Tone::strong},
                   {std::string(state), tone_of(state)},
                   {bus.producer.empty() ? "-" : bus.producer},
                   {known ? std::to_string(bus.writer_pid) : "-"},
                   {flow_caps(bus, FlowKind::video)},
                   {flow_caps(bus, FlowKind::audio)},
                   {known ? human_duration(bus.age_ns) : "-"},
                   {std::to_string(bus.readers.size())},
                   {human_bytes(memory_bytes(bus))}});
        if (state == "starting") continue;  // what is missing now is about to come
        for (const std::string& problem : bus.problems)
            problems += bus.name + ": " + problem + "\n";
    }
    return table.render(screen) + screen.paint(problems, Tone::bad);
}

std::string names_of(const std::vector<std::string>& buses) {
    std::string text;
    for (const std::string& bus : buses)
        text += bus + "\n";
    return text;
}

int run(const Options& options) {
    if (options.names) {
        print(names_of(list_buses()));
        return kExitOk;
    }
    const std::vector<BusInfo> buses = inspect_all();
    if (options.json) {
        Json json = {{"buses", Json::array()}};
        for (const BusInfo& bus : buses)
            json["buses"].push_back(bus_summary_json(bus));
        print(pretty(json));
    } else if (buses.empty()) {
        print("no bus is there; start one with: ringcast testsrc --bus talk\n");
    } else {
        print(table_of(buses));
    }
    return kExitOk;
}

}  // namespace

void add_ls(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    host::Command verb = command.add_verb("ls", "List the buses of this machine.");
    verb.set_usage("[--json | --names]");
    const host::Option json = add_json_flag(verb, options->json);
    verb.flag("--names", options->names, "Print only the names, one per line (for scripts).").excludes(json);
    verb.set_footer(
        "State: starting (memory is being reserved), live (a producer is writing), ended (end of stream,\n"
        "about to go), stale (its producer is gone; `ringcast clean` removes it, a new producer of that\n"
        "name takes its place), damaged.\n\n"
        "Examples:\n"
        "  ringcast ls\n"
        "  ringcast ls --json\n"
        "  ringcast ls --names");
    run_as_verb(verb, exit_code, [options] { return run(*options); });
}

}  // namespace ringcast::tools
