# SPDX-License-Identifier: Apache-2.0
"""A stream key for tests, and the search for it wherever a process leaves traces, in every writing."""
import base64
import secrets
import subprocess
from pathlib import Path

from conftest import RINGCAST, SHM


def make_key():
    """Like Bilibili's: it has to be encoded in places, and is found in no memory by chance."""
    return f"?streamname=live_{secrets.token_hex(4)}&key={secrets.token_hex(16)}&pflag=1"


def in_base64(text):
    """What of it stands in the base64 of anything that holds it, wherever it begins there."""
    for before in range(3):
        code = base64.b64encode(b"x" * before + text + b"xx")
        # Characters that carry bits of the neighbours: at most two in front, and those of the last bytes behind.
        yield code[(before * 8 + 5) // 6:(before + len(text)) * 8 // 6]


def pieces(key):
    """What must not be seen: the key, and the part of it that alone is as good, in any writing."""
    found = []
    for text in (key.encode(), key.split("&")[1].split("=")[1].encode()):
        assert len(text) >= 16, f"{text} stands in some memory by chance"
        encoded = "".join(f"%{byte:02X}" for byte in text)
        found += [text, encoded.encode(), encoded.lower().encode(), text.hex().encode(), text.hex().upper().encode(),
                  text.decode().encode("utf-16-le"), text.decode().encode("utf-16-be"), *in_base64(text)]
    return found


def seen_in_processes(key):
    """Command lines and environments of all processes that show the key; this test's own memory is none of them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                content = (folder / name).read_bytes()
            except OSError:
                continue
            if any(piece in content for piece in pieces(key)):
                found.append(f"{folder / name}: {content[:300]}")
    return found


def seen_on_bus(bus, key):
    found = []
    for entry in SHM.glob(f"ringcast.{bus.name}.*"):
        if any(piece in entry.read_bytes() for piece in pieces(key)):
            found.append(str(entry))
    for words in (["info", bus.name, "--json"], ["info", bus.name], ["ls", "--json"], ["plugins", "--json"]):
        done = subprocess.run([RINGCAST, *words], capture_output=True, check=False, timeout=60)
        if any(piece in done.stdout + done.stderr for piece in pieces(key)):
            found.append(f"ringcast {words[0]}: {done.stdout}")
    return found


def assert_kept(bus, key, *children):
    """The key is nowhere: logs, command lines, environments, the board and what the inspector shows."""
    assert seen_in_processes(key) == []
    assert seen_on_bus(bus, key) == []
    for child in children:
        output = child.log.read_bytes()
        assert not [piece for piece in pieces(key) if piece in output], output
