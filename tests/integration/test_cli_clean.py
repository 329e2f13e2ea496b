# SPDX-License-Identifier: Apache-2.0
"""Stale and damaged buses: how they are shown, and ringcast clean."""
import json
import os
import re
import subprocess

import pytest
from conftest import RINGCAST, SHM, wait_until


def objects_of(name):
    return sorted(path.name for path in SHM.glob(f"ringcast.{name}.*"))


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
