// SPDX-License-Identifier: Apache-2.0
#include "option_words.hpp"

#include <algorithm>

#include "plugin_description.hpp"
#include "plugin_error.hpp"
#include "ringcast/error.hpp"
#include "secret_address.hpp"

namespace ringcast::host {
namespace {

bool is_choice(std::string_view choices, std::string_view value) {
    while (!choices.empty()) {
        const std::size_t bar = std::min(choices.find('|'), choices.size());
        if (choices.substr(0, bar) == value) return true;
        choices.remove_prefix(std::min(bar + 1, choices.size()));
    }
    return false;
}

void set_plugin_option(SplitWords& result, const DeclaredOption& option, std::string value) {
    if (!option.choices.empty() && !is_choice(option.choices, value)) {
        throw UsageError("option " + option.key + "=" + value + ": expected " + option.choices);
    }
    const auto same_key = [&](const auto& pair) { return pair.first == option.key; };
    result.plugin.erase(std::remove_if(result.plugin.begin(), result.plugin.end(), same_key), result.plugin.end());
    result.plugin.emplace_back(option.key, std::move(value));
}

/// An option of the plugin that holds a secret; nullptr: it has none.
const char* secret_option(const ringcast_sink_plugin_v1& api) {
    for (const char* const* list : {api.secrets, api.secret_urls}) {
        if (list != nullptr && *list != nullptr) return *list;
    }
    return nullptr;
}

/// A bare word that has no place. With a plugin that takes secrets it may be one: then it is not quoted.
[[noreturn]] void refuse_bare_word(const ringcast_sink_plugin_v1& api, const std::string& word,
                                   const std::string& why) {
    if (const char* const key = secret_option(api)) {
        throw UsageError("a word that is not key=value, and " + why + "; if it is the secret, say " + key +
                         "=env:NAME or " + key + "=file:PATH");
    }
    throw UsageError("'" + word + "' is not key=value, and " + why);
}

/// A stream key may hold a '=', too: what stands before it is named only when it can hardly be anything but an option.
bool looks_like_an_option(std::string_view key) {
    return key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.") == std::string_view::npos;
}

void take_word(SplitWords& result, const ringcast_sink_plugin_v1& api, const std::vector<DeclaredOption>& declared,
               const std::string& word, std::string& bare_word, std::vector<std::string>& sink_words) {
    std::string value(value_of_word(word));
    std::string key = word.substr(0, word.size() - value.size());
    if (!key.empty()) {
        key.pop_back();  // the '='
    } else {
        if (api.main_option == nullptr) {
            refuse_bare_word(api, word, std::string("plugin ") + api.name + " takes no bare word");
        }
        if (!bare_word.empty()) {
            refuse_bare_word(api, word, std::string("there is a word for ") + api.main_option + " already");
        }
        bare_word = word;
        key = api.main_option;
    }
    const auto own =
        std::find_if(declared.begin(), declared.end(), [&](const auto& option) { return option.key == key; });
    if (own != declared.end()) {
        set_plugin_option(result, *own, std::move(value));
    } else if (runtime::is_sink_option(key)) {
        sink_words.push_back(word);
    } else {
        std::vector<std::string_view> keys;
        keys.reserve(declared.size());
        for (const DeclaredOption& option : declared)
            keys.push_back(option.key);
        if (secret_option(api) != nullptr && !looks_like_an_option(key)) {
            refuse_bare_word(api, word, std::string("plugin ") + api.name + " has no such option");
        }
        throw UsageError(runtime::unknown_option_text(word, keys));
    }
}

}  // namespace

SplitWords split_words(const ringcast_sink_plugin_v1& api, std::span<const std::string> words) {
    SplitWords result;
    const std::vector<std::string> defaults = defaults_for(api, words);
    const std::vector<DeclaredOption> declared = declared_options(api);
    std::string bare_word;
    std::vector<std::string> sink_words;  // applied in one go: a bitrate chooses the rate control
    try {
        runtime::apply_sink_options(result.sink, defaults, std::string("plugin ") + api.name);
        for (const std::string& word : words)
            take_word(result, api, declared, word, bare_word, sink_words);
        result.sink.video.tune_is_preset =
            std::ranges::none_of(sink_words, [](std::string_view word) { return word.starts_with("video.tune="); });
        runtime::apply_sink_options(result.sink, sink_words);
        runtime::check_sink_options(result.sink);
    } catch (const Error& error) {
        throw UsageError(error.what());
    }
    return result;
}

}  // namespace ringcast::host
