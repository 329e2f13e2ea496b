# SPDX-License-Identifier: Apache-2.0
"""Two buses joined by SRT across two network namespaces: what the second one carries, how much later, and what a
restart of either end does to it."""
import json
import statistics

import pytest
from conftest import RINGCAST, Bus, wait_until
from far_end import assert_steady
from marks import read_marks
from namespaces import Namespace, NoNamespaces
from srt_peers import free_udp_port

pytestmark = pytest.mark.in_time

FPS = 25
LATENCY_MS = 200
FRAME_NS = 10**9 // FPS
#: Only a gross mistake is told by time: the machine may have other things to do.
MOST_TIMES_THE_LATENCY = 10


@pytest.fixture
def far():
    try:
        namespace = Namespace()
    except (NoNamespaces, FileNotFoundError) as error:
        pytest.skip(f"no second network namespace here: {error}")
    yield namespace
    namespace.close()


@pytest.fixture
def second(bus, start):
    """The bus that the stream is taken onto."""
    other = Bus(f"{bus.name}-b", start)
    yield other
    start(RINGCAST, "clean", other.name).wait()


def tail(bus, flow, *words):
    """Writes down every record of a flow."""
    return bus.start(RINGCAST, "tail", bus.name, "--flow", flow, "--wait", "--json", *words)


def captured(process):
    """Of each frame number of the source when it was put on that bus, ns: raw pictures, or packets as long as one."""
    records = [json.loads(line) for line in process.output().splitlines() if line.endswith("}")]
    records = [each for each in records if each["type"] == "record" and not each.get("config")]
    pictures = [each for each in records if abs(each["duration_ns"] - FRAME_NS) < 1_000_000]
    return {each["media_index"]: each["capture_monotonic_ns"] for each in pictures}


def offsets(marks, begins=(0,)):
    """Sound after picture in ms, by second of the source. Where a stream begins with a beep, that lacks its first
    milliseconds: the packet that holds them began before the picture."""
    return {round(mark.index / FPS): mark.ms for mark in marks.sync
            if not any(begin <= mark.index <= begin + 2 for begin in begins)}


def test_every_frame_reaches_a_bus_in_another_namespace_in_step_and_not_much_later_than_asked(
        bus, second, far, start, tmp_path):
    port = free_udp_port()
    ingest = start(*far.wrapper, RINGCAST, "ingest", f"srt://:{port}?latency={LATENCY_MS}", "--bus", second.name,
                   "--once", "--json")
    ingest.says('"state":"listening"')
    near, beyond = tail(bus, "video"), tail(second, "packets")
    kept = bus.sink("file", "--name", "kept", "--once", tmp_path / "kept.ts", "audio.rate=48000", "video.gop=1s")
    out = second.sink("file", "--once", tmp_path / "out.ts")
    sender = bus.sink("srt", "--once", f"srt://{far.there}:{port}", f"latency={LATENCY_MS}", "video.gop=1s")
    seconds = 5
    bus.testsrc("--seconds", str(seconds), "--wait-readers", "2", "--rate", "48000").ends_well()
    for process in (sender, kept, ingest, out):
        process.ends_well()
    marks = read_marks(tmp_path / "out.ts")
    assert_steady(tmp_path / "out.ts", marks, seconds * FPS, FPS)
    before, after = offsets(read_marks(tmp_path / "kept.ts")), offsets(marks)
    moved = [after[each] - before[each] for each in after if each in before]
    assert len(moved) >= seconds - 2 and max(map(abs, moved)) <= 1, f"sound against picture moved by {moved} ms"
    made, came = captured(near), captured(beyond)
    assert sorted(came) == list(range(seconds * FPS)) == sorted(made)
    added = sorted((came[each] - made[each]) / 1e6 for each in came)
    median = statistics.median(added)
    print(f"added latency: {added[0]:.0f} to {added[-1]:.0f} ms, median {median:.0f} ms, SRT's {LATENCY_MS} ms")
    assert LATENCY_MS <= median < MOST_TIMES_THE_LATENCY * LATENCY_MS
    figures = [json.loads(line)["srt"] for line in ingest.output().splitlines() if line.startswith("{")]
    assert any(each and each["latency_ms"] == LATENCY_MS and each["rtt_us"] > 0 for each in figures)


def test_a_kill_of_either_end_leaves_the_second_bus_in_step(bus, second, far, start, tmp_path):
    port = free_udp_port()

    def ingest():
        return start(*far.wrapper, RINGCAST, "ingest", f"srt://:{port}", "--bus", second.name, "--json")

    def sender():
        return bus.sink("srt", "--name", "srt", f"srt://{far.there}:{port}", "video.gop=1s")

    def comes(process, count, what):
        def frames():
            lines = [line for line in process.output().splitlines() if line.startswith("{") and line.endswith("}")]
            return json.loads(lines[-1])["frames"] if lines else 0
        begun = frames()
        wait_until(lambda: frames() >= begun + count, what)

    receiver = ingest()
    receiver.says('"state":"listening"')
    out = second.sink("file", "--name", "out", "on_stall=wait", tmp_path / "out.ts")
    kept = bus.sink("file", "--name", "kept", "--once", tmp_path / "kept.ts", "audio.rate=48000")
    first = sender()
    source = bus.testsrc("--wait-readers", "2", "--rate", "48000")
    comes(receiver, 2 * FPS, "two seconds")
    first.kill()
    second_sender = sender()
    receiver.says('"rebases":1')
    comes(receiver, 2 * FPS, "two seconds of the second sender")
    # `ip netns exec` becomes the program, so this is the ingest itself.
    receiver.kill()
    again = ingest()
    comes(again, 2 * FPS, "two seconds after the restart of the ingest")
    source.signal(15)
    source.ends_well()
    kept.ends_well()
    second_sender.signal(15)
    second_sender.ends_well()
    again.signal(15)
    again.ends_well()
    out.signal(15)
    out.ends_well()
    marks = read_marks(tmp_path / "out.ts")
    numbers = [frame.index for frame in marks.frames]
    assert None not in numbers and numbers == sorted(set(numbers)), "each picture once, in order"
    jumps = [(a, b) for a, b in zip(numbers, numbers[1:]) if b != a + 1]
    assert len(jumps) <= 2, f"pictures are missing only where an end was killed: {jumps}"
    begins = [0, *(after for _, after in jumps)]
    before, after = offsets(read_marks(tmp_path / "kept.ts")), offsets(marks, begins)
    moved = {each: after[each] - before[each] for each in after if each in before}
    lives = [sum(1 for each in moved if low < each * FPS <= high) for low, high in
             zip([-1, *(b for _, b in jumps)], [*(a for a, _ in jumps), numbers[-1]])]
    assert min(lives) >= 1, f"a mark of each life: {lives}"
    assert max(map(abs, moved.values())) <= 1, f"sound against picture moved by {moved} ms"
    assert second.info() is None, "the end of the ingest is the end of its bus"
