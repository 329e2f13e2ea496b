// SPDX-License-Identifier: Apache-2.0
/// The `ringcast` command: finds the verb, explains wrong words.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "candidates.hpp"
#include "command.hpp"
#include "host/parser_words.hpp"
#include "last_words.hpp"
#include "safe_words.hpp"
#include "suggest.hpp"
#include "verbs.hpp"

namespace ringcast::tools {

namespace {

struct Group {
    const char* title;
    std::vector<void (*)(CLI::App&, int&)> verbs;
};

const std::vector<Group>& groups() {
    static const std::vector<Group> kGroups{
        {"Put something on a bus",
         {add_testsrc, add_avatar,
#ifdef RINGCAST_HAS_INGEST
          add_ingest
#endif
         }},
        {"Send it out", {add_sink, add_plugins}},
        {"Look inside", {add_ls, add_info, add_top, add_tail, add_snapshot, add_cat}},
        {"Housekeeping", {add_doctor, add_clean, add_completion}},
    };
    return kGroups;
}

void add_verbs(CLI::App& app, int& exit_code) {
    std::size_t known = 0;
    for (const Group& group : groups()) {
        for (const auto add : group.verbs)
            add(app, exit_code);
        const auto all = app.get_subcommands([](const CLI::App*) { return true; });
        for (; known < all.size(); ++known)
            all[known]->group(group.title);
    }
}

std::vector<std::string> verb_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(verb->get_name());
    }
    return names;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
    const std::vector<std::string> near = nearest(word, names);
    return near.empty() ? std::string() : "; did you mean \"" + near.front() + "\"?";
}

int wrong_verb(const CLI::App& app, const std::string& word) {
    const std::string hint = did_you_mean(word, verb_names(app));
    std::fprintf(stderr, "ringcast: \"%s\" is not a verb%s (see: ringcast --help)\n", sanitise(word, 64).c_str(),
                 hint.c_str());
    return kExitUsage;
}

/// A producer that cuts an object short under a reader: one line instead of a silent crash.
extern "C" void on_bus_error(int /*signal*/) {
    constexpr char kText[] = "ringcast: shared memory was cut short under the reader (SIGBUS); the bus is damaged\n";
    put_terminal_back();  // first: what is written on top's own screen is gone with it
    static_cast<void>(!write(STDERR_FILENO, kText, sizeof kText - 1));
    _exit(kExitFailure);
}

/// One line for words the parser refused, with the nearest option where one was mistyped.
int explain(const CLI::App& app, const CLI::ParseError& error) {
    const auto parsed = app.get_subcommands();
    const CLI::App& where = parsed.empty() ? app : *parsed.front();
    const std::string command = parsed.empty() ? "ringcast" : "ringcast " + where.get_name();
    std::string message = host::parser_words(where, error, {.command = command});
    const std::vector<std::string> extra = app.remaining(true);
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !extra.empty()) {
        std::vector<std::string> options;
        for (const CLI::Option* option : where.get_options()) {
            for (const std::string& name : option->get_lnames())
                options.push_back("--" + name);
        }
        message = "\"" + extra.front() + "\" is not expected here";
        if (extra.front().starts_with("-")) message += did_you_mean(extra.front(), options);
    }
    std::replace(message.begin(), message.end(), '\n', ' ');
    std::fprintf(stderr, "%s: %s (see: %s --help)\n", command.c_str(),
                 sanitise(safe_words().clean(message), 512).c_str(), command.c_str());
    return kExitUsage;
}

int run(int argc, char** argv) {
    int exit_code = kExitOk;
    struct sigaction action {};
    action.sa_handler = on_bus_error;
    sigaction(SIGBUS, &action, nullptr);
    CLI::App app{"ringcast: a shared-memory media bus. A model writes frames and sound; sinks send them out.",
                 "ringcast"};
    set_usage(app, "VERB [WORDS ...]");
    app.set_version_flag("--version", "ringcast " RINGCAST_VERSION, "Print the version and exit.");
    app.require_subcommand(1);
    add_verbs(app, exit_code);
    app.footer(
        "Examples:\n"
        "  ringcast testsrc --bus talk               a test picture with sound, until Ctrl-C\n"
        "  ringcast sink file --bus talk talk.mp4    record it\n"
        "  ringcast ls                               what is there\n"
        "  ringcast info talk                        who reads it, what was lost\n\n"
        "Each verb explains itself: ringcast VERB --help\n"
        "Exit codes: 0 done, 1 could not be done, 2 wrong words. Messages go to stderr, results to stdout.");
    if (argc < 2) {
        std::fputs(app.help().c_str(), stderr);
        return kExitUsage;
    }
    // Words that are being typed may be any, so the parser does not see them.
    if (std::string(argv[1]) == "__complete") return print_candidates(app, {argv + 2, argv + argc});
    if (argv[1][0] != '-' && find_verb(app, argv[1]) == nullptr) return wrong_verb(app, argv[1]);
    try {
        if (std::string(argv[1]) == "ingest") {
            // The parser takes its words from behind.
            std::vector<std::string> words = safe_words(argc, argv).words();
            std::reverse(words.begin(), words.end());
            app.parse(words);
        } else {
            app.parse(argc, argv);
        }
    } catch (const CLI::Success& success) {  // --help, --version
        std::ostringstream text;
        app.exit(success, text, text);
        print(text.str());
    } catch (const CLI::ParseError& error) {
        return explain(app, error);
    }
    return exit_code;
}

}  // namespace

}  // namespace ringcast::tools

int main(int argc, char** argv) {
    int exit_code = ringcast::tools::kExitFailure;
    try {
        exit_code = ringcast::tools::run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ringcast: %s\n", error.what());
    }
    return exit_code;
}
