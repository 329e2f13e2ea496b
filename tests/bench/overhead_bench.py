#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU of a file sink at the settings of a live push, as a ratio to bare x264 and AAC fed ready pictures.

Both run at the pace of 25 fps while the same producer runs, because what shares the machine's caches costs time, too.
Alternating runs, medians, two ratios per source size: "running" is what a second in the middle costs, "life" all that
the process used from its start to its end, the finished file included. Gate 1.5, target 1.35. `--short` is one run of
each, 720p only, and gates "running" at twice the target.
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
import time
from pathlib import Path

TARGET, GATE = 1.35, 1.5
RATE = 25
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
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        child = subprocess.Popen(list(map(str, words)), **{**streams, **options})
        self.children.append(child)
        return child

    def producer(self, bus, size, readers):
        waits = ["--wait-readers", readers] if readers else []
        return self.start(self.ringcast, "testsrc", "--bus", bus, "--size", size, "--seconds", self.seconds, *waits)

    def from_source(self, path, size, flow, *conversion):
        """What ffmpeg makes of 5 s of one flow of the same source."""
        bus = f"bench-{os.getpid()}-{secrets.token_hex(3)}"
        source = self.start(self.ringcast, "testsrc", "--bus", bus, "--size", size, "--seconds", 6, "--mode",
                            "lossless", "--wait-readers", 1)
        cat = self.start(self.ringcast, "cat", bus, "--lossless", "--flow", flow, "--seconds", 5,
                         stdout=subprocess.PIPE)
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", "-", *map(str, conversion), path], stdin=cat.stdout,
                       check=True)
        cat.stdout.close()
        self.end(cat)
        self.end(source)
        return path

    def pictures(self, size):
        """Ready pictures of 960x540."""
        return self.from_source(self.folder / f"{size}.yuv", size, "video", "-vf", "scale=960:540:flags=bicubic",
                                "-pix_fmt", "yuv420p", "-f", "rawvideo")

    def sound(self):
        """Ready samples, because what AAC costs depends on what it hears."""
        return self.from_source(self.folder / "sound.f32", "320x240", "audio", "-ac", 1, "-ar", 44100, "-f", "f32le")

    def measure(self, child):
        """CPU ms per frame from outside, the same way for both: in the middle of its run, and of its whole life."""
        edge = min(3, self.seconds / 4)
        time.sleep(edge)
        begin, before = time.monotonic(), used_by(child.pid)
        time.sleep(self.seconds - 2 * edge)
        middle = (used_by(child.pid) - before) / (time.monotonic() - begin)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{Path(child.args[0]).name} ended with {child.returncode}: " + self.log().strip())
        life = (usage.ru_utime + usage.ru_stime) / self.seconds
        return {"running": middle / RATE * 1000, "life": life / RATE * 1000}

    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def sink_cost(self, size):
        bus = f"bench-{os.getpid()}-{secrets.token_hex(3)}"
        with open(self.folder / "log", "wb") as log:
            sink = self.start(self.ringcast, "sink", "file", "--bus", bus, "--once", self.folder / "out.mp4",
                              "overwrite=yes", *SETTINGS, stderr=log)
        deadline = time.monotonic() + 60
        while "waiting for bus" not in self.log():
            if sink.poll() is not None or time.monotonic() > deadline:
                sys.exit("the sink did not wait for the bus: " + self.log())
            time.sleep(0.02)
        source = self.producer(bus, size, 1)
        cost = self.measure(sink)
        self.end(source)
        if f" {self.seconds * RATE} encoded (0 repeated)" not in self.log():
            sys.exit("the sink did not encode every picture: " + self.log())
        return cost

    def bare_cost(self, size, pictures, sound):
        bus = f"bench-{os.getpid()}-{secrets.token_hex(3)}"
        source = self.producer(bus, size, 0)
        with open(self.folder / "log", "wb") as log:
            bare = self.start(self.bare, "--pictures", pictures, "--sound", sound, "--seconds", self.seconds,
                              "--threads", 1, stderr=log)
        cost = self.measure(bare)
        self.end(source)
        return cost

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


def compare(bench, name, runs, sound):
    """Both in turns, so that a noisy moment hits both."""
    pictures = bench.pictures(SIZES[name])
    sink, bare = [], []
    stolen, all_ticks = steal_ticks()
    for _ in range(runs):
        bare.append(bench.bare_cost(SIZES[name], pictures, sound))
        sink.append(bench.sink_cost(SIZES[name]))
    stolen, all_ticks = (now - then for now, then in zip(steal_ticks(), (stolen, all_ticks)))
    figure = {"steal_percent": round(100 * stolen / max(all_ticks, 1), 2)}
    for part in ("running", "life"):
        costs = {"sink": [cost[part] for cost in sink], "bare": [cost[part] for cost in bare]}
        ratio = statistics.median(costs["sink"]) / statistics.median(costs["bare"])
        figure[part] = {"ratio": ratio, **{who: [round(c, 3) for c in found] for who, found in costs.items()}}
        print(f"{name}, {part}: ratio {ratio:.3f} (target {TARGET}, gate {GATE}); ms per frame: sink "
              f"{figure[part]['sink']}, bare {figure[part]['bare']}", flush=True)
    print(f"{name}: steal {figure['steal_percent']} %", flush=True)
    return {"ratio": figure["running"]["ratio"], **figure}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build"), help="build folder with bench/bare_encoder")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=20, help="media per run")
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
            sound = bench.sound()
            for name in words.sizes:
                figures[name] = compare(bench, name, words.runs, sound)
        finally:
            bench.close()
    if words.json:
        words.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if words.short:  # starting and ending weigh too much in a few seconds
        return 0 if all(figure["ratio"] <= 2 * TARGET for figure in figures.values()) else 1
    return 0 if all(figure[part]["ratio"] <= GATE for figure in figures.values() for part in ("running", "life")) else 1


if __name__ == "__main__":
    sys.exit(main())
