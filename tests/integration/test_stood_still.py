# SPDX-License-Identifier: Apache-2.0
"""The rule by which a test is made again: only one that is marked, only after a pause, and never without a word."""
import subprocess
import sys

from conftest import ROOT

TESTS = """
import os, signal, time
import pytest
import stood_still

runs = {"paused": 0, "not_paused": 0, "not_marked": 0, "always": 0}

def fail_after_a_pause(request, name, pause=True):
    runs[name] += 1
    watch = request.config.stash.get(stood_still.WATCH, None)
    if pause:
        os.kill(watch.process.pid, signal.SIGSTOP)
        time.sleep(0.4)
        os.kill(watch.process.pid, signal.SIGCONT)
        deadline = time.monotonic() + 20
        while not watch.longest_since(0) and time.monotonic() < deadline:
            time.sleep(0.01)

@pytest.mark.in_time
def test_not_paused(request):
    fail_after_a_pause(request, "not_paused", pause=False)
    assert not runs["not_paused"]

@pytest.mark.in_time
def test_paused(request):
    fail_after_a_pause(request, "paused")
    assert runs["paused"] == 2

@pytest.mark.in_time
def test_always(request):
    fail_after_a_pause(request, "always")
    assert not runs["always"]

def test_not_marked(request):
    fail_after_a_pause(request, "not_marked")
    assert not runs["not_marked"]

def test_runs():
    assert runs == {"paused": 2, "not_paused": 1, "not_marked": 1, "always": 3}
"""


def test_only_what_failed_while_the_machine_stood_still_is_made_again_and_it_is_told(tmp_path):
    (tmp_path / "test_inner.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "stood_still", "-p", "no:cacheprovider", "-v", tmp_path],
                          env={"PYTHONPATH": ROOT / "tests/support", "PATH": "/usr/bin:/bin"}, capture_output=True,
                          text=True, check=False, timeout=120, cwd=tmp_path)
    results = {line.split("::")[1].split()[0]: line.split()[1] for line in done.stdout.splitlines()
               if line.startswith("test_inner.py::") and "%" in line}
    assert results == {"test_not_paused": "FAILED", "test_paused": "PASSED", "test_always": "FAILED",
                       "test_not_marked": "FAILED", "test_runs": "PASSED"}, done.stdout
    told = [line for line in done.stdout.splitlines() if line.startswith("made again: ")]
    assert sorted(line.split("::")[1].split(":")[0] for line in told) == ["test_always", "test_always", "test_paused"]
