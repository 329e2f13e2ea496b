# SPDX-License-Identifier: Apache-2.0
"""A model in Python that keeps its own pace, and how to read what became of its marks."""
import pytest
from conftest import ROOT

PYTHON = ROOT / "build/venv/bin/python"
HEAD = f"""
import sys, threading, time
sys.path.insert(0, {str(ROOT / "tests/support")!r})
import marked, ringcast

def at(begun, seconds):
    time.sleep(max(0, begun + seconds - time.monotonic()))
"""
# What scheduling on a busy machine, the last tick and an AAC frame may add up to.
SLACK = 0.5

# Pictures at `fps` of the 25 they are meant for; sound with each of them (lockstep), or in a thread of its own.
SLOW = """
    samples = marked.sound({seconds})
    def pictures():
        for i in range(int({seconds} * {fps})):
            at(begun, i / {fps})
            out.write_video(marked.frame(i))
            {lockstep}out.write_audio(samples[i * 1920 : (i + 1) * 1920])
    def sound():
        for i in range({seconds} * 50):
            at(begun, i / 50)
            out.write_audio(samples[i * 960 : (i + 1) * 960])
    threads = [threading.Thread(target=each) for each in {threads}]
    for each in threads: each.start()
    for each in threads: each.join()
"""


@pytest.fixture
def producer(bus, start):
    """A Python producer of 25 fps pictures and 48 kHz sound; returns how long its `body` ran."""

    def run(body):
        script = start(PYTHON, "-c", HEAD + f"""
with ringcast.Producer({bus.name!r}, size=(320, 180), fps=25, rate=marked.RATE) as out:
    out.wait_readers(1, timeout=60)
    begun = time.monotonic()
{body}
    print("ran", time.monotonic() - begun, flush=True)
""")
        script.ends_well()
        return float(script.output().split("ran ")[1].split()[0])

    return run


def in_order(marks):
    """Each number once but for repeats, none out of place; repeats follow their picture."""
    numbers = [frame.index for frame in marks.frames]
    assert marks.unreadable == 0 and marks.missing == [] and marks.out_of_order == [], numbers
    return numbers


def whole_marks(marks):
    """In lockstep a stall may come when half of a beep has arrived: that one is cut in two by the hold."""
    return [mark for mark in marks.sync if not any(0 <= gap.pts - mark.flash_pts < 0.1 for gap in marks.gaps)]
