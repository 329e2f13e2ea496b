# SPDX-License-Identifier: Apache-2.0
"""Far ends of SRT for the tests, on loopback: srt-live-transmit and ffmpeg. A latency is in milliseconds for both."""
import socket
import subprocess

CONNECTED_WORDS = ("Accepted SRT source connection", "SRT source connected")


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def peer_url(port, mode="listener", **words):
    """How a far end is told where to be; `latency` in the unit of the program."""
    # Both ends of a rendezvous use the same port: on one machine that takes two addresses.
    if mode == "rendezvous":
        words["adapter"] = "127.0.0.2"
    return f"srt://127.0.0.1:{port}?mode={mode}" + "".join(f"&{name}={value}" for name, value in words.items())


class LiveTransmit:
    """srt-live-transmit; what it receives is written to `path` byte for byte. Ends with the connection unless
    `again`."""

    def __init__(self, start, path, port, mode="listener", again=False, latency=200, **words):
        self.path = path
        url = peer_url(port, mode, latency=latency, **words)
        # It writes to files by its standard output only; `exec` keeps the pid.
        self.process = start("bash", "-c", 'exec srt-live-transmit "$1" file://con "-a:$2" >"$3"', "srt-live-transmit",
                             url, "yes" if again else "no", path)

    def connected(self):
        """How often somebody came."""
        return sum(self.process.output().count(words) for words in CONNECTED_WORDS)

    def size(self):
        return self.path.stat().st_size if self.path.exists() else 0


class Ffmpeg:
    """ffmpeg as the receiver, which takes the stream apart and puts it together again."""

    def __init__(self, start, path, port, mode="listener", latency=200, **words):
        self.path = path
        url = peer_url(port, mode, latency=latency * 1000, **words)
        self.process = start("ffmpeg", "-v", "warning", "-nostdin", "-i", url, "-c", "copy", "-f", "mpegts", "-y", path)

    def size(self):
        return self.path.stat().st_size if self.path.exists() else 0


def first_frame_is_key(path):
    done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=flags",
                           "-of", "csv=p=0", "-read_intervals", "%+#1", str(path)],
                          capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.startswith("K")
