# SPDX-License-Identifier: Apache-2.0
"""Somebody scribbles over a bus that is on air: verbs and sinks answer, with an error if need be; none crashes or hangs."""
import os
import random
import subprocess
from pathlib import Path

import pytest
from conftest import RINGCAST, wait_until

SHM = Path("/dev/shm")
OBJECTS = 10_000 if os.environ.get("RINGCAST_SOAK") else 60
ON_ONE_BUS = 10  # then it is too far gone to find anything new
LIMIT = 60
INTERESTING = 16 * 1024  # headers and descriptors lie in front; payload may be anything
WORDS = [0, 1, 2, 3, 0x7F, 0xFF, 1 << 31, (1 << 32) - 1, 1 << 61, (1 << 63) - 1, (1 << 64) - 1]
VERBS = [("ls",), ("info", "BUS"), ("info", "BUS", "--json"), ("tail", "BUS", "-n", "20"),
         ("top", "BUS", "--count", "1", "--interval", "50ms", "--json"),
         ("snapshot", "BUS", "OUT/picture.png", "--timeout", "200ms"),
         ("cat", "BUS", "--format", "raw", "--flow", "video", "--frames", "2", "--output", "OUT/raw"),
         ("doctor", "BUS"), ("clean", "BUS", "--dry-run")]


def objects_of(name):
    return [path for path in SHM.glob(f"ringcast.{name}.*") if path.suffix not in (".lock", ".live")]


def damage(rng, name):
    """Changes one object of the bus in one way; returns what was done, for the message."""
    objects = objects_of(name)
    if not objects:
        return "nothing is left"
    path = rng.choice(objects)
    size = path.stat().st_size
    kind = rng.choice(["bit", "word", "word", "run", "cut", "grow", "owner", "version"])
    with open(path, "r+b") as file:
        at = rng.randrange(max(min(size, INTERESTING) - 8, 1))
        file.seek(at)
        if kind == "bit":
            byte = file.read(1) or b"\0"
            file.seek(at)
            file.write(bytes([byte[0] ^ 1 << rng.randrange(8)]))
        elif kind == "word":
            file.seek(at // 8 * 8)
            file.write(rng.choice(WORDS).to_bytes(8, "little"))
        elif kind == "run":
            file.write(rng.randbytes(rng.randrange(1, 200)))
        elif kind == "version":
            file.seek(8)
            file.write(rng.randrange(4).to_bytes(4, "little"))
        elif kind == "cut":
            file.truncate(rng.choice([0, 63, 4096, size // 2]))
        elif kind == "grow":
            file.truncate(size + 4096)
    if kind == "owner" and os.geteuid() == 0:
        os.chown(path, rng.choice([0, 65534]), -1)
    return f"{kind} in {path.name} at {at}"


def went_well(status, said):
    """0 to 2 are answers; anything else is a signal or a sanitizer."""
    return status in (0, 1, 2) and "Sanitizer" not in said and "runtime error" not in said


@pytest.mark.asan
def test_damaged_objects_give_answers_and_never_a_crash_or_a_hang(bus, tmp_path):
    seed = random.randrange(1 << 30)
    rng = random.Random(seed)
    for number in range(0, OBJECTS, ON_ONE_BUS):
        subprocess.run([RINGCAST, "clean", bus.name], capture_output=True, check=False, timeout=LIMIT)
        for path in objects_of(bus.name):
            path.unlink()
        source = bus.testsrc("--seconds", "600", size="64x36")
        wait_until(lambda: (info := bus.info()) and len(info["flows"]) == 2, "the bus")
        sink = bus.sink("file", "--once", tmp_path / f"{number}.mkv")
        wait_until(lambda: bus.encoded("file") > 0 or not sink.running(), "the sink")
        done = []
        for step in range(ON_ONE_BUS):
            done.append(damage(rng, bus.name))
            words = [word.replace("BUS", bus.name).replace("OUT", str(tmp_path)) for word in VERBS[(number + step) % 9]]
            # A bus may look as if its producer were yet to come; these two then wait and are told to stop.
            waits = ["timeout", "--preserve-status", "-s", "TERM", "5"] if words[0] in ("tail", "cat") else []
            ran = subprocess.run([*waits, RINGCAST, *words], capture_output=True, text=True, errors="replace",
                                 check=False, timeout=LIMIT)
            assert went_well(ran.returncode, ran.stderr), f"seed {seed}: {words} after {done}: {ran.stderr[-2000:]}"
        source.kill()
        sink.signal(15)
        status = sink.wait(LIMIT)
        assert went_well(status, sink.output()), f"seed {seed}: the sink ended with {status} after {done}:\n" \
                                                 f"{sink.output()[-3000:]}"
