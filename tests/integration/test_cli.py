# SPDX-License-Identifier: Apache-2.0
"""The ringcast command on real buses: what its verbs print, refuse, remove and complete."""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import RINGCAST, wait_until

SHM = Path("/dev/shm")
VERBS = ["testsrc", "avatar", "sink", "plugins", "ls", "info", "tail", "clean", "completion"]


def objects_of(name):
    return sorted(path.name for path in SHM.glob(f"ringcast.{name}.*"))


@pytest.fixture
def live(bus):
    """A bus with a test picture and sound that runs until the test ends."""
    bus.producer = bus.testsrc("--name", "cli test")
    wait_until(lambda: (info := bus.info()) and info["state"] == "live"
               and all(flow["committed_records"] > 3 for flow in info["flows"]), "records")
    yield bus
    # Before the bus fixture cleans up, so that nothing is left then.
    bus.producer.kill()


@pytest.fixture
def stale(live):
    live.producer.kill()
    wait_until(lambda: live.info()["state"] == "stale", "the bus to be stale")
    return live


@pytest.fixture
def junk(bus):
    """A bus object that is no bus object."""
    path = SHM / f"ringcast.{bus.name}.bus"
    path.write_bytes(os.urandom(5000))
    yield bus
    path.unlink(missing_ok=True)


# ---- words ----------------------------------------------------------------------------------------------------------

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
    (["ls", "--json", "--names"], "excludes"),
    (["info"], "required"),
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


# ---- ls, info -------------------------------------------------------------------------------------------------------

def test_ls_shows_a_live_bus_as_a_table_and_as_json(ringcast, live):
    table = ringcast("ls").stdout
    row = next(line for line in table.splitlines() if line.startswith(live.name))
    assert "live" in row and "640x360 bgr24 25" in row and "44100 s16 x1" in row and "cli test" in row
    assert "\x1b" not in table

    buses = json.loads(ringcast("ls", "--json").stdout)["buses"]
    mine = next(each for each in buses if each["name"] == live.name)
    assert mine["state"] == "live" and mine["pid"] == live.producer.pid and mine["uid"] == os.getuid()
    assert mine["video"] == {"format": "bgr24", "width_px": 640, "height_px": 360, "fps": "25", "fps_num": 25,
                             "fps_den": 1}
    assert mine["audio"] == {"format": "s16", "sample_rate_hz": 44100, "channels": 1}
    assert mine["uptime_ns"] > 0 and mine["reader_count"] == 0 and mine["problems"] == []
    # At least a second of pictures is reserved.
    assert mine["memory_bytes"] > 25 * 640 * 360 * 3
    assert live.name in ringcast("ls", "--names").stdout.splitlines()


def test_info_agrees_with_the_files_in_shared_memory(live):
    info = live.info()
    for flow in info["flows"]:
        assert flow["object_bytes"] == (SHM / f"ringcast.{live.name}.{flow['flow']}").stat().st_size
        assert flow["writer_alive"] and not flow["ended"]
        assert flow["committed_records"] <= flow["head_index"] - flow["first_index"]
        assert flow["depth_ns"] == flow["depth_wanted_ns"] > 0
        assert flow["newest_pts_ns"] >= flow["oldest_pts_ns"] >= 0
    assert [flow["flow"] for flow in info["flows"]] == ["video", "audio"]
    assert re.fullmatch("[0-9a-f]{16}", info["session"])
    # testsrc writes both in step: further apart than a few frames would be a wrong sign or a wrong unit.
    assert abs(info["av_skew_ns"]) < 500_000_000
    later = wait_until(lambda: (now := live.info())["flows"][0]["head_index"] > info["flows"][0]["head_index"] and now,
                       "more frames")
    assert later["uptime_ns"] > info["uptime_ns"]
    assert later["measured_video_fps"] > 0 and later["measured_audio_hz"] > 0


def test_info_in_text_labels_every_figure(ringcast, live):
    text = ringcast("info", live.name).stdout
    for label in ("state", "producer", "mode", "session", "uptime", "layout", "memory", "A/V skew", "caps", "writer",
                  "depth", "slots", "arena", "head, next index", "records in ring", "oldest pts", "newest age"):
        assert re.search(rf"^{re.escape(label)}\s+\S", text, re.MULTILINE), label
    assert "no reader is attached" in text


def test_info_names_the_nearest_bus(ringcast, live):
    wrong = live.name[:-1]
    done = ringcast("info", wrong)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f'ringcast info: no bus "{wrong}" is there; did you mean "{live.name}"?\n'


@pytest.mark.parametrize("words", [["info"], ["info", "--json"], ["tail"], ["tail", "--json"]])
def test_a_bus_that_is_not_there_is_exit_code_1(ringcast, words):
    done = ringcast(words[0], "no-such-bus-anywhere", *words[1:])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1 and 'no bus "no-such-bus-anywhere"' in done.stderr


def test_info_shows_a_sink_that_reads(ringcast, live, tmp_path):
    live.sink("file", "--name", "archive", tmp_path / "talk.mp4")
    # "live" means that bytes moved, so it comes with the first whole fragment of the file.
    reader = wait_until(lambda: (seen := live.reader("archive")) and seen["state"] == "live" and seen,
                        "the sink to be live")
    assert reader["plugin"] == "file" and reader["pid"] > 0
    assert reader["encoded_frames"] > 0 and reader["sent_bytes"] > 0
    assert reader["flows"]["video"]["delivered_records"] >= reader["encoded_frames"] - reader["repeated_frames"]
    text = ringcast("info", live.name).stdout
    assert "archive (file, pid" in text and "lost, overrun" in text and "no reader" not in text


# ---- tail -----------------------------------------------------------------------------------------------------------

def tail_json(ringcast, bus, *words):
    done = ringcast("tail", bus.name, "--json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_tail_prints_every_record_once_and_ends_with_the_stream(ringcast, bus):
    bus.testsrc("--seconds", "2")
    lines = tail_json(ringcast, bus, "--wait")
    records = [line for line in lines if line["type"] == "record"]
    video = [record for record in records if record["flow"] == "video"]
    audio = [record for record in records if record["flow"] == "audio"]
    lost = {flow: sum(line["overrun_records"] + line["aborted_records"] for line in lines
                      if line["type"] == "lost" and line["flow"] == flow) for flow in ("video", "audio")}
    assert len(video) + lost["video"] == 50
    indices = [record["index"] for record in video]
    assert indices == sorted(set(indices)) and indices[-1] == 49
    assert all(record["pts_ns"] == record["media_index"] * 40_000_000 for record in video)
    assert all(record["size_bytes"] == 640 * 360 * 3 and record["age_ns"] > 0 for record in video)
    if lost["audio"] == 0:
        assert sum(record["samples"] for record in audio) == 2 * 44100
    assert lines[-1] == {"type": "end", "bus": bus.name, "delivered_records": len(records),
                         "lost_records": sum(lost.values())}
    assert [line["flow"] for line in lines if line["type"] == "caps"].count("video") == 1


def test_tail_keeps_to_one_flow_and_a_count(ringcast, live):
    lines = tail_json(ringcast, live, "--flow", "audio", "-n", "4")
    assert [line["type"] for line in lines] == ["caps"] + ["record"] * 4
    assert {line["flow"] for line in lines} == {"audio"}


def test_tail_begins_with_the_oldest_record_when_asked(ringcast, live):
    oldest = live.info()["flows"][1]
    assert oldest["flow"] == "audio"
    first = tail_json(ringcast, live, "--oldest", "--flow", "audio", "-n", "1")[-1]
    assert first["index"] == oldest["first_index"]


def test_tail_in_text_has_a_title_and_aligned_numbers(ringcast, live):
    lines = ringcast("tail", live.name, "--flow", "video", "-n", "3").stdout.splitlines()
    assert lines[0].split() == ["FLOW", "INDEX", "PTS", "s", "MEDIA", "INDEX", "SAMPLES", "BYTES", "AGE", "FLAGS"]
    records = [line for line in lines[1:] if "caps" not in line]
    assert len(records) == 3 and len({line.index(" 691200 ") for line in records}) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_tail_ends_calmly_on_a_signal(start, live, number):
    tail = start(RINGCAST, "tail", live.name)
    tail.says("video")
    tail.signal(number)
    tail.ends_well()


def test_tail_leaves_quietly_when_its_reader_leaves(live):
    script = f'set -o pipefail; "{RINGCAST}" tail {live.name} --oldest | head -n 2'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == "" and len(done.stdout.splitlines()) == 2


def test_tail_is_seen_by_nobody(start, live):
    tail = start(RINGCAST, "tail", live.name)
    tail.says("video")
    assert live.info()["readers"] == []


def test_tail_says_when_the_producer_dies(start, live):
    tail = start(RINGCAST, "tail", live.name)
    tail.says("video")
    live.producer.kill()
    assert tail.wait() == 1
    assert "is gone without ending the stream" in tail.output().splitlines()[-1]


def test_tail_follows_into_the_next_session_with_wait(start, live):
    tail = start(RINGCAST, "tail", live.name, "--wait", "--json")
    tail.says('"record"')
    live.producer.kill()
    tail.says("waiting for the next one")
    live.testsrc("--seconds", "1").ends_well()
    tail.ends_well()
    lines = [json.loads(line) for line in tail.output().splitlines() if line.startswith("{")]
    assert lines[-1]["type"] == "end"
    sessions = [line for line in lines if line["type"] == "session" and line["flow"] == "video"]
    assert len(sessions) == 1


# ---- stale, damaged, clean ------------------------------------------------------------------------------------------

def test_a_killed_producer_leaves_a_stale_bus_that_clean_removes(ringcast, stale):
    assert re.search(rf"^{stale.name} +stale ", ringcast("ls").stdout, re.MULTILINE)
    done = ringcast("tail", stale.name)
    assert done.returncode == 1 and "has no live producer (stale)" in done.stderr

    before = objects_of(stale.name)
    would = json.loads(ringcast("clean", stale.name, "--dry-run", "--json").stdout)
    assert would["dry_run"] and objects_of(stale.name) == before

    sizes = {name: (SHM / name).stat().st_size for name in before}
    did = json.loads(ringcast("clean", stale.name, "--json").stdout)
    assert not did["dry_run"]
    assert sorted(each["object"] for each in did["objects"]) == before
    assert did["total_bytes"] == sum(each["bytes"] for each in did["objects"]) == sum(
        size for name, size in sizes.items() if not name.endswith((".lock", ".live")))
    assert objects_of(stale.name) == []
    assert ringcast("info", stale.name).returncode == 1


def test_clean_says_what_and_how_much(ringcast, stale):
    would = ringcast("clean", stale.name, "--dry-run").stdout
    assert re.search(r"^would remove \d+ objects \(\d+\.\d MiB\) and \d+ lock files$", would, re.MULTILINE), would
    did = ringcast("clean", stale.name).stdout
    assert f"ringcast.{stale.name}.video" in did and did.splitlines()[-1] == would.splitlines()[-1].replace(
        "would remove", "removed")
    again = ringcast("clean", stale.name)
    assert (again.returncode, again.stdout) == (0, "nothing stale is there\n")


def test_clean_never_touches_a_live_bus(ringcast, live):
    before = objects_of(live.name)
    named = ringcast("clean", live.name)
    assert named.returncode == 1 and "is live" in named.stderr and str(live.producer.pid) in named.stderr
    assert ringcast("clean").returncode == 0
    assert objects_of(live.name) == before and live.info()["state"] == "live"
    head = live.info()["flows"][0]["head_index"]
    wait_until(lambda: live.info()["flows"][0]["head_index"] > head, "the producer to go on")


def test_a_damaged_object_is_shown_not_believed_and_can_be_removed(ringcast, junk):
    mine = next(each for each in json.loads(ringcast("ls", "--json").stdout)["buses"] if each["name"] == junk.name)
    assert mine["state"] == "damaged" and len(mine["problems"]) == 1
    assert re.search(rf"^{junk.name} +damaged ", ringcast("ls").stdout, re.MULTILINE)
    assert "problem" in ringcast("info", junk.name).stdout
    tail = ringcast("tail", junk.name)
    assert tail.returncode == 1 and tail.stderr.count("\n") == 1
    assert ringcast("clean", junk.name).returncode == 0
    assert objects_of(junk.name) == []


def test_names_in_shared_memory_cannot_reach_the_terminal_or_break_json(ringcast, live):
    # The producer's name stands at byte 128 of the bus object (docs/memory-layout.md).
    with open(SHM / f"ringcast.{live.name}.bus", "r+b") as object_file:
        object_file.seek(128)
        object_file.write(b"\x1b]0;owned\x07\xff\xfe\n\x9b31m".ljust(64, b"\0"))
    for words in (["ls"], ["info", live.name]):
        shown = subprocess.run([RINGCAST, *words], capture_output=True, check=True, timeout=60).stdout
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", shown), shown
        shown.decode("utf-8")
        json.loads(subprocess.run([RINGCAST, *words, "--json"], capture_output=True, check=True, timeout=60).stdout)


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


# ---- completion -----------------------------------------------------------------------------------------------------

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
    assert "segment=" in complete_in_bash("ringcast sink hls --bus x ")
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


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_completion_works_in_fish(live):
    environment = {**os.environ, "PATH": f"{RINGCAST.parent}:{os.environ['PATH']}"}

    def ask(line):
        script = f"ringcast completion fish | source; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", script], env=environment, capture_output=True, text=True,
                              check=True, timeout=60)
        return [reply.split("\t")[0] for reply in done.stdout.splitlines()]

    assert sorted(ask("ringcast ")) == sorted(VERBS)
    assert live.name in ask("ringcast info ")
    assert "segment=" in ask("ringcast sink hls ")


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_completion_works_at_a_real_zsh_prompt(live):
    typed = f"ringcast info {live.name[:-1]}\t; echo done-$?-{{1..2}}\n".encode()
    setup = b"autoload -Uz compinit && compinit -D && source <(ringcast completion zsh)\n"
    seen = type_into("zsh", ["zsh", "-f", "-i"], [setup, typed], b"done-0-1 done-0-2")
    assert b"done-0-1 done-0-2" in seen, seen.decode(errors="replace")
