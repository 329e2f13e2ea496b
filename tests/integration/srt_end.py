# SPDX-License-Identifier: Apache-2.0
"""Our end of SRT: the sink's words for it, and what the board shows of it."""
import pytest
from conftest import wait_until
from far_end import MAX_SKEW_MS, runs
from marks import read_marks
from srt_receiver import SrtReceiver

FPS = 25
PASSPHRASE = "opens-the-tests-only"
PEER_MODE = {"caller": "listener", "listener": "caller", "rendezvous": "rendezvous"}


def sink_words(mode, port):
    """Where the sink is in that mode, with the far end where peer_url() puts it."""
    return {"caller": [f"srt://127.0.0.1:{port}"], "listener": [f"srt://:{port}"],
            "rendezvous": [f"srt://127.0.0.2:{port}", "mode=rendezvous"]}[mode]


@pytest.fixture
def pictures(bus):
    """A bus that goes on until the test ends."""
    bus.producer = bus.testsrc(size="320x180")
    yield bus
    bus.producer.kill()


@pytest.fixture
def receiver():
    """Makes listeners on libsrt itself."""
    made = []

    def make(**words):
        made.append(SrtReceiver(**words))
        return made[-1]

    yield make
    for each in made:
        each.close()


def becomes(bus, wanted, *words, name="srt", limit=20):
    """What the board shows of the sink once it is in that state, with those words in its reason."""
    seen = []

    def look():
        reader = bus.reader(name) or {"state": "", "reason": ""}
        if (reader["state"], reader["reason"]) not in seen[-1:]:
            seen.append((reader["state"], reader["reason"]))
        return reader["state"] == wanted and all(word in reader["reason"] for word in words) and reader

    try:
        return wait_until(look, f"{name} to be {wanted} with {words}", limit)
    except pytest.fail.Exception as late:
        pytest.fail(f"{late}; it was {seen}")


def encodes_on(bus, frames, name="srt", limit=60):
    """Waits until the sink has encoded so many more frames."""
    first = bus.encoded(name)
    wait_until(lambda: bus.encoded(name) >= first + frames, f"{frames} more frames of {name}", limit)


def assert_in_step(path, marks):
    assert marks.sync, f"{path}: no mark on both tracks"
    assert marks.worst_sync_ms <= MAX_SKEW_MS, f"{path}: sound minus picture {[mark.ms for mark in marks.sync]} ms"


def filled_in(sink):
    """Whether the machine was too busy for the source, so that the sink, which has ended, repeated pictures."""
    return "(0 repeated)" not in sink.output()


def whole_from_its_first_frame(path, sink, marks=None):
    """The numbers of a recording in which nothing is missing, nothing is broken and sound is in step."""
    marks = marks or read_marks(path)
    numbers = [frame.index for frame in marks.frames]
    assert numbers and not (marks.unreadable or marks.missing or marks.out_of_order), f"{path}: frames {runs(numbers)}"
    assert marks.sound.jumps == [] and (filled_in(sink) or marks.gaps == []), f"{path}: {marks.gaps}"
    assert marks.decoder_messages == [], f"{path}: the decoder complains: {marks.decoder_messages[:5]}"
    assert_in_step(path, marks)
    return numbers
