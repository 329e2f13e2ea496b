# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: a test of what happens in time is made again when it failed while this machine stood still.

Such tests (mark `in_time`) presume that programs run when they have to: frames come 25 times a second, a network of 100 ms
takes 100 ms. A virtual machine that is not given its cores breaks that, and no program on it can help it. A process that
only looks at the clock notes such pauses; without one, a failure stands, and so does a crash and all that a sanitizer's
build does wrong. What was made again is told in the summary, with all that it had said."""
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

PROPERTY = "made again"
MOST_TIMES = 3
PERIOD_S = 0.02
LEAST_PAUSE_S = 0.1

# A process of its own: the tests' holds Python's lock for longer than that while it decodes.
LOOK = f"""
import os, time
parent, last = os.getppid(), time.monotonic()
while os.getppid() == parent:
    time.sleep({PERIOD_S})
    now = time.monotonic()
    if now - last - {PERIOD_S} > {LEAST_PAUSE_S}:
        print(last, now, flush=True)
    last = now
"""


class Watch:
    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-c", LOOK], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        text=True)
        self.pauses = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.pauses.append(tuple(map(float, line.split())))

    def longest_since(self, moment):
        """Seconds; 0 when there was no pause."""
        return max((end - begin for begin, end in list(self.pauses) if end > moment), default=0)


WATCH = pytest.StashKey[Watch]()
CRASHED = pytest.StashKey[bool]()  # of a test: a program under test did


def pytest_sessionfinish(session):
    watch = session.config.stash.get(WATCH, None)
    if watch:
        watch.process.kill()
        watch.process.wait()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    if not item.get_closest_marker("in_time") or Path(os.environ.get("RINGCAST_BUILD", "")).name == "asan":
        return None
    watch = item.config.stash.setdefault(WATCH, None) or Watch()
    item.config.stash[WATCH] = watch
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for left in reversed(range(MOST_TIMES)):
        began = time.monotonic()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        paused = watch.longest_since(began)
        failed = [report for report in reports if report.failed]
        if not left or not paused or not failed or item.stash.get(CRASHED, False):
            break
        said = "\n".join(report.longreprtext + "".join(text for _, text in report.sections) for report in failed)
        item.user_properties.append((PROPERTY, f"the machine stood still for {paused:.2f} s\n{said}"))
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter):
    told = {(report.nodeid, value): None for reports in terminalreporter.stats.values() for report in reports
            for name, value in getattr(report, "user_properties", []) if name == PROPERTY}
    for nodeid, value in told:
        terminalreporter.write_line(f"{PROPERTY}: {nodeid}: {value}")
