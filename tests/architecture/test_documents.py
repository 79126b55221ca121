"""What the documents tell people to type exists, and every suite has its budget."""

from __future__ import annotations

import re

import click
import pytest

from edge.cli_commands import COMMANDS, LATER

TYPED = re.compile(r"\./kangle +(?P<words>[^`|&;<>#\n]+)")
LATER_NOTE = ("not built", "arrives", "还没有", "尚未")


def typed_commands(root):
    """(file, line, words) of every ``./kangle ...`` in the documents."""
    files = [root / "README.md", root / "README.zh.md", *sorted((root / "docs").rglob("*.md"))]
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            for match in TYPED.finditer(line):
                yield path.relative_to(root).as_posix(), line, match["words"].split()


def options_of(name, words):
    """Option names of a command, its subcommand followed; None when its words go elsewhere."""
    import importlib

    module, attribute, _, _ = COMMANDS[name]
    command = getattr(importlib.import_module(module), attribute)
    if isinstance(command, click.Group):
        group = command
        command = next((group.commands[word] for word in words if word in group.commands), None)
        if command is None and all(word.startswith("-") for word in words):
            command = group
        assert command is not None, f"kangle {name} {' '.join(words)}: no such command"
    if not isinstance(command, click.Command) or command.ignore_unknown_options or command.allow_extra_args:
        return None
    return {option for parameter in command.params for option in parameter.opts} | {"--help"}


def test_every_command_of_the_documents_exists(root):
    seen = set()
    for file, line, (name, *words) in typed_commands(root):
        if name in LATER and any(note in line for note in LATER_NOTE):
            continue
        if not re.fullmatch(r"[a-z]+", name):
            assert name.startswith(("-", "COMMAND", "...", "…")), f"{file}: {line}"
            continue
        assert name in COMMANDS, f"{file}: {line}"
        seen.add(name)
        known = options_of(name, words)
        for word in words:
            if known is not None and word.startswith("--"):
                assert word.partition("=")[0] in known, f"{file}: {line}"
    assert {"demo", "test"} <= seen


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_readme_names_both_commands(root, name):
    text = (root / name).read_text(encoding="utf-8")
    assert "./kangle demo" in text
    assert "./kangle test" in text


def test_every_suite_has_a_budget(root):
    document = (root / "docs" / "testing.md").read_text(encoding="utf-8")
    suites = {path.relative_to(root / "tests").parts[0] for path in (root / "tests").glob("*/**/test_*.py")}
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", document, re.MULTILINE))
    assert not suites - rows
    assert rows <= suites, "a row of docs/testing.md has no suite"
