"""What a person sees first: the help, unknown words, commands that are still to come."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.cli_commands import COMMANDS, LATER, help_text
from edge.cli_run import run
from edge.cli_start import PROCESSES, plainly

# Not one of these is needed to print help; each would cost more than the rest together.
HEAVY = ("click", "msgspec", "numpy", "asyncio", "fastapi", "argon2", "rich")


def test_help_names_every_command_on_stdout(kangle):
    ran = kangle("--help")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == help_text() + "\n"
    for name, (_, _, line, _) in COMMANDS.items():
        assert name in ran.out
        assert line in ran.out


def test_no_command_is_a_usage_error_that_shows_the_help(kangle):
    ran = kangle()
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == help_text() + "\n"


@pytest.mark.parametrize("words", [["--help"], ["decode", "feig"]], ids=" ".join)
def test_quick_commands_load_nothing_heavy(words):
    heavy = HEAVY if words == ["--help"] else HEAVY[:1] + HEAVY[2:]
    code = (
        "import sys, edge.cli\ntry: edge.cli.main(sys.argv[1:])\n"
        f"except SystemExit: print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert ran.stderr == "[]\n"


def test_accounts_and_the_demo_load_nothing_of_the_web():
    """Half a second of each ``kangle user`` and ``kangle demo``."""
    code = "import sys, edge.cli_user, edge.api.accounts, edge.demo; print('starlette' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def loaded(command):
    """How many modules a program loads, with those of the program that it becomes: nearly all that a start costs, and
    the same on every machine."""
    env = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    ran = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    return ran.stderr.count("import time:")


def test_help_costs_little_more_than_starting_python_twice(root):
    # The bootstrap is one start, the command a second; the rest is the price of ours.
    bare = loaded([sys.executable, "-c", "pass"])
    assert 2 * bare < loaded([sys.executable, str(root / "kangle"), "--help"]) < 2 * bare + 40


@pytest.mark.parametrize("name", ["demos", "explode", "Demo"])
def test_an_unknown_command_says_which_exist(kangle, name):
    ran = kangle(name)
    assert (ran.status, ran.out) == (2, "")
    for known in COMMANDS:
        assert known in ran.err


def test_an_unknown_option_is_a_usage_error(kangle):
    ran = kangle("--frobnicate")
    assert (ran.status, ran.out) == (2, "")
    assert "--frobnicate" in ran.err


@pytest.mark.parametrize("name", sorted(LATER))
def test_a_command_to_come_says_so(command, name):
    ran = command(name)
    assert (ran.status, ran.out) == (2, "")
    assert f"{name} is not built yet" in ran.err
    assert LATER[name] in ran.err


def test_no_command_is_both_here_and_to_come():
    assert not set(COMMANDS) & set(LATER)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"replay"}))
def test_every_command_explains_itself(command, name):
    ran = command(name, "--help")
    assert ran.status == 0
    assert "Usage: kangle" in ran.out
    assert "Traceback" not in ran.err


def test_version(command, root):
    import tomllib

    expected = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert command("version") == (0, expected + "\n", "")
    assert command("--version") == (0, expected + "\n", "")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["garage"], ("garage", Path("config"))),
        (["history", "--site", "x"], ("history", Path("x"))),
        (["api", "--site", "--help"], ("api", Path("--help"))),  # as click has it: an option's value is the next word
        (["--site", "x", "garage"], None),
        (["garage", "--site=x"], None),
        (["garage", "--site"], None),
        (["garage", "--help"], None),
        (["kitchen"], None),
        ([], None),
    ],
)
def test_a_process_of_the_site_starts_without_click(words, found):
    assert plainly(words) == found
    assert tuple(run.params[0].type.choices) == PROCESSES
    if found is not None:
        with run.make_context("run", list(words)) as context:
            assert (context.params["name"], context.params["site_dir"]) == found
        code = (
            "import sys, edge.cli\ntry: edge.cli.main(['run', *sys.argv[1:]])\n"
            "except SystemExit as end: print(end.code, 'click' in sys.modules)"
        )
        ran = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, cwd="/", timeout=60
        )
        assert ran.stdout == "4 False\n", "there is no such site"
