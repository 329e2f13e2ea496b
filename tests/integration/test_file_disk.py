# SPDX-License-Identifier: Apache-2.0
"""Disks that are full, small or not to be written: one line with the fix, the rest of the world untouched."""
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import RINGCAST
from far_end import assert_prefix, assert_whole

FPS = 25
EXTENSIONS = ("mp4", "mkv", "ts", "flv")
HAS_NAMESPACES = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
needs_namespaces = pytest.mark.skipif(not HAS_NAMESPACES, reason="unshare -m is not allowed here")


def told(sink):
    """The lines that speak of a failure."""
    return [line for line in sink.output().splitlines() if " error " in line or line.startswith("ringcast")]


def sink_on_disk(start, bus, disk, options, keep, *words):
    """A file sink whose folder is a disk of its own in a mount namespace; what it left there is copied to `keep`."""
    keep.mkdir()
    disk.mkdir()
    command = shlex.join([str(RINGCAST), "sink", "file", "--bus", bus.name, "--once", *words])
    copy = f"cp -a {shlex.quote(str(disk))}/. {shlex.quote(str(keep))}"
    script = f"mount -t tmpfs -o {options} none {shlex.quote(str(disk))} && {{ {command}; status=$?; {copy}; exit $status; }}"
    return start("unshare", "-m", "sh", "-c", script)


@needs_namespaces
def test_a_full_disk_ends_that_recording_alone_and_keeps_all_that_was_written(bus, start, tmp_path):
    full = {extension: sink_on_disk(start, bus, tmp_path / f"disk-{extension}", "size=400k", tmp_path / f"kept-{extension}",
                                    "--name", extension, f"path={tmp_path}/disk-{extension}/out.{extension}", "min_free=0")
            for extension in EXTENSIONS}
    healthy = bus.sink("file", "--name", "healthy", "--once", tmp_path / "healthy.mp4")
    source = bus.testsrc("--seconds", "12", "--mode", "lossless", "--wait-readers", "5")
    source.ends_well()
    healthy.ends_well()
    assert_whole(tmp_path / "healthy.mp4", frames=12 * FPS, fps=FPS)
    for extension, sink in full.items():
        assert sink.wait() == 1
        lines = told(sink)
        assert len(lines) == 1 and "No space left" in lines[0] and "free some space" in lines[0], sink.output()
        path = tmp_path / f"kept-{extension}" / f"out.{extension}"
        assert path.stat().st_size > 200_000, "what fitted is there"
        assert_prefix(path, at_least=2 * FPS, fps=FPS)


@needs_namespaces
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_recording_stops_whole_before_the_disk_is_full(bus, start, tmp_path, extension):
    sink = sink_on_disk(start, bus, tmp_path / "disk", "size=2m", tmp_path / "kept",
                        f"path={tmp_path}/disk/out.{extension}", "min_free=1500kB")
    bus.testsrc("--seconds", "12", "--mode", "lossless", "--wait-readers", "1").ends_well()
    assert sink.wait() == 1
    lines = told(sink)
    assert len(lines) == 1 and "min_free=" in lines[0] and "free some space" in lines[0], sink.output()
    assert f"recorded {tmp_path}/disk/out.{extension}" in sink.output()
    assert_prefix(tmp_path / "kept" / f"out.{extension}", at_least=2 * FPS, fps=FPS)


@needs_namespaces
@pytest.mark.parametrize("size", ["500k", "60m"], ids=["no-room", "room-that-the-next-recording-needs"])
def test_an_mp4_is_not_written_anew_on_a_disk_without_room_for_it(bus, start, tmp_path, size):
    sink = sink_on_disk(start, bus, tmp_path / "disk", f"size={size}", tmp_path / "kept",
                        f"path={tmp_path}/disk/out.mp4", "min_free=10kB", "video.bitrate=500k")
    bus.testsrc("--seconds", "5", "--mode", "lossless", "--wait-readers", "1").ends_well()
    sink.ends_well()
    assert "stays as it was recorded" in sink.output()
    assert_whole(tmp_path / "kept/out.mp4", frames=5 * FPS, fps=FPS)
    # Where there is room, the next recorder catches up on it.
    again = bus.sink("file", "--once", tmp_path / "kept/out.mp4")
    bus.testsrc("--seconds", "1", "--mode", "lossless", "--wait-readers", "1").ends_well()
    again.ends_well()
    assert b"moof" not in (tmp_path / "kept/out.mp4").read_bytes()
    assert_whole(tmp_path / "kept/out.mp4", frames=5 * FPS, fps=FPS)


@needs_namespaces
def test_a_disk_with_too_little_space_and_a_read_only_one_are_refused_at_once(bus, start, tmp_path):
    small = sink_on_disk(start, bus, tmp_path / "small", "size=1m", tmp_path / "a", f"{tmp_path}/small/out.mp4")
    locked = sink_on_disk(start, bus, tmp_path / "locked", "ro", tmp_path / "b", f"{tmp_path}/locked/out.mp4")
    for sink, words in ((small, ("min_free=", "500.0 MB")), (locked, ("Read-only file system", "choose another path="))):
        assert sink.wait() == 1
        lines = told(sink)
        assert len(lines) == 1 and all(word in lines[0] for word in words), sink.output()
    assert list((tmp_path / "a").iterdir()) == []


def test_a_folder_of_somebody_else_is_refused_at_once(bus, start):
    folder = Path(tempfile.mkdtemp(prefix="ringcast-", dir="/tmp"))
    try:
        folder.chmod(0o555)
        words = [RINGCAST, "sink", "file", "--bus", bus.name, folder / "out.mp4"]
        if os.geteuid() == 0:
            if not shutil.which("setpriv") or not is_open_to_all(RINGCAST):
                pytest.skip("no other user can run the command here")
            words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words]
        sink = start(*words)
        assert sink.wait() == 1
        lines = told(sink)
        assert len(lines) == 1 and "Permission denied" in lines[0] and "choose another path=" in lines[0], sink.output()
    finally:
        folder.rmdir()


def is_open_to_all(path):
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (path, *path.resolve().parents))


def test_an_unknown_encoder_is_one_line_and_leaves_no_file(bus, tmp_path):
    healthy = bus.sink("file", "--name", "healthy", "--once", tmp_path / "healthy.mkv")
    wrong = bus.sink("file", "--name", "wrong", "--once", tmp_path / "wrong.mp4", "video.encoder=libx264typo")
    bus.testsrc("--seconds", "2", "--mode", "lossless", "--wait-readers", "1").ends_well()
    healthy.ends_well()
    assert wrong.wait() in (1, 2)
    lines = told(wrong)
    assert len(lines) == 1 and "libx264typo" in lines[0], wrong.output()
    assert not (tmp_path / "wrong.mp4").exists()
    assert_whole(tmp_path / "healthy.mkv", frames=2 * FPS, fps=FPS)
