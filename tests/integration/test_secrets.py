# SPDX-License-Identifier: Apache-2.0
"""Stream keys: they reach the plugin and nothing else, and can be renewed while the sink runs."""
import json
import os
import pty
import resource
import secrets
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, RINGCAST, wait_until
from rtmp_servers import NginxRtmp, PublishHook
from secret_traces import assert_kept, make_key, pieces

SECRETIVE = BUILD / "tests/plugins/secretive.so"  # says its secrets wherever it can
FPS = 25


@pytest.fixture
def key():
    return make_key()


def recorded(record, count, limit=60):
    """The first `count` lines of what the plugin was given."""
    wait_until(lambda: record.exists() and len(record.read_text().splitlines()) >= count, f"{count} calls", limit)
    return record.read_text().splitlines()


def leaky(bus, record, *words, **environment):
    return bus.start(RINGCAST, "sink", SECRETIVE, "--bus", bus.name, "--name", "leaky", f"record={record}", *words,
                     **environment)


def on_air(bus, child):
    bus.testsrc("--wait-readers", "1")
    wait_until(lambda: bus.encoded("leaky") > FPS or not child.running(), "encoded frames")


def test_a_key_from_the_environment_reaches_the_plugin_and_is_seen_nowhere(bus, key, tmp_path):
    child = leaky(bus, tmp_path / "record", "url=rtmp://host/live", "key=env:STREAM_KEY", STREAM_KEY=key)
    assert recorded(tmp_path / "record", 2)[1] == f"connect url=rtmp://host/live key={key}"
    on_air(bus, child)
    assert_kept(bus, key, child)
    assert "publishing to rtmp://host/live with ***, encoded ***" in child.output(), "the plugin did say it"
    child.signal(signal.SIGTERM)
    child.ends_well()


def test_a_key_from_a_file_or_a_pipe_reaches_the_plugin_and_is_seen_nowhere(bus, key, tmp_path):
    (tmp_path / "key").write_text(key + "\n")
    (tmp_path / "key").chmod(0o644)
    child = leaky(bus, tmp_path / "record", "url=rtmp://host/live", f"key=file:{tmp_path / 'key'}")
    assert recorded(tmp_path / "record", 2)[1] == f"connect url=rtmp://host/live key={key}"
    child.says("every user of this machine can read that file; chmod 600 it")
    on_air(bus, child)
    assert_kept(bus, key, child)
    piped = bus.start("bash", "-c", f'exec "$0" "$@" key=file:<(cat {tmp_path / "key"})', RINGCAST, "sink", SECRETIVE,
                      "--bus", bus.name, "--name", "piped", f"record={tmp_path / 'piped'}")
    assert recorded(tmp_path / "piped", 2)[1] == f"connect url= key={key}"
    assert_kept(bus, key, piped)


@pytest.mark.parametrize("through", ["ringcast", "ringcast-sink"])
@pytest.mark.parametrize("word", ["url=", ""])
def test_a_key_in_a_literal_url_works_with_a_warning_and_is_erased(bus, key, tmp_path, through, word):
    program = [RINGCAST, "sink"] if through == "ringcast" else [BUILD / "bin/ringcast-sink"]
    url = f"rtmp://host/live/show{key}"
    child = bus.start(*program, SECRETIVE, "--bus", bus.name, "--name", "leaky", f"record={tmp_path / 'record'}",
                      f"{word}{url}")
    assert recorded(tmp_path / "record", 2)[1] == f"connect url={url} key="
    on_air(bus, child)
    assert_kept(bus, key, child)
    assert "publishing to rtmp://host/live/*** with" in child.output()
    assert child.output().count("carries a key") == 1, child.output()
    assert "key=env:NAME or key=file:PATH" in child.output()
    cmdline = Path(f"/proc/{child.pid}/cmdline").read_bytes()
    assert SECRETIVE.name.encode() in cmdline and b"--bus" in cmdline, "the rest of it is as it was"


@pytest.mark.parametrize("url", ["rtmp://host/live", "rtmp://host/live/_definst_"])
def test_a_url_of_host_and_app_is_shown_without_a_warning(bus, key, tmp_path, url):
    child = leaky(bus, tmp_path / "record", f"url={url}", "key=env:STREAM_KEY", STREAM_KEY=key)
    child.says(f"publishing to {url} with")
    assert "carries a key" not in child.output()
    assert f"url={url}\0".encode() in Path(f"/proc/{child.pid}/cmdline").read_bytes()


def test_a_url_with_its_key_comes_from_the_environment_as_well(bus, key, tmp_path):
    url = f"rtmp://host/live/show{key}"
    child = leaky(bus, tmp_path / "record", "url=env:ADDRESS", ADDRESS=url)
    assert recorded(tmp_path / "record", 2)[1] == f"connect url={url} key="
    child.says("publishing to rtmp://host/live/*** with")
    assert_kept(bus, key, child)


@pytest.mark.parametrize("then, status", [("refuse", 2), ("reject", 0)])
def test_the_key_is_in_no_error(bus, key, tmp_path, then, status):
    child = leaky(bus, tmp_path / "record", "url=rtmp://host/live", "key=env:STREAM_KEY", f"then={then}",
                  STREAM_KEY=key)
    if then == "reject":
        bus.testsrc()
        wait_until(lambda: (reader := bus.reader("leaky")) and reader["state"] == "rejected", "rejected")
        assert "with ***" in bus.reader("leaky")["reason"]
        assert_kept(bus, key, child)
        child.signal(signal.SIGTERM)
    assert child.wait() == status
    assert_kept(bus, key, child)


def test_what_is_wrong_with_a_secret_is_one_line_without_it_and_exit_2(ringcast, key, tmp_path):
    def refusal(*words):
        done = ringcast("sink", SECRETIVE, "--bus", "none", *words)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert not [piece for piece in pieces(key) if piece in done.stderr.encode()], done.stderr
        return done.stderr

    assert "use key=env:NAME or key=file:PATH" in refusal(f"key={key}")
    assert "key=env:NO_SUCH_NAME: there is no such environment variable" in refusal("key=env:NO_SUCH_NAME")
    assert f"key=file:{tmp_path / 'none'}: No such file" in refusal(f"key=file:{tmp_path / 'none'}")
    assert "say key=env:NAME or key=file:PATH" in refusal(tmp_path / "record", key)
    plain = key.split("&")[1].split("=")[1]
    assert "has no such option" in refusal(tmp_path / "record", f"{plain}==")
    assert "has no such option" in refusal(tmp_path / "record", f"stream-7&{key[1:]}")
    assert "unknown flag --key;" in refusal(tmp_path / "record", f"--key={plain}")
    assert "unknown flag;" in refusal(tmp_path / "record", f"-x{plain}")
    refusal(tmp_path / "record", f"-{plain}")
    assert "unknown flag;" in refusal(tmp_path / "record", f"--{plain}")
    (tmp_path / "two").write_text(f"{key}\n{key}\n")
    assert f"key=file:{tmp_path / 'two'}: holds more than one line" in refusal(f"key=file:{tmp_path / 'two'}")


def test_the_plugins_help_says_which_options_are_secrets(ringcast):
    probe = subprocess.run([BUILD / "bin/ringcast-sink", "--probe", SECRETIVE, "--json"], capture_output=True,
                           check=True, timeout=60)
    assert {option["key"]: option["secret"] for option in json.loads(probe.stdout)["options"]} == {
        "url": False, "key": True, "record": False, "then": False}
    help_text = ringcast("sink", SECRETIVE, "--help").stdout
    assert "the stream key (env:NAME or file:PATH)" in help_text
    assert "where to (or env:NAME, file:PATH)" in help_text


def dumps_core(folder, *words, **environment):
    """Runs the words to their end by a signal; whether a core was made."""
    def allow():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    with open(folder / "crash.log", "wb") as log:
        child = subprocess.Popen(list(map(str, words)), env={**os.environ, **environment}, cwd=folder, stdout=log,
                                 stderr=log, preexec_fn=allow)
    _, status = os.waitpid(child.pid, 0)
    child.returncode = status
    assert os.WIFSIGNALED(status), (folder / "crash.log").read_text()
    return os.WCOREDUMP(status)


def test_a_sink_with_a_secret_makes_no_core_dump_and_one_without_does(bus, key, tmp_path):
    if not dumps_core(tmp_path, "sh", "-c", "kill -ABRT $$"):
        pytest.skip("no process can dump core here (ulimit -c, kernel.core_pattern)")
    sink = [RINGCAST, "sink", SECRETIVE, "--bus", bus.name, "then=crash"]
    bus.testsrc()
    assert dumps_core(tmp_path, *sink, "url=rtmp://host/live")
    assert not dumps_core(tmp_path, *sink, "url=rtmp://host/live", "key=env:STREAM_KEY", STREAM_KEY=key)
    assert not dumps_core(tmp_path, *sink, f"url=rtmp://host/live/{key}")


def test_sighup_gives_the_plugin_what_the_files_hold_now(bus, key, tmp_path):
    record, new_key = tmp_path / "record", make_key()
    (tmp_path / "key").write_text(key)
    (tmp_path / "url").write_text(f"rtmp://host/live/{key}\n")
    child = leaky(bus, record, f"url=file:{tmp_path / 'url'}", f"key=file:{tmp_path / 'key'}")
    on_air(bus, child)
    child.signal(signal.SIGHUP)
    child.says("the files hold what they held before")
    (tmp_path / "key").write_text(new_key)
    child.signal(signal.SIGHUP)
    child.says("SIGHUP: key changed")
    assert recorded(record, 4)[2:] == [f"{call} url=rtmp://host/live/{key} key={new_key}"
                                       for call in ("replace", "connect")]
    (tmp_path / "url").write_text("rtmp://other/live\n")
    child.signal(signal.SIGHUP)
    assert recorded(record, 6)[4:] == [f"{call} url=rtmp://other/live key={new_key}" for call in ("replace", "connect")]
    encoded = bus.encoded("leaky")
    wait_until(lambda: bus.encoded("leaky") > encoded + FPS, "frames after it")
    for secret in (key, new_key):
        assert_kept(bus, secret, child)
    child.signal(signal.SIGTERM)
    child.ends_well()


def test_a_file_that_cannot_be_read_at_sighup_changes_nothing_and_is_told(bus, key, tmp_path):
    record = tmp_path / "record"
    (tmp_path / "key").write_text(key)
    child = leaky(bus, record, f"key=file:{tmp_path / 'key'}")
    on_air(bus, child)
    (tmp_path / "key").unlink()
    child.signal(signal.SIGHUP)
    child.says("the old value stays in use: ")
    child.says("No such file or directory")
    wait_until(lambda: "the old value stays" in bus.reader("leaky")["reason"], "a note beside the state")
    assert bus.reader("leaky")["state"] == "live", "it goes on"
    (tmp_path / "key").write_text(key)
    child.signal(signal.SIGHUP)
    wait_until(lambda: bus.reader("leaky")["reason"] == "", "the note to go")
    assert len(recorded(record, 2)) == 2, "no new connection"


def test_a_value_the_plugin_refuses_at_sighup_is_told_until_the_file_is_mended(bus, key, tmp_path):
    record, new_key = tmp_path / "record", make_key()
    refusal = "the old value stays in use: key= begins with wrong"
    (tmp_path / "key").write_text(key)
    child = leaky(bus, record, f"key=file:{tmp_path / 'key'}")
    on_air(bus, child)
    (tmp_path / "key").write_text("wrong" + key)
    child.signal(signal.SIGHUP)
    child.says("key= begins with wrong; copy it again (configuration); the old options stay")
    wait_until(lambda: (reader := bus.reader("leaky"))["state"] == "live" and refusal in reader["reason"],
               "the refusal beside the state")
    assert recorded(record, 3)[2:] == [f"connect url= key={key}"], "the old key goes on"
    child.signal(signal.SIGHUP)
    child.says("SIGHUP: " + refusal)
    assert refusal in bus.reader("leaky")["reason"] and len(recorded(record, 3)) == 3, "the peer was not left for it"
    (tmp_path / "key").write_text(new_key)
    child.signal(signal.SIGHUP)
    assert recorded(record, 5)[3:] == [f"{call} url= key={new_key}" for call in ("replace", "connect")]
    wait_until(lambda: bus.reader("leaky")["reason"] == "", "the note to go")
    (tmp_path / "key").write_text("wrong" + key)
    child.signal(signal.SIGHUP)
    wait_until(lambda: refusal in bus.reader("leaky")["reason"], "the refusal")
    (tmp_path / "key").write_text(new_key)
    child.signal(signal.SIGHUP)
    child.says("the files hold what they held before")
    wait_until(lambda: bus.reader("leaky")["reason"] == "", "the note to go when the old file is back")
    for secret in (key, new_key):
        assert_kept(bus, secret, child)


def test_a_blank_in_a_key_file_is_warned_about_and_sent(bus, key, tmp_path):
    (tmp_path / "key").write_text(key + " \r\n\n")
    child = leaky(bus, tmp_path / "record", "url=rtmp://host/live", f"key=file:{tmp_path / 'key'}")
    child.says(f"key=file:{tmp_path / 'key'}: a blank at the end of the value is sent as part of it")
    assert recorded(tmp_path / "record", 2)[1] == f"connect url=rtmp://host/live key={key} "
    (tmp_path / "key").write_text(key + "\n")
    child.signal(signal.SIGHUP)
    assert recorded(tmp_path / "record", 4)[3].endswith(f"key={key}")
    assert child.output().count("a blank") == 1
    assert_kept(bus, key, child)


@pytest.mark.parametrize("through", ["ringcast", "ringcast-sink"])
def test_a_descriptor_is_read_for_a_secret_and_for_nothing_else(bus, key, tmp_path, through):
    program = [RINGCAST, "sink"] if through == "ringcast" else [BUILD / "bin/ringcast-sink"]
    (tmp_path / "key").write_text(key + "\n")
    (tmp_path / "fd:3").touch()
    child = bus.start("sh", "-c", f'cd {tmp_path} && exec "$0" "$@" 3< key', *program, SECRETIVE, "--bus", bus.name,
                      "--name", "leaky", "record=fd:3", "key=fd:3")
    assert recorded(tmp_path / "fd:3", 2)[1] == f"connect url= key={key}", "it is a file's name there"
    assert_kept(bus, key, child)


def test_sighup_of_a_sink_without_files_or_replacement_is_answered_in_the_log(bus, key, tmp_path):
    plain = leaky(bus, tmp_path / "plain", "key=env:STREAM_KEY", STREAM_KEY=key)
    recorded(tmp_path / "plain", 2)
    plain.signal(signal.SIGHUP)
    plain.says("SIGHUP: no option comes from a file; nothing to read again")
    (tmp_path / "key").write_text(key)
    fixed = leaky(bus, tmp_path / "fixed", f"key=file:{tmp_path / 'key'}", "then=keep")
    recorded(tmp_path / "fixed", 2)
    fixed.signal(signal.SIGHUP)
    fixed.says("plugin secretive takes no new values while it runs; start the sink again")
    assert plain.running() and fixed.running()


def test_sighup_from_a_terminal_that_is_gone_ends_a_sink(bus, tmp_path):
    log = tmp_path / "log"
    pid, terminal = pty.fork()
    if pid == 0:
        os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY), 2)
        os.execv(RINGCAST, list(map(str, [RINGCAST, "sink", "file", "--bus", bus.name, tmp_path / "out.mp4"])))
    wait_until(lambda: log.exists() and "waiting for bus" in log.read_text(), "the sink")
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "HUP: finishing the output" in log.read_text()


@pytest.fixture
def allowed():
    """A hook for nginx that consents to the keys in `allowed.keys`, and knows what it was asked."""
    keys = set()
    hook = PublishHook(allow=lambda body: any(key.partition("?")[2].encode() in body for key in keys))
    hook.keys = keys
    yield hook
    hook.close()


def test_the_rtmp_sink_keeps_its_keys_through_refusal_renewal_and_loss(bus, start, key, allowed, tmp_path):
    old, new = f"show{key}", f"show{key[:-1]}2&token={secrets.token_hex(12)}"
    nginx = NginxRtmp(start, tmp_path / "nginx", on_publish=allowed.url)
    allowed.keys.add(new)
    (tmp_path / "key").write_text(old)
    sink = bus.sink("rtmp", "--log-level", "debug", "--name", "rtmp", f"url={nginx.url}",
                    f"key=file:{tmp_path / 'key'}")
    bus.testsrc()
    wait_until(lambda: (reader := bus.reader("rtmp")) and reader["state"] == "rejected", "the refusal")
    assert_kept(bus, old, sink)
    (tmp_path / "key").write_text(new)
    sink.signal(signal.SIGHUP)
    wait_until(lambda: bus.reader("rtmp")["state"] == "live", "consent to the new key")
    wait_until(lambda: bus.encoded("rtmp") > 2 * FPS, "frames")
    assert len(allowed.bodies) >= 2 and new.partition("?")[2].encode() in allowed.bodies[-1], "byte for byte"
    for secret in (old, new):
        assert_kept(bus, secret, sink)
    nginx.kill()
    wait_until(lambda: bus.reader("rtmp")["state"] == "backoff", "the loss")
    for secret in (old, new):
        assert_kept(bus, secret, sink)
    sink.signal(signal.SIGTERM)
    sink.ends_well()
    for secret in (old, new):
        assert_kept(bus, secret, sink)


def test_the_rtmp_sink_erases_a_key_in_its_url_and_shows_host_and_app(bus, start, key, tmp_path):
    nginx = NginxRtmp(start, tmp_path / "nginx")
    sink = bus.sink("rtmp", "--log-level", "debug", "--name", "rtmp", f"{nginx.url}/show{key}")
    bus.testsrc()
    wait_until(lambda: (reader := bus.reader("rtmp")) and reader["state"] == "live", "the stream")
    assert f"publishing to {nginx.url}" in sink.output().replace("/***", "")
    assert "carries a key" in sink.output()
    assert_kept(bus, key, sink)


def test_a_server_that_cannot_be_reached_is_told_without_the_key(bus, key, free_port):
    url = f"rtmp://127.0.0.1:{free_port}/live"
    sink = bus.start(RINGCAST, "sink", "rtmp", "--bus", bus.name, "--name", "rtmp", f"url={url}/show{key}")
    bus.testsrc()
    wait_until(lambda: (reader := bus.reader("rtmp")) and reader["state"] == "backoff", "the refusal")
    assert f"127.0.0.1 port {free_port}" in bus.reader("rtmp")["reason"]
    assert_kept(bus, key, sink)
