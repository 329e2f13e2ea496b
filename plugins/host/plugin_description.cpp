// SPDX-License-Identifier: Apache-2.0
#include "plugin_description.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"

namespace ringcast::host {
namespace {

constexpr std::size_t kMostText = 512;

/// Plugin text goes to terminals: no control bytes.
std::string clean(const char* text) {
    return text == nullptr ? std::string{} : sanitise(text, kMostText);
}

/// Whether `condition`, "option=word", holds: the last of the words that sets the option decides, else its default.
bool value_is(const ringcast_sink_plugin_v1& api, const std::vector<DeclaredOption>& options,
              std::span<const std::string> words, const std::string& condition) {
    const std::string key = condition.substr(0, condition.find('=') + 1);
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const DeclaredOption& declared) { return declared.key + "=" == key; });
    if (option == options.end()) {
        throw Error(ErrorCode::invalid_argument, "plugin " + clean(api.name) + ": a default depends on '" + condition +
                                                     "', which is no option of the plugin");
    }
    std::string value = key + option->value;
    for (const std::string& word : words) {
        if (word.starts_with(key)) value = word;
    }
    return value == condition;
}

}  // namespace

std::vector<DeclaredOption> declared_options(const ringcast_sink_plugin_v1& api) {
    std::vector<DeclaredOption> options;
    if (api.options == nullptr) return options;
    for (const ringcast_sink_option* const* entry = api.options; *entry != nullptr; ++entry) {
        if ((*entry)->key == nullptr) continue;
        DeclaredOption option;
        option.key = clean((*entry)->key);
        option.has_value = (*entry)->value != nullptr;
        option.value = clean((*entry)->value);
        option.help = clean((*entry)->help);
        option.choices = clean((*entry)->choices);
        option.secrecy = secrecy_of(api, option.key);
        options.push_back(std::move(option));
    }
    return options;
}

std::vector<std::string> declared_defaults(const ringcast_sink_plugin_v1& api) {
    std::vector<std::string> defaults;
    if (api.defaults == nullptr) return defaults;
    for (const char* const* entry = api.defaults; *entry != nullptr; ++entry)
        defaults.emplace_back(clean(*entry));
    return defaults;
}

std::vector<std::string> defaults_for(const ringcast_sink_plugin_v1& api, std::span<const std::string> words) {
    constexpr std::string_view kIf = " if ";
    const std::vector<DeclaredOption> options = declared_options(api);
    std::vector<std::string> defaults;
    for (const std::string& entry : declared_defaults(api)) {
        const std::size_t at = std::min(entry.find(kIf), entry.size());
        const std::string condition = entry.substr(std::min(at + kIf.size(), entry.size()));
        if (condition.empty() || value_is(api, options, words, condition)) defaults.push_back(entry.substr(0, at));
    }
    return defaults;
}

std::string describe_as_json(const Plugin& plugin) {
    const ringcast_sink_plugin_v1& api = plugin.api();
    nlohmann::json options = nlohmann::json::array();
    for (const DeclaredOption& option : declared_options(api)) {
        nlohmann::json value = option.has_value ? nlohmann::json(option.value) : nlohmann::json(nullptr);
        options.push_back({{"key", option.key},
                           {"default", std::move(value)},
                           {"help", option.help},
                           {"choices", option.choices},
                           {"secret", option.secrecy == Secrecy::secret}});
    }
    const nlohmann::json json{
        {"name", clean(api.name)},
        {"version", clean(api.version)},
        {"summary", clean(api.summary)},
        {"abi_major", api.abi_major},
        {"abi_minor", api.abi_minor},
        {"takes_packets", (api.takes & RINGCAST_SINK_TAKES_PACKETS) != 0},
        {"takes_frames", (api.takes & RINGCAST_SINK_TAKES_FRAMES) != 0},
        {"can_hand_over", api.swap == RINGCAST_SINK_SWAP_HANDOVER},
        {"main_option", clean(api.main_option)},
        {"options", std::move(options)},
        {"defaults", declared_defaults(api)},
        {"file", plugin.file().string()},
        {"content_hash", plugin.content_hash()},
    };
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string describe_as_text(const Plugin& plugin) {
    const ringcast_sink_plugin_v1& api = plugin.api();
    std::string text = clean(api.name) + " " + clean(api.version) + ": " + clean(api.summary) + "\n" +
                       plugin.file().string() + "\n\nOptions of the plugin:\n";
    const std::vector<DeclaredOption> options = declared_options(api);
    std::size_t width = 0;
    for (const DeclaredOption& option : options)
        width = std::max(width, option.key.size());
    for (const DeclaredOption& option : options) {
        text += "  " + option.key + std::string(width + 2 - option.key.size(), ' ') + option.help;
        if (!option.choices.empty()) text += " [" + option.choices + "]";
        if (option.secrecy == Secrecy::secret) text += " (env:NAME or file:PATH)";
        if (option.secrecy == Secrecy::address) text += " (or env:NAME, file:PATH)";
        if (option.has_value) text += " (default " + option.value + ")";
        text += "\n";
    }
    if (options.empty()) text += "  none\n";
    if (api.main_option != nullptr) text += "A bare word sets '" + clean(api.main_option) + "'.\n";
    return text;
}

}  // namespace ringcast::host
