# SPDX-License-Identifier: Apache-2.0
"""What a sink that sends says of itself on the board, waited for; and its memory."""
from pathlib import Path

import pytest
from conftest import wait_until

TOLD_S = 10  # within which trouble is told


def reader_of(bus, name="rtmp"):
    return bus.reader(name) or {"state": "", "reason": ""}


def state(bus, name="rtmp"):
    reader = reader_of(bus, name)
    return reader["state"], reader["reason"]


def becomes(bus, wanted, *words, name="rtmp", limit=TOLD_S):
    """What is on the board, once the sink is in that state with those words in its reason."""
    seen = []

    def look():
        reader = reader_of(bus, name)
        if (now := (reader["state"], reader["reason"])) not in seen[-1:]:
            seen.append(now)
        return reader["state"] == wanted and all(word in reader["reason"] for word in words) and reader

    try:
        return wait_until(look, f"{name} to be {wanted} with {words}", limit)
    except pytest.fail.Exception as late:
        pytest.fail(f"{late}; it was {seen}")


def private_kb(pid):
    """Memory of a process without the ring."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["RssAnon"].split()[0])
