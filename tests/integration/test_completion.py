# SPDX-License-Identifier: Apache-2.0
"""Completion in bash, zsh and fish."""
import os
import pty
import signal
import subprocess
import time

from conftest import RINGCAST, VERBS


BASH_ASK = """
source <("$RINGCAST" completion bash)
complete -p ringcast
COMP_LINE=$LINE COMP_POINT=${#LINE}
read -ra COMP_WORDS <<<"$LINE"
[[ $LINE == *" " ]] && COMP_WORDS+=("")
COMP_WORDS[0]=$RINGCAST
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ringcast
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete_in_bash(line):
    done = subprocess.run(["bash", "--norc", "-c", BASH_ASK], env={**os.environ, "RINGCAST": str(RINGCAST), "LINE": line},
                          capture_output=True, text=True, check=True, timeout=60)
    registered, *replies = done.stdout.splitlines()
    assert registered == "complete -F _ringcast ringcast"
    return replies


def test_completion_in_bash_knows_verbs_options_buses_and_plugins(live):
    assert complete_in_bash("ringcast ") == VERBS
    assert complete_in_bash("ringcast inf") == ["info"]
    assert complete_in_bash("ringcast ls --") == ["--help", "--json", "--names"]
    assert live.name in complete_in_bash("ringcast info ")
    assert complete_in_bash(f"ringcast tail {live.name[:-1]}") == [live.name]
    assert complete_in_bash("ringcast tail x --flow a") == ["audio"]
    assert complete_in_bash("ringcast testsrc --mode p") == ["paced"]
    assert {"file", "hls"} <= set(complete_in_bash("ringcast sink "))
    assert live.name in complete_in_bash("ringcast sink hls --bus ")
    assert {"segment=", "video.bitrate=", "reader="} <= set(complete_in_bash("ringcast sink hls --bus x "))
    assert {"live", "lossless"} == set(complete_in_bash("ringcast sink hls reader="))
    # bash takes "mode=" for a finished word: only what follows it is the reply.
    assert "event" in complete_in_bash("ringcast sink hls mode=e")
    assert complete_in_bash("ringcast completion ") == ["bash", "zsh", "fish"]
    assert [reply for reply in complete_in_bash("ringcast nonsense ") if reply] == []


def type_into(shell, words, keys, marker):
    """What an interactive shell shows after the keys were typed at its prompt."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(shell, words, {**os.environ, "PATH": f"{RINGCAST.parent}:{os.environ['PATH']}", "TERM": "dumb",
                                  "PS1": "> ", "HISTFILE": "/dev/null"})
    seen = b""
    try:
        os.set_blocking(terminal, False)
        pending = list(keys)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and marker not in seen:
            try:
                seen += os.read(terminal, 65536)
            except BlockingIOError:
                if pending:
                    os.write(terminal, pending.pop(0))
                time.sleep(0.5)
            except OSError:
                break
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    return seen


def test_completion_works_at_a_real_bash_prompt(live):
    typed = f"ringcast info {live.name[:-1]}\t; echo done-$?-{{1..2}}\n".encode()
    seen = type_into("bash", ["bash", "--norc", "--noprofile", "-i"],
                     [b"source <(ringcast completion bash)\n", typed], b"done-0-1 done-0-2")
    assert b"done-0-1 done-0-2" in seen, seen.decode(errors="replace")


def test_completion_works_in_fish(live):
    environment = {**os.environ, "PATH": f"{RINGCAST.parent}:{os.environ['PATH']}"}

    def ask(line):
        script = f"ringcast completion fish | source; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", script], env=environment, capture_output=True, text=True,
                              check=True, timeout=60)
        return [reply.split("\t")[0] for reply in done.stdout.splitlines()]

    assert sorted(ask("ringcast ")) == sorted(VERBS)
    assert live.name in ask("ringcast info ")
    assert {"segment=", "on_end="} <= set(ask("ringcast sink hls "))


def test_completion_works_at_a_real_zsh_prompt(live):
    typed = f"ringcast info {live.name[:-1]}\t; echo done-$?-{{1..2}}\n".encode()
    setup = b"autoload -Uz compinit && compinit -D && source <(ringcast completion zsh)\n"
    seen = type_into("zsh", ["zsh", "-f", "-i"], [setup, typed], b"done-0-1 done-0-2")
    assert b"done-0-1 done-0-2" in seen, seen.decode(errors="replace")
