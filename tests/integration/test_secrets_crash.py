# SPDX-License-Identifier: Apache-2.0
"""A live sink with a stream key gives it away neither when it crashes nor to other processes of its user."""
import os
import signal
import subprocess

import pytest
from conftest import BUILD, RINGCAST, wait_until
from rtmp_servers import NginxRtmp, secret_file
from secret_traces import assert_kept, make_key

# What a shell started in the background ignores SIGQUIT.
UNLIMITED = 'cd "$0" && ulimit -c unlimited && exec env --default-signal "$@"'
NOBODY = 65534
SECRETIVE = BUILD / "tests/plugins/secretive.so"
LOOK = """
import sys
for name in ("environ", "maps", "mem"):
    try:
        with open(f"/proc/{sys.argv[1]}/{name}", "rb"):
            print(name)
    except OSError:
        pass
"""


@pytest.fixture
def key():
    return make_key()


def cores(folder):
    return [path for path in folder.iterdir() if "core" in path.name]


@pytest.mark.parametrize("fatal", [signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT])
def test_a_live_rtmp_sink_that_crashes_writes_no_core(bus, start, key, tmp_path, fatal):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "sink"
    elsewhere.mkdir()
    folder.mkdir()
    start("sh", "-c", UNLIMITED, elsewhere, "sh", "-c", f"kill -{fatal.name[3:]} $$").wait()
    if not cores(elsewhere):
        pytest.skip("no process can write a core here (ulimit -c, kernel.core_pattern)")
    nginx = NginxRtmp(start, tmp_path / "nginx")
    sink = bus.start("sh", "-c", UNLIMITED, folder, RINGCAST, "sink", "rtmp", "--bus", bus.name, "--name", "rtmp",
                     "--log-level", "debug", f"url={nginx.url}", f"key={secret_file(tmp_path / 'key', 'show' + key)}")
    bus.testsrc()
    wait_until(lambda: (reader := bus.reader("rtmp")) and reader["state"] == "live", "the stream")
    wait_until(lambda: bus.encoded("rtmp") > 25, "frames")
    assert_kept(bus, key, sink)
    sink.signal(fatal)
    assert sink.wait() == -fatal
    assert cores(folder) == []
    assert_kept(bus, key, sink)


def what_its_user_sees(pid):
    """Names in /proc/PID that a process of the user of that process, and without privileges, can open."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(["/usr/bin/python3", "-c", LOOK, str(pid)], capture_output=True, text=True, check=True,
                          timeout=60, cwd="/", **user)
    return done.stdout.split()


def test_other_processes_of_the_user_cannot_look_into_a_sink_with_a_key(bus, start, key, tmp_path):
    nginx = NginxRtmp(start, tmp_path / "nginx")
    as_user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    words = [*as_user, RINGCAST, "sink"]
    plain = bus.start(*words, SECRETIVE, "--bus", bus.name, "url=rtmp://host/live")
    secretive = bus.start(*words, "rtmp", "--bus", bus.name, f"url={nginx.url}", "key=env:STREAM_KEY",
                          STREAM_KEY="show" + key)
    for child in (plain, secretive):
        child.says("waiting for bus")
    assert {"environ", "maps", "mem"} <= set(what_its_user_sees(plain.pid)), "those of a sink without a key are open"
    assert what_its_user_sees(secretive.pid) == []
    assert_kept(bus, key, secretive)
