# SPDX-License-Identifier: Apache-2.0
"""The rule by which a test is made again: only one that is marked, only after a pause, and never without a word."""
import os
import signal
import subprocess
import sys
import time

from conftest import ROOT, wait_until
from stood_still import Watch

TESTS = """
import subprocess, time
import pytest
import stood_still

runs = dict.fromkeys(["paused", "not_paused", "not_marked", "crashed", "always"], 0)

class Pauses:
    def __init__(self):
        self.process = subprocess.Popen(["sleep", "60"])
        self.paused = 0
    def longest_since(self, moment):
        return self.paused

stood_still.Watch = Pauses

def run(request, name, paused=0.4):
    runs[name] += 1
    watch = request.config.stash.get(stood_still.WATCH, None)
    if watch:
        watch.paused = paused
    return runs[name]

@pytest.mark.in_time
def test_not_paused(request):
    assert run(request, "not_paused", 0) == 2

@pytest.mark.in_time
def test_paused(request):
    assert run(request, "paused") == 2, "what it said"

@pytest.mark.in_time
def test_always(request):
    assert run(request, "always") == 9

@pytest.mark.in_time
def test_crashed(request):
    request.node.stash[stood_still.CRASHED] = True
    assert run(request, "crashed") == 2

def test_not_marked(request):
    assert run(request, "not_marked") == 2

def test_runs():
    assert runs == {"paused": 2, "not_paused": 1, "not_marked": 1, "crashed": 1, "always": 3}
"""


def test_only_what_failed_while_the_machine_stood_still_is_made_again_and_it_is_told(tmp_path):
    (tmp_path / "test_inner.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = in_time: of the plugin\n")
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "stood_still", "-p", "no:cacheprovider", "-v", tmp_path],
                          env={"PYTHONPATH": ROOT / "tests/support", "PATH": "/usr/bin:/bin"}, capture_output=True,
                          text=True, check=False, timeout=120, cwd=tmp_path)
    results = {line.split("::")[1].split()[0]: line.split()[1] for line in done.stdout.splitlines()
               if line.startswith("test_inner.py::") and "%" in line}
    assert results == {"test_not_paused": "FAILED", "test_paused": "PASSED", "test_always": "FAILED",
                       "test_crashed": "FAILED", "test_not_marked": "FAILED", "test_runs": "PASSED"}, done.stdout
    told = done.stdout[done.stdout.index("made again: "):]
    assert told.count("made again: ") == 3 and told.count("::test_always: ") == 2 and "what it said" in told


def test_a_pause_is_seen():
    watch = Watch()

    def stops_it():  # again, when it was not at work yet
        os.kill(watch.process.pid, signal.SIGSTOP)
        time.sleep(0.4)
        os.kill(watch.process.pid, signal.SIGCONT)
        time.sleep(0.1)
        return watch.longest_since(0) >= 0.3
    try:
        wait_until(stops_it, "the pause to be seen")
    finally:
        watch.process.kill()
        watch.process.wait()
