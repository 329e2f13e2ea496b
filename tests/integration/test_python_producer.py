# SPDX-License-Identifier: Apache-2.0
"""The pip package: what a reader finds of the frames and the sound that were written."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import ringcast
from conftest import SHM
from layout_reader import Flow, picture


@pytest.fixture
def bus(bus_name):
    return bus_name


def test_frames_arrive_byte_for_byte_with_exact_pts(bus):
    with ringcast.Producer(bus, size=(32, 24), fps="29.97", rate=None) as out:
        flow = Flow(bus, "video")
        for number in range(20):
            out.write_video(picture(number))
        records = flow.read_all()
    assert [record["payload"] for record in records] == [picture(n).tobytes() for n in range(20)]
    assert [record["media_index"] for record in records] == list(range(20))
    first = records[0]["pts"]
    assert [r["pts"] - first for r in records] == [round(Fraction(n * 1001 * 10**9, 30000)) for n in range(20)]


def test_leaving_the_block_ends_the_stream_and_removes_the_names(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=16000) as out:
        video, audio = Flow(bus, "video"), Flow(bus, "audio")
        out.write_video(picture(0))
    assert video.ended and audio.ended
    assert out.closed
    assert list(SHM.glob(f"ringcast.{bus}.*")) == []


def test_leaving_the_block_by_an_exception_does_not_end_the_stream(bus):
    with pytest.raises(RuntimeError, match="model"):
        with ringcast.Producer(bus, size=(32, 24), rate=None):
            video = Flow(bus, "video")
            raise RuntimeError("model")
    assert not video.ended
    ringcast.Producer(bus, size=(32, 24), rate=None).close()  # the bus is free again


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[:, ::-1],
        lambda a: a[..., ::-1],
        lambda a: np.asfortranarray(a),
        lambda a: np.concatenate([a, a], axis=1)[:, :32],
    ],
    ids=["mirrored", "rgb-bgr", "fortran", "crop"],
)
def test_views_with_strides_arrive_as_they_look(bus, view):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        flow, array = Flow(bus, "video"), view(picture(1))
        assert not array.flags.c_contiguous
        out.write_video(array)
        assert flow.read()["payload"] == array.tobytes()


@pytest.mark.parametrize(
    "name, size, shape",
    [
        ("rgb24", (32, 24), (24, 32, 3)),
        ("bgra", (32, 24), (24, 32, 4)),
        ("i420", (32, 24), (36, 32)),
        ("nv12", (32, 24), (36, 32)),
        ("i420", (5, 3), (27,)),
    ],
)
def test_every_pixel_format_has_its_shape(bus, name, size, shape):
    with ringcast.Producer(bus, size=size, format=name, rate=None) as out:
        flow = Flow(bus, "video")
        out.write_video(picture(3, shape))
        assert flow.read()["payload"] == picture(3, shape).tobytes()
        with pytest.raises(ValueError, match="expected"):
            out.write_video(picture(3, (*shape, 1)))


def test_sound_arrives_in_blocks_with_absolute_sample_indices(bus):
    samples = np.arange(7000, dtype=np.int16)
    with ringcast.Producer(bus, rate=16000, audio_depth=5) as out:
        flow = Flow(bus, "audio")
        for start in (0, 100, 3000):
            out.write_audio(samples[start : {0: 100, 100: 3000, 3000: 7000}[start]])
        records = flow.read_all()
    assert b"".join(record["payload"] for record in records) == samples.tobytes()
    assert [r["media_index"] for r in records] == list(np.cumsum([0] + [r["samples"] for r in records[:-1]]))
    assert max(record["samples"] for record in records) <= 1600


@pytest.mark.parametrize("sample_format, dtype", [("s16", np.int16), ("f32", np.float32)])
@pytest.mark.parametrize("given", [np.int16, np.float32, np.float64])
def test_samples_are_converted_to_the_flows_format(bus, sample_format, dtype, given):
    wave = np.array([0, 0.5, -0.5, -1.0, 0.25])
    samples = (wave * 32768).astype(np.int16) if given is np.int16 else wave.astype(given)
    with ringcast.Producer(bus, rate=16000, sample_format=sample_format) as out:
        flow = Flow(bus, "audio")
        out.write_audio(samples)
        got = np.frombuffer(flow.read()["payload"], dtype)
    assert got.tolist() == (wave * (32768 if dtype is np.int16 else 1)).tolist()


def test_floats_beyond_full_scale_are_clipped_and_nan_is_silence(bus):
    with ringcast.Producer(bus, rate=16000) as out:
        flow = Flow(bus, "audio")
        out.write_audio(np.array([1.0, 7.0, -7.0, np.nan, np.inf, -np.inf], np.float32))
        got = np.frombuffer(flow.read()["payload"], np.int16)
    assert got.tolist() == [32767, 32767, -32768, 0, 32767, -32768]


def test_stereo_is_interleaved_from_any_layout(bus):
    planar = np.arange(20, dtype=np.int16).reshape(2, 10)
    with ringcast.Producer(bus, rate=48000, channels=2) as out:
        flow = Flow(bus, "audio")
        out.write_audio(planar.T)
        record = flow.read()
        assert record["samples"] == 10
        assert record["payload"] == np.ascontiguousarray(planar.T).tobytes()
        for wrong in (planar, planar[0], planar.T.astype(np.int32)):
            with pytest.raises(ValueError, match=r"expected samples of shape \(n, 2\), dtype int16 or float32; got"):
                out.write_audio(wrong)


def test_empty_sound_is_nothing(bus):
    with ringcast.Producer(bus, rate=16000) as out:
        flow = Flow(bus, "audio")
        out.write_audio(np.zeros(0, np.int16))
        assert flow.head == 0


def test_acquire_publishes_what_was_rendered_into_the_slot(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        flow = Flow(bus, "video")
        with out.acquire(pts=123) as slot:
            slot[:] = picture(5)
            assert flow.head == 0
        record = flow.read()
        assert record["payload"] == picture(5).tobytes() and record["pts"] == 123
        with pytest.raises(ValueError, match="read-only"):
            slot[0] = 0


def test_acquire_left_by_an_exception_publishes_nothing(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        flow = Flow(bus, "video")
        with pytest.raises(KeyError):
            with out.acquire():
                raise KeyError
        assert flow.head == 0
        out.write_video(picture(1))
        assert flow.read()["media_index"] == 0


def test_pts_are_whole_nanoseconds(bus):
    with ringcast.Producer(bus, size=(32, 24), rate=None) as out:
        flow = Flow(bus, "video")
        out.write_video(picture(0), pts=np.int64(1_000_000_007))
        assert flow.read()["pts"] == 1_000_000_007
        with pytest.raises(TypeError, match="nanoseconds"):
            out.write_video(picture(0), pts=1.5)
