#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU of a file sink at the settings of a live push, as a ratio to bare x264 and AAC fed ready pictures.

Both run at the pace of 25 fps while the same producer runs, because what shares the machine's caches costs time, too.
Alternating runs, medians, one ratio per source size; gate 1.5, target 1.35. `--short` is one run of each, 720p only.
"""
import argparse
import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET, GATE = 1.35, 1.5
SETTINGS = ["video.encoder=libx264", "video.preset=ultrafast", "video.profile=baseline", "video.tune=zerolatency",
            "video.pix_fmt=yuv420p", "video.size=960x540", "video.gop=2frames", "video.bitrate=1000k",
            "video.threads=1", "audio.encoder=aac", "audio.channels=1", "audio.rate=44100"]
SIZES = {"720p": "1280x720", "1080p": "1920x1080"}


def steal_ticks():
    with open("/proc/stat", encoding="ascii") as stat:
        fields = stat.readline().split()
    return int(fields[8]), sum(map(int, fields[1:9]))


def used_by(pid):
    """CPU seconds of all threads of a process so far."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(path.read_text(encoding="ascii").split()[0]) for path in threads) / 1e9


class Bench:
    def __init__(self, build, folder, seconds):
        self.ringcast = build / "bin/ringcast"
        self.bare = build / "bench/bare_encoder"
        self.folder = folder
        self.seconds = seconds
        self.children = []

    def start(self, *words, **options):
        child = subprocess.Popen(list(map(str, words)), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
        self.children.append(child)
        return child

    def producer(self, bus, size, readers):
        waits = ["--wait-readers", readers] if readers else []
        return self.start(self.ringcast, "testsrc", "--bus", bus, "--size", size, "--seconds", self.seconds, *waits,
                          stdout=subprocess.DEVNULL)

    def pictures(self, size):
        """Ready pictures of 960x540 of the same source."""
        path = self.folder / f"{size}.yuv"
        bus = f"bench-{os.getpid()}-{secrets.token_hex(3)}"
        source = self.start(self.ringcast, "testsrc", "--bus", bus, "--size", size, "--seconds", 6, "--mode",
                            "lossless", "--wait-readers", 1, stdout=subprocess.DEVNULL)
        cat = self.start(self.ringcast, "cat", bus, "--lossless", "--flow", "video", "--frames", 120,
                         stdout=subprocess.PIPE)
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", "-", "-vf", "scale=960:540:flags=bicubic", "-pix_fmt",
                        "yuv420p", "-f", "rawvideo", path], stdin=cat.stdout, check=True)
        cat.stdout.close()
        self.end(cat)
        self.end(source)
        return path

    def sink_cpu(self, size):
        """User and system seconds from the moment the sink is ready to its end."""
        bus = f"bench-{os.getpid()}-{secrets.token_hex(3)}"
        sink = self.start(self.ringcast, "sink", "file", "--bus", bus, "--once", self.folder / "out.mp4",
                          "overwrite=yes", *SETTINGS)
        while b"waiting for bus" not in (line := sink.stderr.readline()):
            if not line:
                sys.exit("the sink ended before it waited for the bus")
        before = used_by(sink.pid)  # loading and linking: the floor does not count that either
        source = self.producer(bus, size, 1)
        said = sink.stderr.read()
        _, status, usage = os.wait4(sink.pid, 0)
        sink.returncode = os.waitstatus_to_exitcode(status)
        self.end(source)
        if sink.returncode != 0:
            sys.exit(f"the sink ended with {sink.returncode}: {said.decode(errors='replace')}")
        return usage.ru_utime + usage.ru_stime - before

    def bare_cpu(self, size, pictures):
        bus = f"bench-{os.getpid()}-{secrets.token_hex(3)}"
        source = self.producer(bus, size, 0)
        done = subprocess.run([self.bare, "--pictures", pictures, "--seconds", str(self.seconds), "--threads", "1"],
                              check=True, capture_output=True, text=True)
        self.end(source)
        return json.loads(done.stdout)["cpu_s"]

    def end(self, child):
        try:
            child.wait(self.seconds + 30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
                child.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build"), help="build folder with bench/bare_encoder")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="media per run")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--short", action="store_true", help="one run of 4 s, 720p; gate twice the target")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    words = parser.parse_args()
    if words.short:
        words.runs, words.seconds, words.sizes = 1, 4, ["720p"]
    figures = {}
    with tempfile.TemporaryDirectory(prefix="ringcast-bench-") as folder:
        bench = Bench(words.build.resolve(), Path(folder), words.seconds)
        try:
            for name in words.sizes:
                pictures = bench.pictures(SIZES[name])
                sink, bare = [], []
                stolen, all_ticks = steal_ticks()
                for _ in range(words.runs):
                    bare.append(bench.bare_cpu(SIZES[name], pictures))
                    sink.append(bench.sink_cpu(SIZES[name]))
                stolen, all_ticks = (now - then for now, then in zip(steal_ticks(), (stolen, all_ticks)))
                frames = words.seconds * 25
                figures[name] = {"ratio": statistics.median(sink) / statistics.median(bare),
                                 "sink_ms_per_frame": [round(s / frames * 1000, 3) for s in sink],
                                 "bare_ms_per_frame": [round(b / frames * 1000, 3) for b in bare],
                                 "steal_percent": round(100 * stolen / max(all_ticks, 1), 2)}
                print(f"{name}: ratio {figures[name]['ratio']:.3f} (target {TARGET}, gate {GATE}); ms per frame: sink "
                      f"{figures[name]['sink_ms_per_frame']}, bare {figures[name]['bare_ms_per_frame']}; steal "
                      f"{figures[name]['steal_percent']} %", flush=True)
        finally:
            bench.close()
    if words.json:
        words.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    gate = 2 * TARGET if words.short else GATE
    return 0 if all(figure["ratio"] <= gate for figure in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
