# SPDX-License-Identifier: Apache-2.0
"""`ringcast snapshot` and `ringcast cat` on real buses, judged by ffprobe and ffmpeg."""
import json
import os
import pty
import signal
import subprocess
import wave

import pytest
from conftest import RINGCAST, ROOT, wait_until
from marks import read_marks

FORMATS = ["rgb24", "bgr24", "rgba", "bgra", "i420", "nv12"]
PIX_FMT = {"i420": "yuv420p"}


def probe(path, data=None):
    done = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-of", "json", "-show_streams", path], input=data,
                          capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)["streams"]


def rgb_of(words, data=None):
    """Pixels as ffmpeg decodes them."""
    done = subprocess.run(["ffmpeg", "-v", "error", *words, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                          input=data, capture_output=True, check=True, timeout=60)
    return done.stdout


def mean_difference(one, other):
    assert len(one) == len(other) and one
    return sum(abs(a - b) for a, b in zip(one, other)) / len(one)


def has_frames(bus):
    info = bus.info()
    return info and info["state"] == "live" and all(flow["committed_records"] > 3 for flow in info["flows"])


@pytest.fixture
def live(bus):
    bus.producer = bus.testsrc()
    wait_until(lambda: has_frames(bus), "records")
    yield bus
    bus.producer.kill()


@pytest.fixture
def still(bus):
    """Writes one second and then holds its breath: SIGSTOP, so that every look sees the same newest frame."""

    def starter(*words):
        bus.producer = bus.testsrc(*words, size="96x54")
        wait_until(lambda: has_frames(bus), "records")
        bus.producer.signal(signal.SIGSTOP)
        return bus

    yield starter
    bus.producer.kill()


# ---- snapshot -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", FORMATS)
def test_snapshot_has_the_colours_of_the_frame_in_every_pixel_format(still, ringcast, tmp_path, form):
    bus = still("--format", form)
    newest = tmp_path / "frame.raw"
    told = ringcast("snapshot", bus.name, tmp_path / "one.png", "--json")
    assert told.returncode == 0, told.stderr
    told = json.loads(told.stdout)
    assert (told["width_px"], told["height_px"], told["format"]) == (96, 54, "png")
    assert told["index"] == told["media_index"] and told["pts_ns"] == told["index"] * 40_000_000
    assert ringcast("snapshot", bus.name, tmp_path / "one.jpg").returncode == 0
    assert ringcast("cat", bus.name, "--format", "raw", "--frames", "1", "-o", newest).returncode == 0
    yuv = form in ("i420", "nv12")
    tags = ["-vf", "scale=in_color_matrix=bt709:in_range=limited:flags=accurate_rnd+full_chroma_int"] if yuv else []
    truth = rgb_of(["-f", "rawvideo", "-pix_fmt", PIX_FMT.get(form, form), "-s", "96x54", "-i", newest, *tags])
    png = rgb_of(["-i", tmp_path / "one.png"])
    assert len(set(truth)) > 30, "a test picture of one colour would prove nothing"
    if yuv:
        assert mean_difference(png, truth) < 1.5
    else:
        assert png == truth
    assert mean_difference(rgb_of(["-i", tmp_path / "one.jpg"]), truth) < 4
    assert [stream["codec_name"] for stream in probe(tmp_path / "one.png") + probe(tmp_path / "one.jpg")] == ["png", "mjpeg"]
    assert sorted(path.name for path in tmp_path.glob("*one*")) == ["one.jpg", "one.png"], "a temporary file stayed"


def test_snapshot_writes_to_stdout_for_a_pipe_and_not_to_a_terminal(live):
    png = subprocess.run([RINGCAST, "snapshot", live.name, "-"], capture_output=True, check=True, timeout=60)
    assert png.stdout.startswith(b"\x89PNG\r\n") and png.stderr == b""
    assert probe("-", data=png.stdout)[0]["width"] == 640
    jpg = subprocess.run([RINGCAST, "snapshot", live.name, "-", "--format", "jpg", "--json"], capture_output=True, check=True,
                         timeout=60)
    assert jpg.stdout.startswith(b"\xff\xd8") and json.loads(jpg.stderr)["format"] == "jpg"
    master, slave = pty.openpty()
    done = subprocess.run([RINGCAST, "snapshot", live.name, "-"], stdout=slave, stderr=subprocess.PIPE, text=True, check=False,
                          timeout=60)
    os.close(slave)
    os.close(master)
    assert done.returncode == 1 and "terminal" in done.stderr and done.stderr.count("\n") == 1


def test_snapshot_refuses_what_it_cannot_do_in_one_line(live, ringcast, tmp_path):
    for words, code, hint in [(["out.bmp"], 2, "--format png|jpg"), (["out"], 2, ".png or .jpg"),
                              ([tmp_path / "no" / "a.png"], 1, "No such file"), (["/dev/shm", "--format", "png"], 1, "is a folder"),
                              (["a.png", "--timeout", "soon"], 2, "is not a time"), (["a.png", "--format", "gif"], 2, "png")]:
        done = ringcast("snapshot", live.name, *words)
        assert (done.returncode, done.stdout) == (code, ""), (words, done.stderr)
        assert hint in done.stderr and done.stderr.count("\n") == 1, (words, done.stderr)


def test_snapshot_says_when_there_is_no_bus_or_no_producer(live, ringcast, tmp_path):
    done = ringcast("snapshot", live.name + "x", tmp_path / "a.png")
    assert done.returncode == 1 and f'did you mean "{live.name}"' in done.stderr
    live.producer.kill()
    done = ringcast("snapshot", live.name, tmp_path / "a.png")
    assert done.returncode == 1 and "has no live producer (stale)" in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.glob("*.png")) == []


def test_snapshot_survives_an_object_that_is_cut_short(live, ringcast, tmp_path):
    live.producer.signal(signal.SIGSTOP)
    os.truncate(f"/dev/shm/ringcast.{live.name}.video", 8192)
    done = ringcast("snapshot", live.name, tmp_path / "a.png", "--timeout", "1s")
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr


# ---- cat ------------------------------------------------------------------------------------------------------------

def cat(bus, *words):
    done = subprocess.run([RINGCAST, "cat", bus.name, "--json", *map(str, words)], capture_output=True, check=False, timeout=90)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(done.stderr.splitlines()[-1])


def test_cat_as_nut_carries_picture_and_sound_with_their_times(live):
    data, told = cat(live, "--seconds", "2")
    streams = probe("-", data=data)
    video, audio = streams
    assert (video["codec_name"], video["pix_fmt"], video["r_frame_rate"]) == ("rawvideo", "bgr24", "25/1")
    assert (audio["codec_name"], audio["sample_rate"]) == ("pcm_s16le", "44100")
    if told["flows"]["video"]["lost_overrun_records"] == 0:
        assert int(video["nb_read_frames"]) == told["flows"]["video"]["records"] == 50
    assert float(video["start_time"]) == 0 and float(audio["start_time"]) < 0.001
    assert told["written_bytes"] == len(data) and told["end"] == "limit reached" and told["duration_ns"] == 2_000_000_000


@pytest.mark.parametrize("form", FORMATS)
def test_cat_as_y4m_is_420_whatever_the_producer_writes(bus, form):
    bus.testsrc("--format", form, "--seconds", "20", size="97x55")
    data, told = cat(bus, "--format", "y4m", "--frames", "5")
    assert data.startswith(b"YUV4MPEG2 W97 H55 F25:1 Ip A1:1 C420")
    stream = probe("-", data=data)[0]
    assert (stream["pix_fmt"], stream["color_range"], stream["nb_read_frames"]) == ("yuv420p", "tv", "5")
    assert told["flows"] == {"video": told["flows"]["video"]} and told["flows"]["video"]["records"] == 5


def test_cat_as_wav_has_exactly_the_samples_asked_for(live, tmp_path):
    out = tmp_path / "talk.wav"
    cat(live, "--seconds", "1.5", "--output", out)
    with wave.open(str(out)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (44100, 1, 66150)


def test_cat_as_raw_gives_the_bytes_of_one_flow(live):
    data, _ = cat(live, "--format", "raw", "--frames", "3")
    assert len(data) == 3 * 640 * 360 * 3
    data, _ = cat(live, "--format", "raw", "--flow", "audio", "--seconds", "1")
    assert len(data) == 2 * 44100


def test_cat_feeds_ffmpeg_through_a_pipe(live, tmp_path):
    script = f'"{RINGCAST}" cat {live.name} --seconds 2 | ffmpeg -v error -i - -c:v libx264 -y {tmp_path}/talk.mkv'
    subprocess.run(["bash", "-o", "pipefail", "-c", script], check=True, timeout=90)
    assert {stream["codec_type"] for stream in probe(tmp_path / "talk.mkv")} == {"video", "audio"}


def test_cat_waits_for_the_bus_and_ends_with_the_stream(start, bus, tmp_path):
    out = tmp_path / "talk.nut"
    reader = start(RINGCAST, "cat", bus.name, "--json", "--output", out)
    reader.says("waiting for a producer")
    bus.testsrc("--seconds", "2", "--wait-readers", "1").ends_well()
    reader.ends_well()
    told = json.loads(reader.output().splitlines()[-1])
    assert told["end"] == "end of stream"
    flow = told["flows"]["video"]
    assert flow["records"] + flow["lost_overrun_records"] + flow["lost_aborted_records"] == 50


def test_cat_lossless_gets_every_frame_of_a_producer_that_waits(start, bus, tmp_path):
    out = tmp_path / "talk.nut"
    reader = start(RINGCAST, "cat", bus.name, "--json", "--lossless", "--output", out)
    reader.says("waiting for a producer")
    bus.testsrc("--seconds", "8", "--mode", "lossless", "--wait-readers", "1").ends_well()
    reader.ends_well()
    video = json.loads(reader.output().splitlines()[-1])["flows"]["video"]
    assert video == {"records": 200, "lost_overrun_records": 0, "lost_aborted_records": 0}
    assert probe(out)[0]["nb_read_frames"] == "200"


def test_cat_says_that_a_flow_which_begins_much_later_is_left_out(start, bus, tmp_path):
    out = tmp_path / "talk.nut"
    reader = start(RINGCAST, "cat", bus.name, "--json", "--output", out)
    reader.says("waiting for a producer")
    script = """if True:
        import sys, time, numpy, ringcast
        with ringcast.Producer(sys.argv[1], size=(64, 36), fps=25, rate=None) as pictures:
            sound = None
            for i in range(75):
                pictures.write_video(numpy.zeros((36, 64, 3), numpy.uint8))
                time.sleep(0.04)
                if i == 40:
                    sound = ringcast.Producer(sys.argv[1], size=None, rate=16000)
                if sound:
                    sound.write_audio(numpy.zeros(640, numpy.int16))
            sound.end()
    """
    start(ROOT / "build/venv/bin/python", "-c", script, bus.name).ends_well()
    reader.ends_well()
    told = [line for line in reader.output().splitlines() if "left out" in line]
    assert len(told) == 1 and "the audio flow" in told[0] and "start cat again" in told[0], reader.output()
    assert [stream["codec_type"] for stream in probe(out)] == ["video"]


def test_cat_goes_on_with_the_next_producer_on_one_timeline(start, bus, tmp_path):
    out = tmp_path / "talk.nut"
    first = bus.testsrc()
    wait_until(lambda: has_frames(bus), "records")
    reader = start(RINGCAST, "cat", bus.name, "--json", "--output", out)
    wait_until(lambda: (seen := bus.reader("cat")) and seen["sent_bytes"] > 5_000_000, "bytes")
    first.kill()
    reader.says("gone without ending the stream")
    bus.testsrc("--seconds", "1").ends_well()
    reader.ends_well()
    frames = read_marks(out).frames
    assert all(later.pts > earlier.pts for earlier, later in zip(frames, frames[1:]))
    numbers = [frame.index for frame in frames]
    # Each once: what the dead producer left in the ring is not shown again.
    assert numbers[-25:] == list(range(25))
    assert numbers[:-25] == list(range(numbers[0], numbers[0] + len(numbers) - 25)), numbers


def test_cat_ends_quietly_when_its_reader_leaves_and_calmly_on_a_signal(start, live):
    script = f'set -o pipefail; "{RINGCAST}" cat {live.name} | head -c 1000000 | wc -c'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "1000000", "")
    reader = start(RINGCAST, "cat", live.name, "--json", "--output", "/dev/null")
    wait_until(lambda: live.reader("cat"), "the reader on the board")
    reader.signal(signal.SIGINT)
    reader.ends_well()
    assert json.loads(reader.output().splitlines()[-1])["end"] == "stopped"


def test_cat_stops_on_a_signal_although_nobody_empties_its_pipe(live):
    reader = subprocess.Popen([RINGCAST, "cat", live.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: (seen := live.reader("cat")) and seen["flows"].get("video", {}).get("cursor_index", 0) > 0,
               "the first record")
    reader.send_signal(signal.SIGINT)
    assert reader.wait(60) == 0
    reader.stdout.close()
    reader.stderr.close()


def test_cat_counts_what_it_lost_to_a_slow_reader(live):
    reader = subprocess.Popen([RINGCAST, "cat", live.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: (seen := live.reader("cat")), "the reader on the board")
    head = live.info()["flows"][0]["head_index"]
    wait_until(lambda: live.info()["flows"][0]["head_index"] > head + 60, "the ring to go round")
    os.set_blocking(reader.stdout.fileno(), False)
    lost = wait_until(lambda: (reader.stdout.read(8_000_000) or True) and
                      live.reader("cat")["flows"]["video"]["lost_overrun_records"], "the loss to be counted")
    assert lost > 0
    reader.send_signal(signal.SIGINT)
    while reader.poll() is None:
        reader.stdout.read(8_000_000)
    assert reader.returncode == 0
    assert b"video records were lost" in reader.stderr.read()
    reader.stdout.close()
    reader.stderr.close()


def test_cat_refuses_wrong_words_and_terminals(live, ringcast, tmp_path):
    for words, hint in [(["--format", "mp4"], "nut"), (["--format", "wav", "--flow", "video"], "carries no video"),
                        (["--format", "y4m", "--flow", "audio"], "carries no audio"), (["--seconds", "0"], "is not a time"),
                        (["--seconds", "2", "--frames", "3"], "do not go together"), (["--format", "wav", "--frames", "3"], "use --seconds"),
                        (["--frames", "-1"], "whole number")]:
        done = ringcast("cat", live.name, *words)
        assert (done.returncode, done.stdout) == (2, ""), (words, done.stderr)
        assert hint in done.stderr and done.stderr.count("\n") == 1, (words, done.stderr)
    master, slave = pty.openpty()
    done = subprocess.run([RINGCAST, "cat", live.name], stdout=slave, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    os.close(slave)
    os.close(master)
    assert done.returncode == 1 and "ffplay" in done.stderr and done.stderr.count("\n") == 1
    full = ringcast("cat", live.name, "--output", "/dev/full", "--seconds", "1")
    assert full.returncode == 1 and "No space left" in full.stderr and full.stderr.count("\n") == 1
