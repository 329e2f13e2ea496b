# SPDX-License-Identifier: Apache-2.0
"""JUnit XML as CTest, pytest and our own reporters write it: counting, writing, merging."""
import xml.etree.ElementTree as ElementTree
from typing import NamedTuple


class Counts(NamedTuple):
    passed: int
    failed: int
    skipped: int

    def __add__(self, other):
        return Counts(*(mine + theirs for mine, theirs in zip(self, other)))


def count(path):
    """Counts of one file and the names of what failed; nothing when the suite never wrote it."""
    if not path.exists():
        return Counts(0, 0, 0), []
    total, failures = Counts(0, 0, 0), []
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            total += Counts(0, 1, 0)
            failures.append(f"{case.get('classname', '')} {case.get('name', '')}".strip())
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            total += Counts(0, 0, 1)
        else:
            total += Counts(1, 0, 0)
    return total, failures


def made_again(path):
    """A line per test that was made again because the machine stood still (stood_still.py)."""
    cases = ElementTree.parse(path).iter("testcase") if path.exists() else []
    return [f"{case.get('name')}: {each.get('value').splitlines()[0]}" for case in cases
            for each in case.iter("property") if each.get("name") == "made again"]


def write(path, suite, results):
    """Writes {case name: None when it passed, else the reason}."""
    root = ElementTree.Element("testsuite", name=suite, tests=str(len(results)))
    for name, reason in results.items():
        case = ElementTree.SubElement(root, "testcase", classname=suite, name=name)
        if reason is not None:
            ElementTree.SubElement(case, "failure", message="failed").text = reason
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def merge(into, other):
    """Appends the cases of `other` to `into`; either may be missing."""
    if not other.exists():
        return
    if not into.exists():
        other.rename(into)
        return
    tree = ElementTree.parse(into)
    tree.getroot().extend(ElementTree.parse(other).iter("testcase"))
    tree.write(into, encoding="utf-8", xml_declaration=True)
