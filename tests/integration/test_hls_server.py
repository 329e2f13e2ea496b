# SPDX-License-Identifier: Apache-2.0
"""The HLS sink's web server with many viewers at once, and ffmpeg as a viewer of a live stream."""
import asyncio
import re
import urllib.request

from conftest import wait_until
from far_end import assert_whole
from marks import read_marks

VIEWERS = 500
SMALL = {"size": "320x180"}


class Viewer:
    """One keep-alive connection that follows the playlist to its end, each reload held until there is news."""

    def __init__(self, port):
        self.port = port
        self.segments = {}

    async def get(self, path):
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        return await self.reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head)[1]))

    async def watch(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        text, following = (await self.get("/index.m3u8")).decode(), 0
        while True:
            names = [line for line in text.splitlines() if line and not line.startswith("#")]
            for name in names[following:]:
                self.segments[name] = await self.get(f"/{name}")
            following = len(names)
            if "#EXT-X-ENDLIST" in text:
                break
            text = (await self.get(f"/index.m3u8?_HLS_msn={following}")).decode()
        self.writer.close()


def test_five_hundred_viewers_at_once_get_every_segment_whole_and_the_sink_loses_nothing(bus, tmp_path, free_port):
    folder = tmp_path / "hls"
    sink = bus.sink("hls", "--name", "hls", "--once", folder, f"listen={free_port}", "segment=1s", "video.gop=1s")
    wait_until(lambda: "url:" in sink.output(), "the server")

    async def everyone():
        viewers = [Viewer(free_port) for _ in range(VIEWERS)]
        watching = asyncio.gather(*(viewer.watch() for viewer in viewers))
        await asyncio.sleep(0.5)  # all of them wait for the playlist
        source = bus.testsrc("--seconds", "5", "--wait-readers", "1", **SMALL)
        await asyncio.wait_for(watching, timeout=120)
        source.ends_well()
        return viewers

    viewers = asyncio.run(everyone())
    sink.ends_well()
    written = {path.name: path.read_bytes() for path in folder.glob("segment-*")}
    assert len(written) == 5
    assert all(viewer.segments == written for viewer in viewers)
    assert "125 encoded (0 repeated), 0 dropped, 0 lost" in sink.output()
    assert_whole(folder / "index.m3u8", frames=125, fps=25)


def test_ffmpeg_plays_live_streams_over_http_from_their_master_playlists(bus, start, tmp_path):
    copies = {"ts": tmp_path / "seen.ts", "fmp4": tmp_path / "seen.mp4"}
    sinks = [bus.sink("hls", "--name", kind, "--once", tmp_path / kind, "listen=0", "mode=live", "on_stall=wait",
                      f"segment_type={kind}", "segment=1s", "video.gop=1s") for kind in copies]
    players = []
    for sink, copy in zip(sinks, copies.values()):
        wait_until(lambda: "url: " in sink.output(), "the server")
        url = re.search(r"url: (\S+)", sink.output())[1]
        players.append(start("ffmpeg", "-v", "error", "-i", f"{url}master.m3u8", "-c", "copy", copy))
    bus.testsrc("--seconds", "7", "--wait-readers", "2", **SMALL).ends_well()
    for each in sinks + players:
        each.ends_well()
    for copy in copies.values():
        marks = read_marks(copy)
        assert marks.indices[0] <= 25 and marks.indices[-1] == 174, "from about the edge to the last frame"
        assert marks.missing == [] and marks.duplicates == [] and marks.gaps == [] and marks.worst_sync_ms <= 20


def test_files_have_the_types_and_headers_players_need(bus, tmp_path, free_port):
    folder, url = tmp_path / "hls", f"http://127.0.0.1:{free_port}"
    sink = bus.sink("hls", folder, f"listen={free_port}", "segment_type=fmp4")
    bus.testsrc("--seconds", "3", "--mode", "lossless", "--wait-readers", "1", **SMALL).ends_well()
    playlist = folder / "index.m3u8"
    wait_until(lambda: playlist.exists() and "#EXT-X-ENDLIST" in playlist.read_text(), "the end of the playlist")
    types = {"index.m3u8": "application/vnd.apple.mpegurl", "master.m3u8": "application/vnd.apple.mpegurl",
             "init-00000.mp4": "video/mp4", "segment-00000.m4s": "video/mp4"}
    for name, mime in types.items():
        with urllib.request.urlopen(f"{url}/{name}", timeout=60) as reply:
            assert reply.headers["Content-Type"] == mime
            assert reply.headers["Access-Control-Allow-Origin"] == "*"
            assert reply.headers["Cache-Control"] == "no-cache"
            assert reply.read() == (folder / name).read_bytes()
    part = urllib.request.Request(f"{url}/init-00000.mp4", headers={"Range": "bytes=4-7"})
    with urllib.request.urlopen(part, timeout=60) as reply:
        assert (reply.status, reply.read()) == (206, b"ftyp")
    sink.kill()
