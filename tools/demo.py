# SPDX-License-Identifier: Apache-2.0
"""The demo: sets up, builds, runs an avatar with two sinks, shows how it goes, stops everything, sums up."""
import argparse
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
RINGCAST = BUILD / "bin/ringcast"
TARGETS = ["ringcast_command", "ringcast-sink", "ringcast_sink_hls", "ringcast_sink_file"]
GREETING = ("Hello, and welcome to ringcast. I am drawn by one process. A second one shows me in your browser, "
            "and a third one records me to a file. "
            "大家好，欢迎收看。")
HELP = """\
examples:
  tools/demo                                  until Ctrl-C
  tools/demo --seconds 30                     half a minute, then a summary
  tools/demo --host 0.0.0.0 --port 9000       reachable from other machines
  tools/demo --text 'Good morning!'           her words are yours
  tools/demo --wav speech.wav                 a recorded voice
"""


class Stop(Exception):
    """Something went wrong; the text is for people."""


def parse():
    parser = argparse.ArgumentParser(
        prog="tools/demo", description="An avatar speaks; a web page plays it; a file records it.", epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=seconds, metavar="N", help="end after N seconds (default: at Ctrl-C)")
    parser.add_argument("--host", default="127.0.0.1", help="address the page listens on; 0.0.0.0 is all of them")
    parser.add_argument("--port", type=port, help="port of the page (default: 8080, or the next free one)")
    parser.add_argument("--linger", type=seconds, default=0, metavar="S",
                        help="keep the page up S seconds longer, so that a viewer can finish (default 0)")
    parser.add_argument("--dir", type=Path, help="where the files go (default: build/demo/DATE-TIME)")
    words = parser.add_mutually_exclusive_group()
    words.add_argument("--text", help="what the avatar says, again and again (default: a greeting)")
    words.add_argument("--wav", type=Path, help="what the avatar says, from a .wav file")
    options = parser.parse_args()
    if options.seconds == 0:
        parser.error("--seconds: 0 leaves nothing to see")
    if options.wav and not options.wav.is_file():
        parser.error(f"--wav: there is no file {options.wav}")
    return options


def seconds(word):
    value = float(word)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{word} is below 0")
    return value


def port(word):
    value = int(word)
    if not 1 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{word} is not a port (1 to 65535)")
    return value


# ---- Setting up -----------------------------------------------------------------------------------------------------

def tied(command):
    """The command, so that it ends when this process does, however that ends."""
    return ["setpriv", "--pdeathsig", "TERM", "--", *map(str, command)]


def build():
    if subprocess.run(tied([ROOT / "tools/setup"]), check=False).returncode:
        raise Stop("setup failed; what to do stands above")
    log = BUILD / "setup/demo-build.log"
    quiet = not sys.stdout.isatty()
    print("building (the first time takes a few minutes)" if not RINGCAST.exists() else "building what changed")
    steps = [["cmake", "--build", BUILD, "--parallel", "--target", *TARGETS]]
    if not (BUILD / "build.ninja").exists():
        steps.insert(0, ["cmake", "--preset", "dev"])
    with open(log, "w", encoding="utf-8") as out:
        for step in steps:
            # On a terminal ninja shows its progress on one line by itself.
            shown = quiet or "--build" not in step
            done = subprocess.run(tied(step), cwd=ROOT, stdout=out if shown else None,
                                  stderr=subprocess.STDOUT if shown else None, check=False)
            if done.returncode:
                raise Stop(f"the build failed\n{tail(log, 30)}\nwhole log: {log}")


def free_port(host, wanted):
    """The wanted port, or 8080 and up."""
    for candidate in [wanted] if wanted else range(8080, 8180):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
                return candidate
            except OSError as error:
                reason = error.strerror
    raise Stop(f"cannot listen on {host} port {wanted or '8080 to 8179'}: {reason}; choose with --host and --port")


def reachable_address(host):
    """What to type into a browser elsewhere when the page listens on every address."""
    if host not in ("0.0.0.0", "::"):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; asks the kernel which address would be used
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()


def ssh_hint(host, number):
    """The line a person who came by SSH runs at home to see a page that listens on this machine only."""
    connection = os.environ.get("SSH_CONNECTION", "").split()
    if len(connection) != 4:
        return None
    way = f" -p {connection[3]}" if connection[3] != "22" else ""
    target = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"ssh -L {number}:{target}:{number}{way} {os.environ.get('USER', 'user')}@{connection[2]}"


def tail(path, count=10):
    lines = path.read_text(encoding="utf-8", errors="replace").rstrip().split("\n")
    return "\n".join(f"  | {line}" for line in lines[-count:])


# ---- The processes --------------------------------------------------------------------------------------------------

class Child:
    def __init__(self, name, folder, words):
        self.name = name
        self.log = folder / f"{name}.log"
        with open(self.log, "w", encoding="utf-8") as log:
            log.write(f"$ {shlex.join(map(str, words))}\n")
            log.flush()
            # A session of its own: Ctrl-C reaches this script only, which then stops things in order.
            self.process = subprocess.Popen(tied(words), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, start_new_session=True)

    def ended(self):
        return self.process.poll() is not None

    def stop(self, patience=15):
        """SIGTERM, time to finish its files, then SIGKILL. Returns whether it ended by itself with 0."""
        if not self.ended():
            self.process.terminate()
        try:
            return self.process.wait(patience) == 0
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False

    def failure(self):
        status = self.process.returncode
        how = f"by signal {signal.Signals(-status).name}" if status < 0 else f"with exit code {status}"
        return f"{self.name} ended {how}; its last lines:\n{tail(self.log)}\nwhole log: {self.log}"


class Demo:
    def __init__(self, options):
        self.options = options
        self.bus = f"demo-{os.getpid()}"
        self.folder = (options.dir or BUILD / "demo" / time.strftime("%Y%m%d-%H%M%S")).resolve()
        self.hls = self.folder / "hls"
        self.recording = self.folder / "recording.mp4"
        self.children = []
        self.stopping = False
        self.shown_width = 0
        self.info = {}

    def start(self, name, *words):
        child = Child(name, self.folder, [RINGCAST, *words])
        self.children.append(child)
        return child

    def run(self):
        options = self.options
        self.folder.mkdir(parents=True, exist_ok=True)
        number = free_port(options.host, options.port)
        listen = f"[{options.host}]:{number}" if ":" in options.host else f"{options.host}:{number}"
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, lambda *_: setattr(self, "stopping", True))
        try:
            page = self.start("page", "sink", "hls", "--bus", self.bus, "--name", "page", f"dir={self.hls}",
                              f"listen={listen}")
            recorder = self.start("recorder", "sink", "file", "--bus", self.bus, "--name", "recorder", "--once",
                                  f"path={self.recording}")
            # It waits for both sinks before its first frame, so the page and the recording begin at the beginning.
            avatar = self.start("avatar", *self.avatar_words())
            self.wait_for_page(number)
            self.announce(number)
            self.watch(avatar)
            self.finish(avatar, recorder, page)
            self.summary(avatar)
        finally:
            for child in reversed(self.children):
                child.stop()

    def avatar_words(self):
        options = self.options
        source = ["--wav", options.wav.resolve()] if options.wav else ["--text", options.text or GREETING]
        length = ["--seconds", f"{options.seconds:g}"] if options.seconds else []
        return ["avatar", "--bus", self.bus, "--json", "--loop", "--wait-readers", "2", *source, *length]

    def wait_for_page(self, number):
        host = "127.0.0.1" if self.options.host == "0.0.0.0" else self.options.host.replace("::", "::1")
        url = f"http://[{host}]:{number}/" if ":" in host else f"http://{host}:{number}/"
        deadline = time.monotonic() + 20
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while not self.stopping:
            self.check_children()
            try:
                opener.open(url, timeout=2).close()
                return
            except (urllib.error.URLError, OSError) as error:
                if time.monotonic() > deadline:
                    raise Stop(f"the page does not answer at {url}: {error}") from error
            time.sleep(0.05)

    def announce(self, number):
        address = reachable_address(self.options.host)
        print(f"\n  watch:      http://{f'[{address}]' if ':' in address else address}:{number}/")
        hint = ssh_hint(self.options.host, number)
        if hint:
            print(f"  from home:  {hint}\n              then open http://127.0.0.1:{number}/")
        print(f"  recording:  {self.recording}")
        print(f"  look in:    {RINGCAST.relative_to(ROOT)} info {self.bus}")
        print("  stop:       Ctrl-C\n", flush=True)

    def check_children(self, expected=()):
        for child in self.children:
            if child not in expected and child.ended():
                raise Stop(child.failure())

    # ---- Watching ----

    def watch(self, avatar):
        """Until the avatar is through or somebody asks to stop; any other end is a failure."""
        terminal = sys.stdout.isatty()
        next_look = time.monotonic() + 1
        next_line = time.monotonic() + (1 if terminal else 5)
        while not self.stopping:
            if avatar.ended():
                if avatar.process.returncode:
                    raise Stop(avatar.failure())
                break
            self.check_children(expected=[avatar])
            if time.monotonic() >= next_look:
                self.look()
                next_look = time.monotonic() + 1
            if time.monotonic() >= next_line:
                self.show(self.status(), terminal)
                next_line = time.monotonic() + (1 if terminal else 5)
            time.sleep(0.1)
        if terminal:
            print()

    def look(self):
        """Takes the figures from outside, as `ringcast info` shows them to anyone."""
        done = subprocess.run([RINGCAST, "info", self.bus, "--json"], capture_output=True, check=False)
        if done.returncode == 0:
            self.info = json.loads(done.stdout)

    def video(self):
        flows = self.info.get("flows", [])
        return next((flow for flow in flows if flow["flow"] == "video" and flow["head_index"]), None)

    def lost(self):
        """Records a sink never got, and frames it chose not to encode."""
        readers = self.info.get("readers", [])
        return sum(reader["dropped_frames"] for reader in readers) + sum(
            flow["lost_overrun_records"] + flow["lost_aborted_records"]
            for reader in readers for flow in reader["flows"].values())

    def status(self):
        video = self.video()
        if not video:
            return "waiting for the first frame"
        seconds = video["head_index"] * video["caps"]["fps_den"] / video["caps"]["fps_num"]
        return (f"{clock(seconds)}  {self.info['measured_video_fps'] or 0:.0f} fps  {len(self.segments())} segments  "
                f"recording {size(self.recording)}  {self.lost()} lost")

    def segments(self):
        return sorted(self.hls.glob("segment-*.ts"))

    def show(self, line, terminal):
        if terminal:
            print("\r" + line.ljust(self.shown_width), end="", flush=True)
            self.shown_width = len(line)
        else:
            print(line, flush=True)

    # ---- Ending ----

    def finish(self, avatar, recorder, page):
        """In the stream's own order: the avatar ends it, both sinks finish what they have, the page stays a while."""
        if not avatar.stop():
            raise Stop(avatar.failure())
        deadline = time.monotonic() + 15
        playlist = self.hls / "index.m3u8"
        while time.monotonic() < deadline:
            self.check_children(expected=[avatar, recorder])
            over = playlist.exists() and "#EXT-X-ENDLIST" in playlist.read_text(encoding="utf-8")
            if over and recorder.ended():
                break
            time.sleep(0.05)
        until = time.monotonic() + self.options.linger
        while time.monotonic() < until and not self.stopping:
            self.check_children(expected=[avatar, recorder])
            time.sleep(0.1)
        for child in (recorder, page):
            if not child.stop():
                raise Stop(child.failure())

    def summary(self, avatar):
        playlist = self.hls / "index.m3u8"
        lengths = re.findall(r"#EXTINF:([0-9.]+)", playlist.read_text(encoding="utf-8")) if playlist.exists() else []
        told = [line for line in avatar.log.read_text(encoding="utf-8").split("\n") if line.startswith("{")]
        frames = json.loads(told[-1])["frames"] if told else 0
        print(f"ended well: {clock(sum(map(float, lengths)))} of media, {frames} frames, {self.lost()} lost")
        print(f"  recording:  {self.recording} ({size(self.recording)})")
        print(f"  playlist:   {playlist} ({len(self.segments())} segments)")


def clock(value):
    minutes, rest = divmod(value, 60)
    return f"{int(minutes):02d}:{rest:04.1f}"


def size(path):
    return f"{path.stat().st_size / 1e6:.1f} MB" if path.exists() else "not begun"


def main():
    options = parse()
    try:
        build()
        Demo(options).run()
    except KeyboardInterrupt:
        print("\nstopped before it began", file=sys.stderr)
        return 130
    except Stop as stop:
        print(f"\ndemo: {stop}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
