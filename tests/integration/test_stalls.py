# SPDX-License-Identifier: Apache-2.0
"""on_stall=fill with real producers: whatever they do, the output lasts as long as the clock and stays in step."""
import signal
import subprocess
import time

import pytest
from conftest import wait_until
from far_end import MAX_SKEW_MS
from marks import read_marks
from python_model import SLACK, SLOW, in_order, producer, whole_marks  # noqa: F401, the fixture

pytestmark = pytest.mark.in_time


def fill(bus, tmp_path, *words):
    """A busy machine is no slow encoder: that has a test of its own."""
    return bus.sink("file", "--name", "fill", "--once", "on_stall=fill", "lag_limit=20s", *words, tmp_path / "fill.mkv")


def standing(numbers):
    """The number that stands longest, and for how many frames."""
    return max(((number, numbers.count(number)) for number in set(numbers)), key=lambda pair: pair[1])


def second_life(numbers):
    """Where the numbers begin anew. A busy machine may show the first of them more than once."""
    return next(i for i in range(1, len(numbers)) if numbers[i] < numbers[i - 1])


def test_a_stop_of_two_seconds_is_filled_where_it_is_asked_for_and_nowhere_else(bus, tmp_path):
    sinks = [fill(bus, tmp_path), bus.sink("file", "--once", "on_stall=wait", tmp_path / "wait.mkv"),
             bus.sink("hls", "--once", "on_stall=fill", "lag_limit=20s", tmp_path / "hls")]
    source = bus.testsrc("--seconds", "5", "--wait-readers", "3")
    wait_until(lambda: bus.encoded("fill") >= 60, "60 encoded frames")
    begun = time.monotonic()
    source.signal(signal.SIGSTOP)
    wait_until(lambda: bus.reader("fill")["state"] == "stalled", "a sink that says it is stalled")
    time.sleep(max(0, begun + 2 - time.monotonic()))
    source.signal(signal.SIGCONT)
    stopped = time.monotonic() - begun
    source.ends_well()
    for sink in sinks:
        sink.ends_well()
    for path in (tmp_path / "fill.mkv", tmp_path / "hls/index.m3u8"):
        marks = read_marks(path)
        numbers = in_order(marks)
        assert set(numbers) == set(range(125))
        assert marks.video_seconds == pytest.approx(5 + stopped, abs=SLACK)
        _, stood = standing(numbers)
        gap = max(gap.seconds for gap in marks.gaps)
        assert gap == pytest.approx((stood - 1) / 25, abs=0.06), "the sound pauses as long as the picture stands"
        assert marks.worst_sync_ms <= MAX_SKEW_MS
    waited = read_marks(tmp_path / "wait.mkv")
    assert in_order(waited) == list(range(125)) and waited.gaps == []


def test_a_producer_slower_than_the_output_is_no_stall_between_two_of_its_pictures(bus, tmp_path):
    sink = fill(bus, tmp_path, "video.fps=50")
    bus.testsrc("--seconds", "4", "--wait-readers", "1", fps="5").ends_well()
    sink.ends_well()
    marks = read_marks(tmp_path / "fill.mkv")
    assert in_order(marks)[::10] == list(range(20)), "each picture stands for ten ticks"
    assert marks.gaps == [] and marks.video_seconds == pytest.approx(4, abs=0.05)
    assert marks.worst_sync_ms <= MAX_SKEW_MS


def test_kill_9_and_restart_are_one_output_that_lasts_as_long_as_the_clock(bus, tmp_path):
    sink = fill(bus, tmp_path)
    first = bus.testsrc("--seconds", "60", "--wait-readers", "1")
    wait_until(lambda: bus.encoded("fill") >= 50, "50 encoded frames")
    first.kill()
    killed = time.monotonic()
    time.sleep(1.5)
    second = bus.testsrc("--seconds", "3")
    restarted = time.monotonic()
    second.ends_well()
    sink.ends_well()
    marks = read_marks(tmp_path / "fill.mkv")
    numbers = [frame.index for frame in marks.frames]
    joint = second_life(numbers)
    last, held = standing(numbers[:joint])
    assert sorted(set(numbers[joint:])) == list(range(75)), "the second life is whole"
    assert sorted(set(numbers[:joint])) == list(range(last + 1)) and numbers[joint - 1] == last
    assert 1.5 - 0.2 <= held / 25 <= restarted - killed + 3
    assert marks.sound.jumps == []
    assert marks.worst_sync_ms <= MAX_SKEW_MS


def test_a_model_that_is_too_slow_makes_an_output_as_long_as_the_clock(bus, tmp_path, producer):
    fps = 20
    sink = fill(bus, tmp_path)
    ran = producer(SLOW.format(seconds=6, fps=fps, lockstep="", threads="[pictures]"))
    sink.ends_well()
    marks = read_marks(tmp_path / "fill.mkv")
    assert set(in_order(marks)) == set(range(6 * fps))
    assert marks.video_seconds == pytest.approx(ran, abs=SLACK)
    assert marks.audio_seconds == pytest.approx(ran, abs=SLACK)
    whole = whole_marks(marks)
    assert len(whole) >= 3 and all(abs(mark.ms) <= MAX_SKEW_MS for mark in whole), marks.sync


def test_sound_on_time_waits_for_pictures_that_are_too_slow(bus, tmp_path, producer):
    fps = 22
    sink = fill(bus, tmp_path)
    ran = producer(SLOW.format(seconds=6, fps=fps, lockstep="pass # ", threads="[pictures, sound]"))
    sink.ends_well()
    marks = read_marks(tmp_path / "fill.mkv")
    assert set(in_order(marks)) == set(range(6 * fps))
    # The sound that was held back comes out at the end: as much as the pictures had fallen behind.
    assert ran - SLACK <= marks.video_seconds <= ran + 6 * (1 - fps / 25) + SLACK
    assert len(marks.sync) >= 4 and marks.worst_sync_ms <= MAX_SKEW_MS, marks.sync


def test_sound_300_ms_late_holds_the_picture_once_and_is_in_step_from_then_on(bus, tmp_path, producer):
    sink = fill(bus, tmp_path)
    ran = producer("""
    samples = marked.sound(5)
    def pictures():
        for i in range(125):
            at(begun, i / 25)
            out.write_video(marked.frame(i))
    def sound():
        for i in range(250):
            at(begun, i / 50 + 0.3)
            out.write_audio(samples[i * 960 : (i + 1) * 960])
    threads = [threading.Thread(target=each) for each in (pictures, sound)]
    for each in threads: each.start()
    for each in threads: each.join()
""")
    sink.ends_well()
    marks = read_marks(tmp_path / "fill.mkv")
    assert in_order(marks)[-1] == 124
    assert marks.video_seconds == pytest.approx(ran, abs=SLACK)
    assert 6 <= len([number for number in marks.duplicates if number < 124]) <= 14, marks.duplicates
    assert [mark for mark in marks.sync if mark.index > 25], marks.sync
    assert all(abs(mark.ms) <= MAX_SKEW_MS for mark in marks.sync if mark.index > 25), marks.sync


def test_an_interruption_in_the_middle_of_a_sentence_leaves_out_what_was_not_sent(bus, tmp_path, producer):
    """Ten seconds of speech are pushed at once; after two of them the model says something else."""
    sink = fill(bus, tmp_path)
    ran = producer("""
    samples = marked.sound(10)
    out.write_audio(samples)
    for i in range(50):
        at(begun, i / 25)
        out.write_video(marked.frame(i))
    out.flush()
    for i in range(75):
        at(begun, 2 + i / 25)
        out.write_video(marked.frame(i))
        out.write_audio(samples[i * 1920 : (i + 1) * 1920])
""")
    sink.ends_well()
    marks = read_marks(tmp_path / "fill.mkv")
    numbers = [frame.index for frame in marks.frames]
    again = second_life(numbers)
    # A picture that waits for its sound when the interruption comes is void, too.
    assert 46 <= len(set(numbers[:again])) <= 50 and set(numbers[again:]) == set(range(75)), numbers
    assert marks.video_seconds == pytest.approx(ran, abs=SLACK), "nothing of the old sentence is left"
    assert len(marks.sync) >= 4 and marks.worst_sync_ms <= MAX_SKEW_MS, marks.sync


def colour_at(path, seconds):
    """The mean colour of the lower half of the picture, as (r, g, b)."""
    lower_half = "crop=iw:ih/2:0:ih/2,scale=1:1:flags=area,format=rgb24"
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-ss", str(seconds), "-i", path, "-frames:v", "1",
                           "-vf", lower_half, "-f", "rawvideo", "-"], capture_output=True, check=True)
    return tuple(done.stdout)


def test_after_the_timeout_a_picture_is_shown_or_the_output_ends_until_something_comes(bus, tmp_path):
    slate = tmp_path / "soon back.png"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=red:size=200x100", "-frames:v", "1", slate],
                   check=True)
    shown = fill(bus, tmp_path, "stall_timeout=1s", f"stall_show=slate:{slate}")
    ended = bus.sink("file", "--name", "stop", "on_stall=fill", "stall_timeout=1s", "stall_show=stop", "lag_limit=20s",
                     tmp_path / "stop.mkv")
    source = bus.testsrc("--seconds", "4", "--wait-readers", "2")
    wait_until(lambda: bus.encoded("fill") >= 50, "50 encoded frames")
    source.signal(signal.SIGSTOP)
    ended.says(f"recorded {tmp_path / 'stop.mkv'}")
    time.sleep(1)
    source.signal(signal.SIGCONT)
    source.ends_well()
    shown.ends_well()
    ended.says(f"recorded {tmp_path / 'stop-2.mkv'}")
    ended.signal(signal.SIGTERM)
    ended.ends_well()

    frames = read_marks(tmp_path / "fill.mkv").frames
    slated = [frame.pts for frame in frames if frame.index is None]
    assert 15 <= len(slated), "a second and more of the picture file"
    red, green, blue = colour_at(tmp_path / "fill.mkv", slated[len(slated) // 2])
    assert red > 200 and green < 60 and blue < 60
    assert frames[-1].index == 99, "and then the producer again"
    first = [frame.index for frame in read_marks(tmp_path / "stop.mkv").frames]
    second = [frame.index for frame in read_marks(tmp_path / "stop-2.mkv").frames]
    assert first[-1] + 1 == second[0] and second[-1] == 99, "nothing is lost between the two"


def test_a_picture_file_that_is_none_is_one_line_at_the_start(bus, tmp_path):
    sink = fill(bus, tmp_path, f"stall_show=slate:{tmp_path / 'none.png'}")
    assert sink.wait() == 1
    assert f"picture {tmp_path / 'none.png'}: No such file or directory" in sink.output()


def test_an_encoder_that_cannot_follow_drops_pictures_and_never_sound(bus, tmp_path):
    sink = fill(bus, tmp_path, "lag_limit=300ms", "video.preset=slower", "video.tune=zerolatency", "video.threads=1",
                "video.size=1920x1080")
    source = bus.testsrc("--seconds", "5", "--wait-readers", "1", size="1280x720")
    wait_until(lambda: bus.encoded("fill") and bus.reader("fill")["dropped_frames"] > 10, "dropped frames")
    source.ends_well()
    sink.ends_well()
    marks = read_marks(tmp_path / "fill.mkv")
    assert len(marks.frames) < 100 and marks.unreadable == 0 and marks.out_of_order == []
    assert {round(frame.pts * 25 - frame.index) for frame in marks.frames if frame.index not in marks.duplicates} \
        == {round(marks.frames[0].pts * 25)}, "those that are left stand where they did"
    assert marks.gaps == [] and marks.sound.jumps == []
    assert marks.audio_seconds == pytest.approx(5, abs=SLACK)
    assert all(abs(mark.ms) <= MAX_SKEW_MS for mark in marks.sync), marks.sync


def test_after_an_end_the_output_is_held_for_the_next_producer(bus, tmp_path):
    sink = bus.sink("file", "--name", "hold", "on_stall=fill", "on_end=hold", "lag_limit=20s", tmp_path / "hold.mkv")
    bus.testsrc("--seconds", "2", "--wait-readers", "1").ends_well()
    ended = time.monotonic()
    time.sleep(1.5)
    bus.testsrc("--seconds", "2", "--wait-readers", "1").ends_well()
    sink.signal(signal.SIGTERM)
    sink.ends_well()
    passed = time.monotonic() - ended
    marks = read_marks(tmp_path / "hold.mkv")
    numbers = [frame.index for frame in marks.frames]
    again = second_life(numbers)
    assert numbers[:50] == list(range(50)) and set(numbers[50:again]) == {49}, numbers
    assert (again - 50) / 25 >= 1.5 - 0.2 and again / 25 <= 2 + passed
    assert sorted(set(numbers[again:])) == list(range(50))
    assert marks.worst_sync_ms <= MAX_SKEW_MS
