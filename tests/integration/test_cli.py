# SPDX-License-Identifier: Apache-2.0
"""The ringcast command: words it takes and refuses, its output, plugins and sinks."""
import json
import os
import pty
import re
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import RINGCAST, VERBS, wait_until


def test_help_names_every_verb_and_every_verb_shows_examples(ringcast):
    overview = ringcast("--help")
    assert overview.returncode == 0
    for verb in VERBS:
        assert re.search(rf"^  {verb} ", overview.stdout, re.MULTILINE), verb
        own = ringcast(verb, "--help")
        assert own.returncode == 0
        assert "Examples:\n  " in own.stdout and f"Usage: ringcast {verb}" in own.stdout, own.stdout


def test_version_is_printed(ringcast):
    assert re.fullmatch(r"ringcast \d+\.\d+\.\d+\n", ringcast("--version").stdout)


@pytest.mark.parametrize("words, hint", [
    (["inof", "talk"], 'did you mean "info"'),
    (["lss"], 'did you mean "ls"'),
    (["banana"], "ringcast --help"),
    ([""], "ringcast --help"),
    (["ls", "--jsn"], 'did you mean "--json"'),
    (["ls", "talk"], '"talk" is not expected here'),
    (["ls", "--json", "--names"], "do not go together"),
    (["info"], "which bus? ringcast info BUS"),
    (["snapshot", "talk"], "which file? ringcast snapshot BUS FILE"),
    (["testsrc"], "--bus needs a name: ringcast testsrc --bus talk"),
    (["testsrc", "--bus"], "--bus needs a name: ringcast testsrc --bus talk"),
    (["testsrc", "--bus", "a", "--bus", "b"], "--bus is given more than once"),
    (["testsrc", "--bus", "talk", "--rate"], "--rate needs a value: ringcast testsrc --rate 44100"),
    (["testsrc", "--bus", "talk", "--rate", "fast"], '--rate takes a number from 8000 to 192000, not "fast"'),
    (["testsrc", "--bus", "talk", "--channels", "9"], '--channels takes a number from 1 to 8, not "9"'),
    (["testsrc", "--bus", "talk", "--format", "png"], 'i420 or nv12, not "png"'),
    (["ls", "--json=banana"], "--json stands alone: it takes no value"),
    (["top", "--interval"], "--interval needs a value: ringcast top --interval 1s"),
    (["sink", "file", "--bus"], "--bus needs a name: ringcast-sink PLUGIN --bus talk"),
    (["sink", "file", "--bus", "talk", "--log-level", "loud"], "--log-level takes debug, info, warning or error"),
    (["info", "../../etc/passwd"], "is not a bus name"),
    (["info", "x" * 49], "is not a bus name"),
    (["info", "tal\x1b[31mk"], "is not a bus name"),
    (["clean", "a b"], "is not a bus name"),
    (["tail", "talk", "--flow", "smell"], "video"),
    (["tail", "talk", "-n", "0"], "is not a whole number above 0"),
    (["tail", "talk", "-n", "-3"], "is not a whole number above 0"),
    (["tail", "talk", "-n", "many"], "is not a whole number above 0"),
    (["completion", "tcsh"], "bash"),
    (["sink"], "ringcast plugins"),
])
def test_wrong_words_are_explained_in_one_line_with_exit_code_2(ringcast, words, hint):
    done = ringcast(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("ringcast") and done.stderr.count("\n") == 1 and hint in done.stderr, done.stderr
    assert "\x1b" not in done.stderr


def test_no_words_at_all_show_the_help_on_stderr(ringcast):
    done = ringcast()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage: ringcast" in done.stderr


def test_examples_in_the_help_of_the_looking_verbs_work(live):
    environment = {**os.environ, "PATH": f"{RINGCAST.parent}:{os.environ['PATH']}"}
    for verb in ("ls", "info", "tail", "plugins", "completion"):
        text = subprocess.run([RINGCAST, verb, "--help"], capture_output=True, text=True, check=True).stdout
        examples = [line.strip() for line in text.split("Examples:\n")[1].splitlines() if line.startswith("  ")]
        assert examples
        for example in examples:
            if "zsh" in example or "fish" in example:
                continue  # need that shell; test_completion_of_* runs them
            command = re.sub(r"\btalk\b", live.name, example)
            # Those that follow the stream are cut short, as a person would with Ctrl-C.
            endless = verb == "tail" and "-n" not in command
            limited = ["timeout", "--preserve-status", "-s", "INT", "1"] if endless else []
            done = subprocess.run([*limited, "bash", "-c", f"exec {command}" if endless else command],
                                  env=environment, capture_output=True, text=True, check=False, timeout=60)
            assert done.returncode == 0, (command, done.stderr)
            if verb != "completion":
                assert done.stdout, command


# ---- output ---------------------------------------------------------------------------------------------------------

def through_terminal(words, columns=None, **environment):
    """stdout of a command whose stdout is a terminal."""
    master, slave = pty.openpty()
    if columns:
        subprocess.run(["stty", "cols", str(columns)], stdin=slave, check=True)
    process = subprocess.Popen([RINGCAST, *words], stdin=subprocess.DEVNULL, stdout=slave,
                               env={**os.environ, "TERM": "xterm", **environment})
    os.close(slave)
    output = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        output += chunk
    os.close(master)
    assert process.wait(60) == 0
    return output.decode("utf-8").replace("\r\n", "\n")


def test_colours_appear_on_a_terminal_and_not_with_no_color(live):
    without = {key: "" for key in ("NO_COLOR",)}
    assert "\x1b[32m" in through_terminal(["ls"], **without)
    assert "\x1b" not in through_terminal(["ls"], NO_COLOR="1")
    assert "\x1b" not in through_terminal(["ls"], TERM="dumb")


def test_the_table_fits_a_narrow_terminal(live):
    lines = through_terminal(["ls"], columns=80, NO_COLOR="1").splitlines()
    assert len(lines) >= 2 and max(map(len, lines)) <= 80, lines
    assert any("…" in line for line in lines)


def test_a_full_disk_under_stdout_is_an_error(live):
    for words in (["ls"], ["info", live.name], ["tail", live.name], ["--help"], ["completion", "bash"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([RINGCAST, *words], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
        assert done.returncode == 1 and b"cannot write to stdout" in done.stderr, words


# ---- plugins, sink --------------------------------------------------------------------------------------------------

def test_plugins_lists_the_built_in_sinks_with_their_options(ringcast):
    plugins = {each["name"]: each for each in json.loads(ringcast("plugins", "--json").stdout)["plugins"]}
    assert plugins["file"]["usable"] and plugins["file"]["main_option"] == "path"
    assert plugins["hls"]["usable"] and plugins["hls"]["main_option"] == "dir"
    keys = [option["key"] for option in plugins["hls"]["options"]]
    assert {"dir", "listen", "segment", "mode"} <= set(keys)
    assert Path(plugins["hls"]["path"]).is_file() and plugins["hls"]["takes"] == ["packets"]
    text = ringcast("plugins").stdout
    assert re.search(r"^hls \S+  \S", text, re.MULTILINE) and "segment=" in text


def test_a_broken_plugin_is_listed_with_the_reason_and_harms_nobody(tmp_path):
    (tmp_path / "broken.so").write_bytes(b"\x7fELF nothing more")
    environment = {**os.environ, "RINGCAST_PLUGIN_PATH": str(tmp_path)}
    done = subprocess.run([RINGCAST, "plugins", "--json"], env=environment, capture_output=True, check=True, timeout=60)
    plugins = {each["name"]: each for each in json.loads(done.stdout)["plugins"]}
    assert not plugins["broken"]["usable"] and plugins["broken"]["problem"]
    assert plugins["file"]["usable"]
    named = subprocess.run([RINGCAST, "plugins", "broken"], env=environment, capture_output=True, text=True,
                           check=False, timeout=60)
    assert named.returncode == 1 and "cannot be used" in named.stdout


def test_a_plugin_that_is_not_there_is_explained(ringcast):
    done = ringcast("plugins", "hsl")
    assert done.returncode == 1 and 'did you mean "hls"' in done.stderr
    assert ringcast("plugins", "./nothing.so").returncode == 1


def test_sink_help_is_that_of_the_plugin(ringcast):
    done = ringcast("sink", "hls", "--help")
    assert done.returncode == 0 and "segment" in done.stdout


def test_sink_keeps_its_pid_so_that_a_kill_hits_the_sink(live, tmp_path):
    sink = live.sink("file", "--name", "mine", tmp_path / "talk.mkv")
    reader = wait_until(lambda: live.reader("mine"), "the sink to attach")
    assert reader["pid"] == sink.pid
    sink.signal(signal.SIGTERM)
    sink.ends_well()
