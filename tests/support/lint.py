# SPDX-License-Identifier: Apache-2.0
"""clang-format, shellcheck and clang-tidy over the project's own files, with results as JUnit cases."""
import hashlib
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import junit

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (".cpp", ".hpp", ".c", ".h")


def own_files():
    """Files of the project: what git tracks or would add; in an unpacked archive everything outside build folders."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, check=False)
    if listed.returncode == 0:
        names = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [path for path in ROOT.rglob("*") if not path.relative_to(ROOT).parts[0].startswith((".", "build"))]
    return sorted(path for path in names if path.is_file())


def first_line(path):
    with open(path, "rb") as file:
        return file.readline()


def check_each(paths, command, log):
    """Runs `command FILE` per file; {name: None or what the tool said}."""
    results = {}
    for path in paths:
        done = subprocess.run([*command, path], cwd=ROOT, capture_output=True, text=True, check=False)
        results[str(path.relative_to(ROOT))] = None if done.returncode == 0 else done.stdout + done.stderr
        log.write(done.stdout + done.stderr)
        log.flush()
    return results


def formatting(xml, log):
    paths = [path for path in own_files() if path.suffix in SOURCES]
    junit.write(xml, "clang-format", check_each(paths, ["clang-format", "--dry-run", "--Werror"], log))


def shell(xml, log):
    paths = [path for path in own_files() if path.suffix == ".sh" or first_line(path).startswith(b"#!/bin/bash")]
    junit.write(xml, "shellcheck", check_each(paths, ["shellcheck", "-x"], log))


def recently_changed():
    """Sources of the newest commit and of the working tree; None where git cannot tell."""
    listed = subprocess.run(["git", "diff", "-z", "--name-only", "HEAD~1"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        return None
    return {ROOT / name for name in listed.stdout.decode().split("\0") if name}


def tidy(xml, log, build, jobs, everything):
    """clang-tidy per translation unit at the lowest priority, of what changed last or of everything (minutes). What
    passed before with the same words, headers and settings is not read again: its digest lies in `build`/passed."""
    passed = build / "passed"
    passed.mkdir(exist_ok=True)
    shared = hashlib.sha256()
    for path in own_files():
        if path.suffix in (".hpp", ".h") or path.name == ".clang-tidy":
            shared.update(path.read_bytes())

    def examine(entry):
        source = Path(entry["file"])
        digest = shared.copy()
        digest.update(entry["command"].encode() + source.read_bytes())
        stamp = passed / digest.hexdigest()
        name = str(source.relative_to(ROOT))
        if stamp.exists():
            return name, None
        done = subprocess.run(["nice", "clang-tidy", "--quiet", "-p", build, source], cwd=ROOT, capture_output=True,
                              text=True, check=False)
        log.write(f"{name}\n{done.stdout}")
        log.flush()
        if done.returncode == 0:
            stamp.touch()
            return name, None
        return name, done.stdout + done.stderr

    entries = {entry["file"]: entry for entry in json.loads((build / "compile_commands.json").read_text())
               if not os.path.relpath(entry["file"], build).startswith("_deps") and
               not Path(entry["file"]).is_relative_to(build)}
    changed = None if everything else recently_changed()
    if changed is not None:
        entries = {file: entry for file, entry in entries.items() if Path(file) in changed}
    if not entries:
        junit.write(xml, "clang-tidy", {"no source changed in the newest commit": None})
        return
    with ThreadPoolExecutor(jobs) as pool:
        junit.write(xml, "clang-tidy", dict(pool.map(examine, entries.values())))
