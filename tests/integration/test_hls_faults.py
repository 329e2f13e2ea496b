# SPDX-License-Identifier: Apache-2.0
"""What an HLS sink says when it cannot write or listen: one line with the fix, and what was written stays."""
import os
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import RINGCAST, wait_until
from far_end import assert_prefix, assert_whole

NOBODY = 65534
SMALL = {"size": "320x180"}


def can_mount():
    done = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False, timeout=30)
    return done.returncode == 0


needs_mounts = pytest.mark.skipif(not can_mount(), reason="mount namespaces need root")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")


def errors_of(sink):
    return [line for line in sink.output().splitlines() if " error " in line]


def assert_refused(sink, *words):
    """It ended with exit code 1 and one line that has these words."""
    assert sink.wait(30) == 1, sink.output()
    lines = errors_of(sink)
    assert len(lines) == 1, sink.output()
    for word in words:
        assert word in lines[0], lines[0]


@needs_mounts
@pytest.mark.parametrize("kind", ["ts", "fmp4"])
def test_full_disk_is_told_with_the_fix_and_what_was_written_plays(bus, start, tmp_path, kind):
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    # The mount ends with the namespace, so its files are brought out before.
    script = (f"mount -t tmpfs -o size=1m tmpfs {disk} && {{ {RINGCAST} sink hls --bus {bus.name} {disk}/hls"
              f" segment_type={kind} video.bitrate=1500k; code=$?; cp -r {disk}/hls {kept}; exit $code; }}")
    sink = start("unshare", "-m", "sh", "-c", script)
    other = bus.sink("file", "--once", tmp_path / "other.mp4")
    bus.testsrc("--seconds", "14", "--mode", "lossless", "--wait-readers", "2", size="640x360").ends_well()
    assert_refused(sink, str(disk), "No space left on device", "free some space")
    other.ends_well()
    assert_whole(tmp_path / "other.mp4", frames=350, fps=25)
    assert not list(kept.glob(".*.part")), "nothing half-written is left"
    assert_prefix(kept / "index.m3u8", at_least=50, fps=25)


@needs_root
def test_folder_of_another_user_is_told_with_the_fix(bus, start):
    # Not below tmp_path, which is closed to other users.
    with tempfile.TemporaryDirectory(prefix="ringcast-hls-") as name:
        Path(name).chmod(0o755)
        for folder in (Path(name), Path(name) / "deeper"):
            sink = start("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", RINGCAST, "sink", "hls",
                         "--bus", bus.name, folder)
            assert_refused(sink, str(folder), "Permission denied", "dir=")


@needs_mounts
def test_read_only_mount_is_told_with_the_fix(bus, start, tmp_path):
    script = (f"mount -t tmpfs -o ro tmpfs {tmp_path / 'ro'} && exec {RINGCAST} sink hls --bus {bus.name}"
              f" {tmp_path / 'ro'}")
    (tmp_path / "ro").mkdir()
    assert_refused(start("unshare", "-m", "sh", "-c", script), str(tmp_path / "ro"), "Read-only file system", "dir=")


def test_port_in_use_is_told_with_its_holder_and_the_folder_is_left_alone(bus, tmp_path):
    folder = tmp_path / "hls"
    first = bus.sink("hls", "--once", folder)
    bus.testsrc("--seconds", "3", "--mode", "lossless", "--wait-readers", "1", **SMALL).ends_well()
    first.ends_well()
    (folder / ".segment-00007.ts.part").write_text("an earlier run was killed")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert_refused(bus.sink("hls", folder, f"listen={port}"), str(port), f"pid {os.getpid()}", "another port")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_folder_of_an_ffmpeg_stream_is_told_with_the_fix_and_left_alone(bus, tmp_path):
    folder = tmp_path / "hls"
    folder.mkdir()
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-t", "3", "-g", "25",
                    "-hls_time", "1", folder / "index.m3u8"], check=True, timeout=60)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "index0.ts" in before
    assert_refused(bus.sink("hls", folder), str(folder / "index.m3u8"), "another dir=", "move it away")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_folder_in_use_is_told_and_left_alone(bus, tmp_path):
    folder = tmp_path / "hls"
    first = bus.sink("hls", "--once", folder)
    first.says("path: ")
    second = bus.sink("hls", folder)
    assert_refused(second, str(folder), "another sink", "dir=")
    bus.testsrc("--seconds", "3", "--mode", "lossless", "--wait-readers", "1", **SMALL).ends_well()
    first.ends_well()
    assert_whole(folder / "index.m3u8", frames=75, fps=25)


def test_folder_that_is_moved_away_in_the_middle_is_told_and_costs_the_others_nothing(bus, tmp_path):
    folder = tmp_path / "hls"
    sink = bus.sink("hls", folder, "segment=1s", "video.gop=1s")
    other = bus.sink("file", "--once", tmp_path / "other.mp4")
    source = bus.testsrc("--seconds", "5", "--wait-readers", "2", **SMALL)
    wait_until((folder / "index.m3u8").exists, "the first segment")
    folder.rename(tmp_path / "gone")
    assert_refused(sink, str(folder))
    source.ends_well()
    other.ends_well()
    assert_whole(tmp_path / "other.mp4", frames=125, fps=25)
