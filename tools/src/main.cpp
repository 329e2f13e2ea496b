// SPDX-License-Identifier: Apache-2.0
/// The `ringcast` command: finds the verb, explains wrong words.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "candidates.hpp"
#include "command.hpp"
#include "last_words.hpp"
#include "safe_words.hpp"
#include "suggest.hpp"
#include "verbs.hpp"

namespace ringcast::tools {

namespace {

struct Group {
    const char* title;
    std::vector<void (*)(host::Command&, int&)> verbs;
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

void add_verbs(host::Command& command, int& exit_code) {
    std::size_t known = 0;
    for (const Group& group : groups()) {
        for (const auto add : group.verbs)
            add(command, exit_code);
        std::vector<host::Command> all = command.verbs();
        for (; known < all.size(); ++known)
            all[known].set_group(group.title);
    }
}

std::vector<std::string> verb_names(const host::Command& command) {
    std::vector<std::string> names;
    for (const host::Command& verb : command.verbs())
        names.push_back(verb.name());
    return names;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
    const std::vector<std::string> near = nearest(word, names);
    return near.empty() ? std::string() : "; did you mean \"" + near.front() + "\"?";
}

int wrong_verb(const host::Command& command, const std::string& word) {
    const std::string hint = did_you_mean(word, verb_names(command));
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
int explain(const host::WrongWords& wrong) {
    const std::string command = wrong.where.full_name();
    std::string message = wrong.what();
    if (!wrong.extra.empty()) {
        std::vector<std::string> options;
        for (const host::Option& option : wrong.where.options()) {
            const auto names = option.long_names();
            options.insert(options.end(), names.begin(), names.end());
        }
        message = "\"" + wrong.extra + "\" is not expected here";
        if (wrong.extra.starts_with("-")) message += did_you_mean(wrong.extra, options);
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
    host::CommandParser parser(
        "ringcast: a shared-memory media bus. A model writes frames and sound; sinks send them out.", "ringcast");
    parser.set_usage("VERB [WORDS ...]");
    parser.set_version("ringcast " RINGCAST_VERSION);
    parser.require_verb();
    add_verbs(parser, exit_code);
    parser.set_footer(
        "Examples:\n"
        "  ringcast testsrc --bus talk               a test picture with sound, until Ctrl-C\n"
        "  ringcast sink file --bus talk talk.mp4    record it\n"
        "  ringcast ls                               what is there\n"
        "  ringcast info talk                        who reads it, what was lost\n\n"
        "Each verb explains itself: ringcast VERB --help\n"
        "Exit codes: 0 done, 1 could not be done, 2 wrong words. Messages go to stderr, results to stdout.");
    if (argc < 2) {
        std::fputs(parser.help().c_str(), stderr);
        return kExitUsage;
    }
    // Words that are being typed may be any, so the parser does not see them.
    if (std::string(argv[1]) == "__complete") return print_candidates(parser, {argv + 2, argv + argc});
    if (argv[1][0] != '-' && !parser.verb(argv[1])) return wrong_verb(parser, argv[1]);
    const bool may_carry_secrets = std::string(argv[1]) == "ingest";
    try {
        const std::string text = parser.parse(may_carry_secrets ? safe_words(argc, argv).words()
                                                                : std::vector<std::string>(argv + 1, argv + argc));
        if (!text.empty()) print(text);
    } catch (const host::WrongWords& wrong) {
        return explain(wrong);
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
