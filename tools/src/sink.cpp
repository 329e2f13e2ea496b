// SPDX-License-Identifier: Apache-2.0
/// `ringcast sink`: becomes the ringcast-sink process, so that its pid is the sink's.
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "command.hpp"
#include "host/handed_value.hpp"
#include "host/plugin_folders.hpp"
#include "host/secret_address.hpp"

namespace ringcast::tools {

namespace {

/// An address that carries a key goes on by descriptor: the next process's command line is not to show it at all.
void hand_over_secrets(std::vector<std::string>& words) {
    std::vector<std::string> flags;
    for (std::string& word : words) {
        const std::string value(host::value_of_word(word));
        if (host::secret_parts(value).empty()) continue;
        if (host::carries_secret(value))
            std::fprintf(stderr, "ringcast: warning: %s\n", host::exposed_warning(word).c_str());
        const std::string handed = host::hand_over(value);
        flags.push_back(host::handed_flag(handed));
        word.replace(word.size() - value.size(), value.size(), handed);
    }
    words.insert(words.end(), flags.begin(), flags.end());
}

int run(std::vector<std::string> words) {
    if (words.empty()) throw UsageError("which plugin? see what there is with: ringcast plugins");
    const std::filesystem::path host = host::executable_folder() / "ringcast-sink";
    hand_over_secrets(words);
    std::string program = host.string();
    std::vector<char*> arguments{program.data()};
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(program.c_str(), arguments.data());
    throw VerbError("cannot start " + program + ": " + std::strerror(errno) +
                    "; ringcast-sink is installed next to the ringcast command");
}

}  // namespace

void add_sink(host::Command& command, int& exit_code) {
    host::Command verb = command.add_verb("sink", "Send a bus out through a sink plugin, in the foreground.");
    // Everything from the plugin's name on belongs to ringcast-sink; only `ringcast sink --help` is answered here.
    verb.pass_words_on();
    verb.set_usage("PLUGIN --bus BUS [--name NAME] [--once] [key=value ...]");
    verb.set_footer(
        "PLUGIN is a name (ringcast plugins) or a path to a .so. It waits for the bus, sends until the end\n"
        "of the stream, then waits for the next producer, or exits 0 with --once. A word without \"=\" sets\n"
        "the plugin's main option. SIGINT or SIGTERM finishes files and playlists and exits 0.\n"
        "A stream key or passphrase is given as env:NAME or file:PATH; SIGHUP reads the files again.\n"
        "`ringcast sink PLUGIN --help` lists the options of that plugin.\n\n"
        "Examples:\n"
        "  ringcast sink file --bus talk talk.mp4\n"
        "  ringcast sink hls --bus talk dir=live listen=8080 segment=2s\n"
        "  ringcast sink file --bus talk --name archive --once path=talk.mkv\n"
        "  ringcast sink hls --help");
    run_as_verb(verb, exit_code, [verb] { return run(verb.passed_words()); });
}

}  // namespace ringcast::tools
