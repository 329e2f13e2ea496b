// SPDX-License-Identifier: Apache-2.0
/// `ringcast plugins`: the sink plugins that can be used, and why others cannot.
#include <memory>

#include "bus_json.hpp"
#include "command.hpp"
#include "host/plugin_folders.hpp"
#include "host/plugin_probe.hpp"
#include "plugin_lookup.hpp"
#include "text.hpp"

namespace ringcast::tools {

namespace {

struct Options {
    std::string plugin;
    bool json = false;
};

Json choices_json(const std::string& choices) {
    if (choices.empty()) return nullptr;
    Json list = Json::array();
    for (const std::string& choice : split(choices, '|'))
        list.push_back(choice);
    return list;
}

Json option_json(const host::ProbedOption& option) {
    return {{"key", option.key},
            {"default", option.default_value ? Json(*option.default_value) : Json(nullptr)},
            {"help", option.help},
            {"choices", choices_json(option.choices)}};
}

Json plugin_json(const host::ProbeResult& plugin) {
    if (!plugin.usable) {
        return {{"name", plugin.file.stem().string()},
                {"usable", false},
                {"path", plugin.file.string()},
                {"problem", plugin.problem}};
    }
    Json json = {{"name", plugin.name},
                 {"usable", true},
                 {"path", plugin.file.string()},
                 {"problem", nullptr},
                 {"version", plugin.version},
                 {"summary", plugin.summary},
                 {"abi_major", plugin.abi_major},
                 {"abi_minor", plugin.abi_minor},
                 {"takes", Json::array()},
                 {"main_option", plugin.main_option.empty() ? Json(nullptr) : Json(plugin.main_option)},
                 {"options", Json::array()},
                 {"defaults", plugin.defaults},
                 {"content_sha256", plugin.content_hash}};
    if (plugin.takes_packets) json["takes"].push_back("packets");
    if (plugin.takes_frames) json["takes"].push_back("frames");
    for (const host::ProbedOption& option : plugin.options)
        json["options"].push_back(option_json(option));
    return json;
}

std::string option_help(const host::ProbeResult& plugin, const host::ProbedOption& option) {
    std::string text = option.help;
    if (!option.choices.empty()) text += (text.empty() ? "" : "; ") + ("one of " + option.choices);
    if (option.default_value) text += " (default " + *option.default_value + ")";
    if (option.key == plugin.main_option) text += " [main option]";
    return text;
}

std::string plugin_text(const host::ProbeResult& plugin, const Screen& screen) {
    if (!plugin.usable) {
        return screen.paint(plugin.file.stem().string(), Tone::bad) + "  cannot be used: " + sanitise(plugin.problem) +
               "\n  " + plugin.file.string() + "\n";
    }
    Labels labels(2);
    labels.add("path", plugin.file.string());
    for (const host::ProbedOption& option : plugin.options) {
        labels.add(option.key + "=", sanitise(option_help(plugin, option)));
    }
    for (const std::string& preset : plugin.defaults)
        labels.add("preset", sanitise(preset));
    return screen.paint(plugin.name, Tone::strong) + " " + sanitise(plugin.version) + "  " + sanitise(plugin.summary) +
           "\n" + labels.render(screen);
}

std::string folders_text() {
    std::string text;
    for (const auto& folder : host::plugin_folders())
        text += (text.empty() ? "" : ", ") + folder.string();
    return text;
}

int run(const Options& options) {
    std::vector<host::ProbeResult> plugins;
    if (options.plugin.empty()) {
        plugins = host::probe_plugins();
    } else {
        plugins.push_back(host::probe_plugin(find_plugin_file(options.plugin)));
    }
    if (options.json) {
        Json json = {{"plugins", Json::array()}};
        for (const auto& plugin : plugins)
            json["plugins"].push_back(plugin_json(plugin));
        print(pretty(json));
    } else if (plugins.empty()) {
        print("no plugin is there; looked in " + folders_text() + "\n");
    } else {
        const Screen screen = Screen::of_stdout();
        std::string text;
        for (const auto& plugin : plugins)
            text += (text.empty() ? "" : "\n") + plugin_text(plugin, screen);
        print(text);
    }
    const bool asked_for_broken = !options.plugin.empty() && !plugins.front().usable;
    return asked_for_broken ? kExitFailure : kExitOk;
}

}  // namespace

void add_plugins(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    host::Command verb = command.add_verb("plugins", "List the sink plugins and their options.");
    verb.set_usage("[PLUGIN] [--json]");
    verb.option("plugin", options->plugin, "Only this one: a name or a path to a .so.").type_name("NAME|FILE");
    add_json_flag(verb, options->json);
    verb.set_footer(
        "Looks in the folders of $RINGCAST_PLUGIN_PATH (colon list), then in lib/ringcast beside bin. Each\n"
        "plugin is loaded in a process of its own; one that cannot be used is listed with the reason.\n\n"
        "Examples:\n"
        "  ringcast plugins\n"
        "  ringcast plugins hls\n"
        "  ringcast plugins --json");
    run_as_verb(verb, exit_code, [options] { return run(*options); });
}

}  // namespace ringcast::tools
