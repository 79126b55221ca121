"""The script ``kangle``: old Pythons, what is in place, what is said before anything is."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from edge.bootstrap.state import in_place
from edge.cli_commands import COMMANDS, help_text


@pytest.mark.parametrize(
    "path",
    ["kangle", "edge/cli_commands.py", "edge/bootstrap/state.py", "edge/bootstrap/__init__.py", "edge/__init__.py"],
)
def test_what_an_old_python_reads_parses_there(root, path):
    ast.parse((root / path).read_bytes(), feature_version=(3, 6))


def test_an_old_python_gets_one_exact_line(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        bootstrap.insist_on_python()
    assert "\n" not in ended.value.code
    assert "needs Python 3.11 or newer, this is 3.9" in ended.value.code
    assert "apt-get install -y python3 python3-venv" in ended.value.code


def test_an_old_python_hands_over_to_a_newer_one_that_really_starts(bootstrap, monkeypatch, program):
    broken, good = program("python3.13", "exit 127"), program("python3.12", "exit 0")
    monkeypatch.setattr(sys, "version_info", (3, 8, 0))
    monkeypatch.setattr(sys, "argv", ["kangle", "decode", "feig"])
    monkeypatch.setenv("PATH", f"{broken}:{good}")
    became = []
    monkeypatch.setattr(bootstrap.os, "execv", lambda path, words: became.append((path, words)) or sys.exit(0))
    with pytest.raises(SystemExit):
        bootstrap.insist_on_python()
    python = str(good / "python3.12")
    assert became == [(python, [python, str(bootstrap.__file__), "decode", "feig"])]


def test_without_a_stamp_nothing_is_in_place(checkout):
    assert not in_place(str(checkout), dev=False)


@pytest.mark.parametrize(
    ("installed", "runtime", "dev"),
    [("requirements.lock", True, False), ("requirements-dev.lock", True, True), ("other", False, False)],
)
def test_the_stamp_is_the_lock_itself(checkout, installed, runtime, dev):
    (checkout / ".venv" / "installed.lock").write_text(f"{installed}\n")
    assert in_place(str(checkout), dev=False) is runtime
    assert in_place(str(checkout), dev=True) is dev


def test_a_changed_lock_is_noticed(checkout):
    (checkout / ".venv" / "installed.lock").write_text("requirements.lock\n")
    (checkout / "requirements.lock").write_text("requirements.lock\nmore\n")
    assert not in_place(str(checkout), dev=False)


def test_a_python_that_was_removed_or_upgraded_is_noticed(checkout):
    (checkout / ".venv" / "installed.lock").write_text("requirements.lock\n")
    python = checkout / "system" / "python3.11"
    newer = python.rename(python.with_name("python3.13"))
    assert not in_place(str(checkout), dev=False), "a dangling link"
    (checkout / ".venv" / "bin" / "python").unlink()
    (checkout / ".venv" / "bin" / "python").symlink_to(newer)
    assert not in_place(str(checkout), dev=False), "packages of another version"


@pytest.fixture
def bare(root, tmp_path):
    """A checkout without an environment (its Python files only)."""
    import shutil

    for name in ("kangle", "edge/__init__.py", "edge/cli_commands.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    shutil.copytree(root / "edge/bootstrap", tmp_path / "edge/bootstrap", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run_bare(bare, *words):
    ran = subprocess.run(
        [sys.executable, "-B", str(bare / "kangle"), *words], capture_output=True, text=True, timeout=120, check=False
    )
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["demo", "--help"]], ids=" ".join)
def test_help_is_answered_without_setting_anything_up(bare, words):
    before = sorted(bare.rglob("*"))
    assert run_bare(bare, *words) == (0, help_text() + "\n", "")
    assert sorted(bare.rglob("*")) == before


def test_wrong_words_are_answered_without_setting_anything_up(bare):
    status, out, err = run_bare(bare, "dcode")
    assert (status, out) == (2, "")
    assert all(name in err for name in COMMANDS)
    assert run_bare(bare, "explain")[0] == 2
    assert "not built yet" in run_bare(bare, "explain")[2]
    assert run_bare(bare, "--what")[0] == 2
    assert run_bare(bare)[0] == 2
    assert not (bare / ".venv").exists()


def test_the_command_runs_in_the_users_folder_with_its_words(bootstrap, monkeypatch):
    became = []
    monkeypatch.setattr(bootstrap.os, "execv", lambda path, words: became.append(words))
    bootstrap.run(["decode", "feig", "--from", "host"])
    assert became[0][1:] == ["-P", "-m", "edge.cli", "decode", "feig", "--from", "host"]


def test_a_set_up_that_fails_gives_its_status_and_runs_nothing(bootstrap, monkeypatch):
    import edge.bootstrap.setup

    monkeypatch.setattr(bootstrap, "in_place", lambda *_, **__: False)
    monkeypatch.setattr(edge.bootstrap.setup, "prepare", lambda *_: 4)
    monkeypatch.setattr(bootstrap, "run", lambda _: pytest.fail("must not run"))
    assert bootstrap.main(["decode", "feig"]) == 4


@pytest.mark.parametrize(("words", "needs"), [(["bench", "chekout"], {"runtime"}), (["bench", "checkout"], {"dev"})])
def test_a_slip_of_the_pen_installs_nothing_that_benches_need(bootstrap, monkeypatch, words, needs):
    import edge.bootstrap.setup

    asked = []
    monkeypatch.setattr(bootstrap, "in_place", lambda *_, **__: False)
    monkeypatch.setattr(edge.bootstrap.setup, "prepare", lambda _root, needs, _words: asked.append(set(needs)) or 4)
    assert bootstrap.main(words) == 4
    assert needs <= asked[0]
    assert ("dev" in asked[0]) is ("dev" in needs)
