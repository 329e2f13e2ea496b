# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests that run the real programs: a bus name of one's own, processes that are always ended by pid."""
import itertools
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("RINGCAST_BUILD", ROOT / "build")).resolve()
RINGCAST = BUILD / "bin/ringcast"
SHM = Path("/dev/shm")
VERBS = ["testsrc", "avatar", "ingest", "sink", "plugins", "ls", "info", "top", "tail", "snapshot", "cat", "doctor", "clean",
         "completion"]
SANITIZED = "asan" in BUILD.name
sys.path.insert(0, str(ROOT / "tests/support"))
import ports

pytest_plugins = ["stood_still"]
CRASHES = {-number for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)}

_bus_numbers = itertools.count()


def wait_until(condition, what, limit=60):
    """Polls until `condition()` is truthy and returns that; a watchdog, not a measurement."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    pytest.fail(f"waited {limit} s for {what}")


class Running:
    """A process under test with its output in a file."""

    def __init__(self, words, log, environment):
        self.words = list(map(str, words))
        self.log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env={**os.environ, **environment}, start_new_session=True)
        self.pid = self.process.pid

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def running(self):
        return self.process.poll() is None

    def wait(self, limit=90):
        """The exit code; after `limit` seconds the watchdog ends it and the test fails."""
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"{self} still ran after {limit} s; it said:\n{self.output()[-3000:]}")

    def ends_well(self, limit=90):
        status = self.wait(limit)
        assert status == 0, f"{self} ended with {status}; it said:\n{self.output()[-3000:]}"

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9, and reaped."""
        if self.running():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def says(self, text, limit=60):
        wait_until(lambda: text in self.output() or not self.running(), f"{self} to say {text!r}", limit)
        assert text in self.output(), f"{self} ended without saying {text!r}; it said:\n{self.output()[-3000:]}"

    def __str__(self):
        return " ".join(Path(word).name if "/" in word else word for word in self.words[:5])


@pytest.fixture
def start(request, tmp_path, bus_name):  # bus_name: its objects are removed after the processes have ended
    """Starts a process that the end of the test ends, whatever happened."""
    children = []

    def starter(*words, **environment):
        log = tmp_path / f"process-{len(children)}.log"
        child = Running(words, log, environment)
        children.append(child)
        return child

    yield starter
    for child in reversed(children):
        child.kill()
    stood_still = request.config.pluginmanager.get_plugin("stood_still")
    request.node.stash[stood_still.CRASHED] = any(child.process.returncode in CRASHES for child in children)


class Bus:
    """One bus and the ringcast verbs on it."""

    def __init__(self, name, start):
        self.name = name
        self.start = start

    def sink(self, plugin, *words):
        return self.start(RINGCAST, "sink", plugin, "--bus", self.name, *words)

    def testsrc(self, *words, size="640x360", fps="25"):
        return self.start(RINGCAST, "testsrc", "--bus", self.name, "--size", size, "--fps", fps, "--json", *words)

    def info(self):
        """What `ringcast info --json` shows, None while the bus does not exist."""
        done = subprocess.run([RINGCAST, "info", self.name, "--json"], capture_output=True, check=False, timeout=60)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def reader(self, name):
        info = self.info() or {"readers": []}
        return next((reader for reader in info["readers"] if reader["name"] == name), None)

    def encoded(self, name):
        """Frames the sink of that name has encoded so far."""
        reader = self.reader(name)
        return reader["encoded_frames"] if reader else 0


@pytest.fixture
def bus_name():
    """A name of the test's own; what a killed producer left under it goes after every process has ended."""
    name = f"it-{os.getpid()}-{next(_bus_numbers)}-{secrets.token_hex(3)}"
    yield name
    subprocess.run([RINGCAST, "clean", name], capture_output=True, check=False, timeout=60)


@pytest.fixture
def bus(bus_name, start):
    return Bus(bus_name, start)


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
def free_port():
    return ports.free_port()


@pytest.fixture
def ringcast():
    """Runs a verb to its end and returns the finished process."""

    def run(*words, limit=60):
        return subprocess.run([RINGCAST, *map(str, words)], capture_output=True, text=True, check=False, timeout=limit)

    return run
