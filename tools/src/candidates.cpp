// SPDX-License-Identifier: Apache-2.0
#include "candidates.hpp"

#include <algorithm>
#include <utility>

#include "command.hpp"
#include "runtime/sink_options.hpp"

namespace ringcast::tools {

namespace {

/// The choices in the parser's type name of an option: "a|b" as a verb wrote it, or "TEXT:{a,b}" as IsMember does.
std::vector<std::string> choices_of(const std::string& type_name) {
    const std::size_t open = type_name.find('{');
    if (open != std::string::npos && type_name.ends_with("}")) {
        return CLI::detail::split(type_name.substr(open + 1, type_name.size() - open - 2), ',');
    }
    // Capitals stand for something ("F|N/D"), small letters for themselves.
    const bool literal = type_name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-|") == std::string::npos;
    if (!literal || type_name.find('|') == std::string::npos) return {};
    return CLI::detail::split(type_name, '|');
}

class Completion {
public:
    Completion(const CLI::App& app, const std::vector<std::string>& words, const CandidateSources& sources)
        : app_(app), words_(words), sources_(sources) {}

    Candidates run() {
        if (words_.empty()) return {};
        if (words_.size() == 1) {
            if (typing_option()) {
                offer_options(app_);
            } else {
                offer_verbs();
            }
        } else if (words_.front() == "sink") {
            at_sink();
        } else if (const CLI::App* verb = find_verb(app_, words_.front())) {
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
        for (const CLI::App* verb : app_.get_subcommands([](const CLI::App*) { return true; })) {
            offer(verb->get_name(), verb->get_description());
        }
    }

    void offer_options(const CLI::App& verb) {
        for (const CLI::Option* option : verb.get_options()) {
            for (const std::string& name : option->get_lnames())
                offer("--" + name, option->get_description());
        }
    }

    /// Values an option or a positional takes, told by its name or by the choices in its type name.
    void offer_values(const CLI::Option& option) {
        const std::string& name = option.get_single_name();
        if (name == "bus") {
            offer_all(sources_.buses(), "bus");
        } else if (name == "plugin") {
            offer_all(sources_.plugins(), "sink plugin");
            found_.files = typed().find('/') != std::string::npos;
        } else if (option.get_type_name() == "FILE" || option.get_type_name() == "DIR") {
            found_.files = true;
        } else {
            offer_all(choices_of(option.get_type_name()), {});
        }
    }

    [[nodiscard]] static const CLI::Option* value_option(const CLI::App& verb, const std::string& word) {
        if (!word.starts_with("-")) return nullptr;
        for (const CLI::Option* option : verb.get_options()) {
            if (option->nonpositional() && option->get_items_expected_max() > 0 && option->check_name(word))
                return option;
        }
        return nullptr;
    }

    void at_verb(const CLI::App& verb) {
        if (const CLI::Option* option = value_option(verb, before())) {
            offer_values(*option);
        } else if (typing_option()) {
            offer_options(verb);
        } else {
            offer_next_positional(verb);
        }
    }

    void offer_next_positional(const CLI::App& verb) {
        std::size_t given = 0;
        for (std::size_t i = 1; i + 1 < words_.size(); ++i) {
            const bool is_value = i > 1 && value_option(verb, words_[i - 1]) != nullptr;
            if (!is_value && !words_[i].starts_with("-")) ++given;
        }
        const auto positionals = verb.get_options([](const CLI::Option* option) { return option->get_positional(); });
        if (given < positionals.size()) offer_values(*positionals[given]);
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
            for (const std::string& choice : CLI::detail::split(option.choices, '|')) {
                if (!choice.empty()) offer(assignment + choice, {});
            }
        }
        found_.files = assignment == "path=" || assignment == "dir=";
    }

    const CLI::App& app_;
    const std::vector<std::string>& words_;
    const CandidateSources& sources_;
    Candidates found_;
};

}  // namespace

Candidates candidates_for(const CLI::App& app, const std::vector<std::string>& words, const CandidateSources& sources) {
    return Completion(app, words, sources).run();
}

}  // namespace ringcast::tools
