# SPDX-License-Identifier: Apache-2.0
"""HLS over time: a live window that slides, a sink that is killed and started again, readers while it writes."""
import shutil
import signal
import urllib.request

from conftest import wait_until
from far_end import assert_prefix
from hls_far_end import ffprobe, parsed_strictly, playlist_of

SMALL = {"size": "320x180"}


class Watch:
    """Reads a playlist again and again, as players do, and keeps what it has ever said of each segment."""

    def __init__(self, folder):
        self.folder = folder
        self.lengths, self.discontinuities, self.targets, self.sequences = {}, {}, set(), []

    def look(self):
        playlist = playlist_of(self.folder)
        self.targets.add(playlist.target_duration)
        self.sequences.append(playlist.media_sequence)
        count = playlist.discontinuity_sequence or 0
        for offset, segment in enumerate(playlist.segments):
            count += segment.discontinuity
            number = playlist.media_sequence + offset
            assert str(number) in segment.uri
            said = (segment.uri, segment.duration)
            assert self.lengths.setdefault(number, said) == said, "a segment never changes"
            assert self.discontinuities.setdefault(number, count) == count, "nor does its place"
        return playlist

    def until(self, number):
        """Until that segment is listed."""
        wait_until(lambda: (self.folder / "index.m3u8").exists() and self.look() and number in self.lengths,
                   f"segment {number}")


def test_live_playlists_go_on_after_kill_9_and_restart(bus, tmp_path):
    def sink(folder):
        return bus.sink("hls", folder, "--name", folder.name, "mode=live", "window=3", "segment=1s", "video.gop=1s",
                        f"segment_type={folder.name}", "segment_name=part-%d")

    watches = [Watch(tmp_path / kind) for kind in ("ts", "fmp4")]
    sinks = [sink(watch.folder) for watch in watches]
    bus.testsrc("--wait-readers", "2", **SMALL)
    for watch in watches:
        watch.until(2)
    for each in sinks:
        each.kill()
    reached = [max(watch.lengths) for watch in watches]
    again = [sink(watch.folder) for watch in watches]
    for watch, each, number in zip(watches, again, reached):
        each.says("going on with the playlist")
        watch.until(number + 2)
    for watch, each in zip(watches, again):
        watch.look()
        each.signal(signal.SIGTERM)
    for watch, each in zip(watches, again):
        each.ends_well()
        assert_went_on(watch)


def assert_went_on(watch):
    assert watch.look().is_endlist
    assert watch.targets == {1}
    assert watch.sequences == sorted(watch.sequences), "numbers only rise"
    seen = sorted(watch.lengths)
    assert seen == list(range(seen[0], seen[-1] + 1)) and seen[0] <= 2, "none is left out, none used again"
    places = [watch.discontinuities[number] for number in sorted(watch.discontinuities)]
    assert places == sorted(places) and set(places) == {0, 1}, "one discontinuity, where it broke off"
    kept = [path for path in watch.folder.iterdir() if path.name.startswith("part-")]
    assert len(kept) <= 4, f"the window and one more: {kept}"


def test_event_playlist_of_a_killed_sink_keeps_what_was_written(bus, tmp_path):
    folder = tmp_path / "hls"
    sink = bus.sink("hls", folder, "segment=1s", "video.gop=1s")
    source = bus.testsrc("--wait-readers", "1", **SMALL)
    watch = Watch(folder)
    watch.until(2)
    sink.kill()
    before = (folder / "index.m3u8").read_text()
    files = {path.name: path.read_bytes() for path in folder.glob("segment-*")}
    # Alone, what is there plays from its first frame on; closed here, or ffmpeg would wait for more.
    shutil.copytree(folder, tmp_path / "left")
    (tmp_path / "left/index.m3u8").write_text(before + "#EXT-X-ENDLIST\n")
    assert_prefix(tmp_path / "left/index.m3u8", at_least=3 * 25, fps=25)
    again = bus.sink("hls", "--once", folder, "segment=1s", "video.gop=1s")
    again.says("going on with the playlist")
    watch.until(max(watch.lengths) + 2)
    source.signal(signal.SIGINT)
    again.ends_well()
    text = (folder / "index.m3u8").read_text()
    assert text.startswith(before + "#EXT-X-DISCONTINUITY\n") and text.endswith("#EXT-X-ENDLIST\n")
    assert all((folder / name).read_bytes() == data for name, data in files.items())
    frames = ffprobe(folder / "index.m3u8", "-count_frames", "-select_streams", "v", "-show_entries",
                     "stream=nb_read_frames")["streams"][0]["nb_read_frames"]
    assert int(frames) == round(25 * sum(segment.duration for segment in playlist_of(folder).segments))


def test_sink_started_again_with_a_longer_gop_begins_a_playlist_its_segments_fit_into(bus, tmp_path):
    folder = tmp_path / "hls"
    sink = bus.sink("hls", folder, "segment=1s", "video.gop=1s")
    source = bus.testsrc("--wait-readers", "1", **SMALL)
    wait_until(lambda: (folder / "index.m3u8").exists() and len(playlist_of(folder).segments) >= 2, "two segments")
    sink.kill()
    listed = len(playlist_of(folder).segments)
    again = bus.sink("hls", "--once", folder, "segment=1s", "video.gop=3s")
    again.says("a new playlist begins")
    wait_until(lambda: playlist_of(folder).media_sequence == listed, "the next playlist")
    assert playlist_of(folder).target_duration == 3
    source.signal(signal.SIGINT)
    again.ends_well()
    assert playlist_of(folder).is_endlist


def test_a_show_after_the_end_is_another_playlist_with_rising_numbers(bus, tmp_path):
    folder = tmp_path / "hls"
    sink = bus.sink("hls", folder)
    for first in (0, 2):
        bus.testsrc("--seconds", "3", "--mode", "lossless", "--wait-readers", "1", **SMALL).ends_well()
        wait_until(lambda: (folder / "index.m3u8").exists() and (playlist := playlist_of(folder)).is_endlist
                   and playlist.media_sequence == first, "the end")
        assert sorted(path.name for path in folder.glob("segment-*")) == [
            f"segment-{number:05}.ts" for number in (first, first + 1)]
    sink.signal(signal.SIGTERM)
    sink.ends_well()


def test_a_thousand_reads_while_it_writes_find_every_playlist_whole(bus, tmp_path, free_port):
    """Half of them from the disk, half through the server."""
    folder, url = tmp_path / "hls", f"http://127.0.0.1:{free_port}"
    sink = bus.sink("hls", "--once", folder, "mode=live", "segment=500ms", "video.gop=500ms", "window=4",
                    "on_stall=wait", f"listen={free_port}")
    wait_until(lambda: "url:" in sink.output(), "the server")
    source = bus.testsrc("--seconds", "120", "--mode", "lossless", "--wait-readers", "1", size="160x90")
    with urllib.request.urlopen(f"{url}/index.m3u8?_HLS_msn=4", timeout=60) as reply:  # held until it is there
        assert reply.status == 200
    seen = set()
    for _ in range(500):
        with urllib.request.urlopen(f"{url}/index.m3u8", timeout=60) as reply:
            served = reply.read().decode()
            assert len(served) == int(reply.headers["Content-Length"])
        for text in (served, (folder / "index.m3u8").read_text()):
            playlist = parsed_strictly(text)
            assert text.endswith(".ts\n") and 3 <= len(playlist.segments) <= 4, text
            seen.add(playlist.media_sequence)
    assert len(seen) > 3, "it was written meanwhile"
    source.kill()
    sink.kill()
