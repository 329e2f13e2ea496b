# SPDX-License-Identifier: Apache-2.0
"""What the Python package can do with a bus beyond frames and sound, seen through the inspector's eyes."""
import json
import os
import subprocess
import sys
import textwrap

import pytest

from conftest import RINGCAST, wait_until

BUS = f"pybus{os.getpid()}"


@pytest.fixture
def run_python():
    """Runs a script with the installed package; its bus is gone afterwards."""
    running = []

    def start(body):
        # What a shell starts in the background ignores SIGINT, and hands that down.
        script = "import signal, sys, time\nimport numpy as np\nimport ringcast\n" \
                 f"signal.signal(signal.SIGINT, signal.default_int_handler)\nBUS = {BUS!r}\n{textwrap.dedent(body)}"
        process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()
    subprocess.run([RINGCAST, "clean", BUS], check=False, capture_output=True)


def info():
    done = subprocess.run([RINGCAST, "info", BUS, "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def said(process, word):
    line = process.stdout.readline()
    assert line.strip() == word, line + (process.stdout.read() if process.poll() is not None else "")


def test_packets_and_events_stand_beside_raw_flows(run_python):
    process = run_python("""
        out = ringcast.Producer(BUS, (64, 36), packets=True, events=True)
        out.write_video(np.zeros((36, 64, 3), np.uint8))
        out.set_packet_stream("h264", b"\\x01avcC", size=(64, 36), fps=25)
        out.write_packet(b"\\0\\0\\0\\1I", 0, 0, 40_000_000, True)
        out.write_event({"say": "你好"})
        out.flush()
        print("ready", flush=True)
        sys.stdin.readline()
        out.end()
        """)
    said(process, "ready")
    flows = {flow["flow"]: flow for flow in info()["flows"]}
    assert flows["packets"]["head_index"] == 2  # configuration and packet
    assert flows["events"]["head_index"] == 1
    process.communicate("\n", timeout=30)
    assert process.returncode == 0


def test_a_crop_and_an_upside_down_view_arrive_packed(run_python):
    process = run_python("""
        big = np.random.default_rng(1).integers(0, 256, (72, 128, 3), np.uint8)
        out = ringcast.Producer(BUS, (64, 36), rate=None)
        for view in (big[10:46, 20:84], big[:36, :64][::-1], big[:36, 127:63:-1]):
            out.write_video(view)
            ring = open(f"/dev/shm/ringcast.{BUS}.video", "rb").read()
            assert view.tobytes() in ring  # the bytes of a packed copy
        print("ready", flush=True)
        """)
    said(process, "ready")
    assert process.wait(30) == 0


def test_format_may_change_on_the_way(run_python):
    process = run_python("""
        out = ringcast.Producer(BUS, (64, 36), rate=16000)
        out.write_video(np.zeros((36, 64, 3), np.uint8))
        out.set_video_format((128, 72), 30, "rgba")
        out.write_video(np.zeros((72, 128, 4), np.uint8))
        out.set_audio_format(48000, 2, "f32")
        out.write_audio(np.zeros((480, 2), np.float32))
        print("ready", flush=True)
        sys.stdin.readline()
        """)
    said(process, "ready")
    flows = {flow["flow"]: flow for flow in info()["flows"]}
    caps = flows["video"]["caps"]
    assert (caps["width_px"], caps["height_px"], caps["format"]) == (128, 72, "rgba")
    assert flows["video"]["head_index"] == 2
    assert flows["audio"]["caps"]["channels"] == 2


def test_a_long_speech_in_live_mode_does_not_block_and_ctrl_c_ends_the_wait(run_python):
    process = run_python("""
        out = ringcast.Producer(BUS, (64, 36), rate=8000, audio_depth=1)
        out.write_audio(np.zeros(8000 * 60, np.int16))
        assert out.audio_waiting > 50
        print("ready", flush=True)
        try:
            out.end()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            out.close()
        """)
    said(process, "ready")
    wait_until(lambda: info()["flows"], "the bus")
    process.send_signal(2)
    said(process, "interrupted")
    assert process.wait(30) == 0


def test_a_group_and_a_mode_can_be_given(run_python):
    process = run_python("""
        out = ringcast.Producer(BUS, (64, 36), group="nogroup", permissions=0o644)
        print("ready", flush=True)
        sys.stdin.readline()
        """)
    said(process, "ready")
    status = os.stat(f"/dev/shm/ringcast.{BUS}.video")
    assert status.st_mode & 0o777 == 0o644
    assert status.st_gid == 65534
