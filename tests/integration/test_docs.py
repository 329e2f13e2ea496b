# SPDX-License-Identifier: Apache-2.0
"""Runs every shell block of the documents that is marked `<!-- runs -->`, as a reader would paste it."""
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, ROOT

BLOCK = re.compile(r"<!-- runs(?P<needs>[^>]*)-->\n```sh\n(?P<code>.*?)```", re.DOTALL)


def blocks():
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for number, match in enumerate(BLOCK.finditer(document.read_text(encoding="utf-8"))):
            name = f"{document.relative_to(ROOT)}-{number}"
            # The block that builds is what tests/run did before it came here.
            if match["needs"].strip() != "setup":
                yield pytest.param(match["code"], id=name)


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like a checkout from inside; what a recipe writes stays in it."""
    for name in ("producers", "plugins", "bus", "cmake", "CMakeLists.txt", "tools", "sinks", "tests", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("code", list(blocks()))
def test_recipe_works_as_written(code, checkout, free_port):
    bus = f"doc{os.getpid()}"
    # Bus, port and length are the reader's to choose; here they must not meet another test's, nor take a minute.
    code = re.sub(r"\btalk\b(?![-./])", bus, code).replace("8080", str(free_port)).replace("--seconds 60", "--seconds 6")
    environment = {**os.environ, "PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}"}
    shell = subprocess.Popen(["/bin/bash", "-e", "-u", "-c", code], cwd=checkout, env=environment, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True)
    try:
        said, _ = shell.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        pytest.fail(f"did not end:\n{code}\nit said:\n{shell.communicate()[0]}")
    assert shell.returncode == 0, f"{code}\nit said:\n{said}"
    for recording in [word for word in re.findall(r"\S+\.mp4\b", code)]:
        assert (checkout / recording).stat().st_size > 10_000, f"{recording} is nearly empty; it said:\n{said}"


@pytest.mark.parametrize("document", [path.relative_to(ROOT) for path in
                                      [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]],
                         ids=str)
def test_every_link_of_a_document_leads_to_a_file(document):
    text = re.sub(r"```.*?```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    missing = [target for target in targets
               if target and "://" not in target and not (ROOT / document).parent.joinpath(Path(target)).exists()]
    assert missing == []


def test_every_document_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    documents = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert [name for name in sorted(documents) if f"]({name})" not in index] == []
