# SPDX-License-Identifier: Apache-2.0
"""Finds what a test run leaves behind: processes it started, names in /dev/shm that no live process holds."""
import os
import signal
import time
from pathlib import Path

SHM = Path("/dev/shm")
MARK = "RINGCAST_TEST_RUN"


def begin():
    """Marks everything this process will start (the environment is inherited) and notes what exists already."""
    os.environ[MARK] = f"{os.getpid()}-{time.time_ns()}"
    return objects()


def finish(before):
    """Ends by pid what still runs; returns one line per thing left behind."""
    lines = []
    for pid in marked_processes():
        lines.append(f"process {pid}: {command_of(pid)}")
        end(pid)
    held = held_objects()
    lines += [f"/dev/shm/{name}" for name in sorted(objects() - before - held)]
    return lines


def objects():
    return {entry.name for entry in SHM.iterdir() if entry.name.startswith("ringcast.")}


def held_objects():
    """Names that some process still maps or has open: another user's buses are not ours to judge."""
    held = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            links = [os.readlink(entry) for part in ("fd", "map_files") for entry in (folder / part).iterdir()]
        except OSError:
            continue
        held |= {Path(link).name for link in links if link.startswith("/dev/shm/ringcast.")}
    return held


def marked_processes():
    wanted = f"{MARK}={os.environ[MARK]}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0") and int(folder.name) != os.getpid():
                found.append(int(folder.name))
        except (OSError, ValueError):
            continue
    return found


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")[:200]
    except OSError:
        return "(gone)"


def end(pid, patience=3):
    try:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def end_tree(root):
    """Ends a process and everything below it, children first, each by its pid."""
    children = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(folder.name))
    order, queue = [], [root]
    while queue:
        pid = queue.pop()
        order.append(pid)
        queue += children.get(pid, [])
    for pid in reversed(order):
        end(pid)
