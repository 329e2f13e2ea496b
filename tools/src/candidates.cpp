// SPDX-License-Identifier: Apache-2.0
#include "candidates.hpp"

#include <algorithm>
#include <utility>

#include "command.hpp"
#include "runtime/sink_options.hpp"

namespace ringcast::tools {

namespace {

/// The choices in the type name of an option: "a|b".
std::vector<std::string> choices_of(const std::string& type_name) {
    // Capitals stand for something ("F|N/D"), small letters for themselves.
    const bool literal = type_name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-|") == std::string::npos;
    if (!literal || type_name.find('|') == std::string::npos) return {};
    return split(type_name, '|');
}

class Completion {
public:
    Completion(const host::Command& command, const std::vector<std::string>& words, const CandidateSources& sources)
        : command_(command), words_(words), sources_(sources) {}

    Candidates run() {
        if (words_.empty()) return {};
        if (words_.size() == 1) {
            if (typing_option()) {
                offer_options(command_);
            } else {
                offer_verbs();
            }
        } else if (words_.front() == "sink") {
            at_sink();
        } else if (const auto verb = command_.verb(words_.front())) {
            at_verb(*verb);
        }
        return std::move(found_);
    }

private:
    [[nodiscard]] const std::string& typed() const { return words_.back(); }
    [[nodiscard]] const std::string& before() const { return words_[words_.size() - 2]; }
    [[nodiscard]] bool typing_option() const { return typed().starts_with("-"); }

    void offer(const std::string& word, const std::string& help) {
        if (word.starts_with(typed())) found_.words.push_back({word, help});
    }
    void offer_all(const std::vector<std::string>& words, const std::string& help) {
        for (const std::string& word : words)
            offer(word, help);
    }

    void offer_verbs() {
        for (const host::Command& verb : command_.verbs())
            offer(verb.name(), verb.description());
    }

    void offer_options(const host::Command& verb) {
        for (const host::Option& option : verb.options())
            offer_all(option.long_names(), option.help());
    }

    /// Values an option or a positional takes, told by its name or by the choices in its type name.
    void offer_values(const host::Option& option) {
        const std::string name = option.name();
        if (name == "bus") {
            offer_all(sources_.buses(), "bus");
        } else if (name == "plugin") {
            offer_all(sources_.plugins(), "sink plugin");
            found_.files = typed().find('/') != std::string::npos;
        } else if (option.type_name() == "FILE" || option.type_name() == "DIR") {
            found_.files = true;
        } else {
            offer_all(choices_of(option.type_name()), {});
        }
    }

    [[nodiscard]] static std::optional<host::Option> value_option(const host::Command& verb, const std::string& word) {
        if (!word.starts_with("-")) return std::nullopt;
        for (const host::Option& option : verb.options()) {
            if (option.takes_value_after(word)) return option;
        }
        return std::nullopt;
    }

    void at_verb(const host::Command& verb) {
        if (const auto option = value_option(verb, before())) {
            offer_values(*option);
        } else if (typing_option()) {
            offer_options(verb);
        } else {
            offer_next_positional(verb);
        }
    }

    void offer_next_positional(const host::Command& verb) {
        std::size_t given = 0;
        for (std::size_t i = 1; i + 1 < words_.size(); ++i) {
            const bool is_value = i > 1 && value_option(verb, words_[i - 1]).has_value();
            if (!is_value && !words_[i].starts_with("-")) ++given;
        }
        for (const host::Option& option : verb.options()) {
            if (option.is_positional() && given-- == 0) return offer_values(option);
        }
    }

    /// ringcast-sink parses the words after the verb, so the parser here knows nothing of them.
    void at_sink() {
        if (words_.size() == 2) {
            if (typing_option()) return offer("--help", "Show the options of this verb.");
            offer_all(sources_.plugins(), "sink plugin");
            found_.files = typed().find('/') != std::string::npos;
            return;
        }
        if (before() == "--bus") return offer_all(sources_.buses(), "bus");
        if (before() == "--name") return;
        if (typing_option()) {
            offer("--bus", "The bus to send out.");
            offer("--name", "Name of this sink in the inspector.");
            offer("--once", "Exit at the end of the stream.");
            offer("--help", "Show the options of this plugin.");
            return;
        }
        offer_plugin_options(sources_.plugin(words_[1]));
    }

    void offer_plugin_options(const host::ProbeResult& plugin) {
        if (!plugin.usable) return;
        // The plugin's own first, then the host's; a key in both is the plugin's.
        std::vector<host::ProbedOption> options = plugin.options;
        for (const runtime::OptionRow& row : runtime::option_rows()) {
            const auto same_key = [&](const host::ProbedOption& option) { return option.key == row.key; };
            if (std::any_of(plugin.options.begin(), plugin.options.end(), same_key)) continue;
            options.push_back({std::string(row.key), std::nullopt, std::string(row.help), std::string(row.choices)});
        }
        const std::size_t equals = typed().find('=');
        if (equals == std::string::npos) {
            for (const host::ProbedOption& option : options)
                offer(option.key + "=", option.help);
            found_.files = plugin.main_option == "path" || plugin.main_option == "dir";
            return;
        }
        const std::string assignment = typed().substr(0, equals + 1);
        for (const host::ProbedOption& option : options) {
            if (option.key + "=" != assignment) continue;
            for (const std::string& choice : split(option.choices, '|')) {
                if (!choice.empty()) offer(assignment + choice, {});
            }
        }
        found_.files = assignment == "path=" || assignment == "dir=";
    }

    const host::Command& command_;
    const std::vector<std::string>& words_;
    const CandidateSources& sources_;
    Candidates found_;
};

}  // namespace

Candidates candidates_for(const host::Command& command, const std::vector<std::string>& words,
                          const CandidateSources& sources) {
    return Completion(command, words, sources).run();
}

}  // namespace ringcast::tools
