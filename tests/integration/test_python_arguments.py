# SPDX-License-Identifier: Apache-2.0
"""The pip package: arguments, and what is refused with which words."""

from __future__ import annotations

import os
from fractions import Fraction

import numpy as np
import pytest
import ringcast
from conftest import SHM
from layout_reader import Flow, picture


@pytest.fixture
def bus(bus_name):
    return bus_name


@pytest.mark.parametrize(
    "wrong",
    [picture(0, (32, 24, 3)), picture(0, (24, 32, 4)), picture(0).astype(np.float32), picture(0)[0], None],
    ids=["transposed", "alpha", "float", "line", "none"],
)
def test_a_frame_that_does_not_fit_is_refused_with_both_shapes(bus, wrong):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        flow = Flow(bus, "video")
        with pytest.raises(ValueError, match=r"expected bgr24 frame of shape \(24, 32, 3\), dtype uint8; got shape"):
            out.write_video(wrong)
        assert flow.head == 0


@pytest.mark.parametrize(
    "fps, num_den",
    [
        (25, (25, 1)),
        (25.0, (25, 1)),
        (29.97, (30000, 1001)),
        (30000 / 1001, (30000, 1001)),
        ("29.97", (30000, 1001)),
        ("59.94", (60000, 1001)),
        ("30000/1001", (30000, 1001)),
        ((30000, 1001), (30000, 1001)),
        (Fraction(25, 2), (25, 2)),
        ("12.5", (25, 2)),
    ],
)
def test_frame_rates_are_exact(bus, fps, num_den):
    with ringcast.Producer(bus, size=(32, 24), fps=fps, rate=None):
        assert Flow(bus, "video").caps[3:5] == num_den


@pytest.mark.parametrize(
    "arguments, text",
    [
        (dict(fps=0), "fps 0"),
        (dict(fps="fast"), "'fast'"),
        (dict(fps=(25, 0)), "fps"),
        (dict(size=(0, 24)), "size 0"),
        (dict(size=(20000, 24)), "20000"),
        (dict(size=(2**32 + 32, 24)), "size 4294967328"),
        (dict(format="yuv420p"), "i420"),
        (dict(rate=100), "100"),
        (dict(channels=9), "9"),
        (dict(mode="fast"), "paced"),
        (dict(sample_format="s32"), "f32"),
        (dict(video_depth=-1), "video_depth"),
        (dict(size=None, rate=None), "neither a video nor an audio"),
    ],
)
def test_wrong_arguments_are_refused_by_name(bus, arguments, text):
    with pytest.raises(ValueError, match=text):
        ringcast.Producer(bus, **{"size": (32, 24), "rate": 16000, **arguments})
    assert list(SHM.glob(f"ringcast.{bus}.*")) == []


@pytest.mark.parametrize("name", ["", "a b", "x" * 49, "../x", "ü"])
def test_wrong_bus_names_are_refused(name):
    with pytest.raises(ringcast.InvalidArgumentError, match="bus name"):
        ringcast.Producer(name, size=(32, 24))


def test_a_second_producer_is_told_who_holds_the_bus(bus):
    with ringcast.Producer(bus, size=(32, 24)):
        with pytest.raises(ringcast.BusyError, match=f"pid {os.getpid()}") as caught:
            ringcast.Producer(bus, size=(32, 24))
    assert caught.value.code == -3 and isinstance(caught.value, ringcast.Error)


def test_calls_after_end_and_close_are_refused(bus):
    out = ringcast.Producer(bus, size=(32, 24), rate=None)
    with pytest.raises(ValueError, match="without audio"):
        out.write_audio(np.zeros(1, np.int16))
    out.end()
    out.end()
    with pytest.raises(ringcast.EndedError):
        out.write_video(picture(0))
    out.close()
    out.close()
    with pytest.raises(ringcast.EndedError, match="closed"):
        out.write_video(picture(0))


def test_depth_is_in_seconds(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=16000, video_depth=2, audio_depth=0.5):
        assert Flow(bus, "video").depth >= 2
        assert Flow(bus, "audio").depth >= 0.5


def test_a_depth_that_does_not_fit_is_an_error_with_the_fix(bus):
    with pytest.raises(ringcast.NoSpaceError, match="shm-size"):
        ringcast.Producer(bus, size=(16384, 16384), format="rgba", rate=None, video_depth=3600)
