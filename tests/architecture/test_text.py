"""What no file of the checkout may hold: notes to oneself, paths of one machine, addresses of one network's mirrors."""

from __future__ import annotations

import re

import pytest

CODE = frozenset({".py", ".ts", ".tsx", ".js", ".css", ".html", ".sql", ".sh", ""})
DATA = frozenset({".md", ".toml", ".json", ".csv", ".lock", ".yml", ".yaml"})
# A note may stay when it names the page that holds the plan.
NOTE = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XXX|HACK)\b(?!.*docs/)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/\w+")
REGISTRY = re.compile(
    r"registry\.npmjs\.org|files\.pythonhosted\.org|pypi\.org/simple|registry\.yarnpkg|npmmirror|tuna\.tsinghua"
)


def found(pattern, our_files, root):
    return [
        f"{path.relative_to(root)}:{number}: {match[0]}"
        for path in our_files
        if path.suffix in CODE | DATA
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (match := pattern.search(line))
    ]


@pytest.mark.parametrize(
    ("pattern", "remedy"),
    [
        (NOTE, "do it, or write it into docs/ and name the page"),
        (MACHINE_PATH, "name it relative to the checkout"),
        (REGISTRY, "indexes belong to the user's settings"),
    ],
    ids=["notes", "machine paths", "registries"],
)
def test_no_file_holds(pattern, remedy, our_files, root):
    hits = [hit for hit in found(pattern, our_files, root) if not hit.startswith("tests/architecture/test_text.py")]
    assert hits == [], remedy


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (NOTE, "# TO" + "DO later"),
        (MACHINE_PATH, "see /home/alice/x"),
        (REGISTRY, "https://pypi.org/simple/"),
    ],
)
def test_the_patterns_find_what_they_look_for(pattern, line):
    assert pattern.search(line)


def test_a_note_that_names_its_page_may_stay():
    assert not NOTE.search("# TO" + "DO: see docs/operations.md")
