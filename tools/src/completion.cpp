// SPDX-License-Identifier: Apache-2.0
/// `ringcast completion`: small shell scripts that ask `ringcast __complete WORD...` for what may stand at the cursor.
#include <memory>

#include "candidates.hpp"
#include "command.hpp"
#include "plugin_lookup.hpp"

namespace ringcast::tools {

namespace {

// bash splits words at "=" as well; the line is split again here, and the part before "=" is cut from the replies.
constexpr const char* kBash = R"script(# ringcast: completion for bash. Load it with: source <(ringcast completion bash)
_ringcast() {
    local program=${COMP_WORDS[0]/#\~/$HOME} line=${COMP_LINE:0:COMP_POINT} files=0 open=1 word
    local -a words
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    local current=${words[-1]}
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        if [[ $word == :files ]]; then files=1; continue; fi
        [[ $word == *= ]] || open=0
        COMPREPLY+=("$word")
    done < <("$program" __complete "${words[@]:1}" 2>/dev/null)
    if [[ $current == *=* && $COMP_WORDBREAKS == *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${current%%=*}="}")
    fi
    ((${#COMPREPLY[@]} && open)) && compopt -o nospace 2>/dev/null
    ((files)) && compopt -o default -o bashdefault 2>/dev/null
    return 0
}
complete -F _ringcast ringcast
)script";

constexpr const char* kZsh = R"script(#compdef ringcast
# ringcast: completion for zsh. Load it with: source <(ringcast completion zsh)
_ringcast() {
    local word help files=0
    local -a plain open
    while IFS=$'\t' read -r word help; do
        if [[ $word == :files ]]; then files=1; continue; fi
        if [[ $word == *= ]]; then open+=("${word//:/\\:}:$help"); else plain+=("${word//:/\\:}:$help"); fi
    done < <("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    (($#plain)) && _describe -V ringcast plain
    (($#open)) && _describe -V option open -S ''
    if ((files)); then
        compset -P '*='
        _files
    fi
}
if [[ $funcstack[1] == _ringcast ]]; then _ringcast "$@"; else compdef _ringcast ringcast; fi
)script";

constexpr const char* kFish = R"script(# ringcast: completion for fish. Load it with: ringcast completion fish | source
function __ringcast_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l program $before[1]
    set -e before[1]
    for line in (command $program __complete $before "$current" 2>/dev/null)
        if test "$line" = :files
            if string match -q '*=*' -- "$current"
                set -l key (string replace -r '=.*' '=' -- "$current")
                __fish_complete_path (string replace -r '^[^=]*=' '' -- "$current") | string replace -r '^' -- $key
            else
                __fish_complete_path "$current"
            end
        else
            echo $line
        end
    end
end
complete -c ringcast -f -a '(__ringcast_complete)'
)script";

/// Nothing may be said on a command line that is being typed: what fails is offered as nothing.
template <class Result, class Source>
Result quietly(Source source) {
    try {
        return source();
    } catch (const std::exception&) {
        return Result{};
    }
}

int print_script(const std::string& shell) {
    print(shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish);
    return kExitOk;
}

}  // namespace

int print_candidates(const host::Command& command, const std::vector<std::string>& words) {
    using Names = std::vector<std::string>;
    const CandidateSources sources{
        .buses = [] { return quietly<Names>(list_buses); },
        .plugins = [] { return quietly<Names>(plugin_names); },
        .plugin =
            [](const std::string& plugin) {
                return quietly<host::ProbeResult>([&] { return host::probe_plugin(find_plugin_file(plugin)); });
            },
    };
    const Candidates found = candidates_for(command, words, sources);
    std::string text;
    for (const Candidate& candidate : found.words) {
        text += sanitise(candidate.word) + (candidate.help.empty() ? "" : "\t" + sanitise(candidate.help)) + "\n";
    }
    if (found.files) text += ":files\n";
    print(text);
    return kExitOk;
}

void add_completion(host::Command& command, int& exit_code) {
    auto shell = std::make_shared<std::string>();
    host::Command verb = command.add_verb("completion", "Print a completion script for a shell.");
    verb.set_usage("bash|zsh|fish");
    verb.option("shell", *shell, "The shell.").required().one_of({"bash", "zsh", "fish"});
    verb.set_footer(
        "Completes verbs, options, live bus names, plugins and their options.\n\n"
        "Examples:\n"
        "  source <(ringcast completion bash)\n"
        "  source <(ringcast completion zsh)\n"
        "  ringcast completion fish | source");
    run_as_verb(verb, exit_code, [shell] { return print_script(*shell); });
}

}  // namespace ringcast::tools
