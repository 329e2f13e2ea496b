# SPDX-License-Identifier: Apache-2.0
"""A second network namespace on this machine, as another machine would be: one cable between the two."""
import os
import secrets
import subprocess


class NoNamespaces(RuntimeError):
    """This machine, or this user, may not make any."""


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise NoNamespaces(f"ip {' '.join(words)}: {done.stderr.strip()}")


class Namespace:
    """`here` and `there` are the addresses of the two ends. Memory is shared, so buses need names of their own."""

    def __init__(self):
        mark = secrets.token_hex(3)
        self.name, self.cable = f"rc-{mark}", (f"rc{mark}a", f"rc{mark}b")
        net = f"10.{200 + os.getpid() % 50}.{int(mark[:2], 16)}"
        self.here, self.there = f"{net}.1", f"{net}.2"
        self.wrapper = ["ip", "netns", "exec", self.name]
        try:
            ip("netns", "add", self.name)
            ip("link", "add", self.cable[0], "type", "veth", "peer", "name", self.cable[1], "netns", self.name)
            ip("addr", "add", f"{self.here}/30", "dev", self.cable[0])
            ip("link", "set", self.cable[0], "up")
            ip("-n", self.name, "addr", "add", f"{self.there}/30", "dev", self.cable[1])
            ip("-n", self.name, "link", "set", self.cable[1], "up")
            ip("-n", self.name, "link", "set", "lo", "up")
        except (NoNamespaces, FileNotFoundError):
            self.close()
            raise

    def close(self):
        # The cable goes with the namespace that holds one of its ends.
        subprocess.run(["ip", "link", "del", self.cable[0]], capture_output=True, check=False, timeout=30)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False, timeout=30)
