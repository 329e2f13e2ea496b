# SPDX-License-Identifier: Apache-2.0
"""A live source into two sinks for a long time: nothing lost, nothing grows."""
import os
import time
from pathlib import Path

import pytest
from conftest import wait_until
from far_end import assert_whole

SECONDS = 3600 if os.environ.get("RINGCAST_SOAK") else 20


def resident_kb(pid):
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.split("\n") if line.startswith("VmRSS")).split()[1])


@pytest.mark.soak
def test_a_long_time_on_air_loses_nothing_and_memory_stays_flat(bus, tmp_path):
    sinks = {"mp4": bus.sink("file", "--name", "mp4", "--once", tmp_path / "out.mp4"),
             "hls": bus.sink("hls", "--name", "hls", "--once", tmp_path / "hls")}
    source = bus.testsrc("--seconds", SECONDS, "--mode", "live", "--wait-readers", "2")
    warm = min(60, SECONDS / 3)
    wait_until(lambda: bus.encoded("hls") >= warm * 25, "warm-up", limit=300)
    begin = {name: resident_kb(sink.pid) for name, sink in sinks.items()}
    grown = dict.fromkeys(sinks, 0)
    while source.running():
        for name, sink in sinks.items():
            assert sink.running(), sink.output()
            grown[name] = max(grown[name], resident_kb(sink.pid) - begin[name])
        time.sleep(1)
    source.ends_well()
    for sink in sinks.values():
        sink.ends_well()
    assert_whole(tmp_path / "out.mp4", frames=SECONDS * 25, fps=25)
    assert_whole(tmp_path / "hls/index.m3u8", frames=SECONDS * 25, fps=25)
    # 20 MB an hour would be a leak; allocators settle within a few.
    assert all(kilobytes < 20_000 for kilobytes in grown.values()), grown
