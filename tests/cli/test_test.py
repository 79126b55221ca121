"""``kangle test``, ``.ci/run`` and what ``tests/conftest.py`` adds to pytest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge import cli_test

PARALLEL = ["-n", "3", "--dist", "loadscope", "--max-worker-restart", "0"]


class Replaced(Exception):  # noqa: N818 - stands for the end of this program
    """What execv would have become."""


@pytest.fixture
def started(monkeypatch, root):
    """Run ``kangle test``; returns (words that pytest was started with, what was begun before)."""

    def run(*arguments):
        ran = []

        def become(path, words):
            raise Replaced(path, words)

        monkeypatch.setattr(cli_test, "begin_checking", lambda _root: ran.append("checks") or "report")
        monkeypatch.setattr(cli_test, "compile_suites", lambda _root: ran.append("compiler"))
        monkeypatch.setattr(cli_test.os, "execv", become)
        monkeypatch.delenv(cli_test.REPORT, raising=False)
        monkeypatch.chdir(root / "edge")
        with pytest.raises(Replaced) as ended:
            cli_test.test.main(list(arguments), standalone_mode=False)
        path, words = ended.value.args
        assert path == sys.executable
        assert words[1:4] == ["-P", "-m", "pytest"]
        assert Path.cwd() == root
        return words[4:], ran

    return run


def test_all_of_it_is_one_pytest_run_that_waits_for_the_checks(started):
    words, ran = started()
    assert words == PARALLEL
    assert ran == ["checks", "compiler"]
    assert os.environ[cli_test.REPORT] == "report"


def test_options_go_to_pytest_and_full_adds_the_campaigns(started):
    words, ran = started("--full", "-x", "--durations=5", "--workers", "0")
    assert words == ["-n", "0", *PARALLEL[2:], "--full", "-x", "--durations=5"]
    assert ran == ["checks", "compiler"]


def test_a_part_of_the_tests_leaves_the_checks_out_and_its_path_is_the_users(started, root):
    words, ran = started("../tests/cli", "cli.py::nothing", "-k", "help")
    assert words[len(PARALLEL) :] == [str(root / "tests/cli"), f"{root / 'edge/cli.py'}::nothing", "-k", "help"]
    assert ran == []
    assert cli_test.REPORT not in os.environ


def test_what_is_compiled_is_kept_for_the_many_programs_that_the_suites_start(started, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    started("-k", "help")
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ


def test_a_fresh_checkout_is_compiled_once_for_all_processes(suite, tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    (tmp_path / "tests/cli/test_module.py").unlink()
    cli_test.compile_suites(tmp_path)
    assert {path.name.partition(".")[0] for path in tmp_path.rglob("*-pytest-*.pyc")} == {"conftest", "test_it"}
    monkeypatch.setattr(cli_test.subprocess, "run", None)
    cli_test.compile_suites(tmp_path)  # nothing to do


def test_the_checks_run_behind_the_suites_and_leave_a_whole_report(root, monkeypatch, tmp_path):
    begun = []
    popen = subprocess.Popen

    def start(command, **options):
        begun.append(popen([*command, "imports", "lint"], **options))
        return begun[0]

    monkeypatch.setattr(cli_test.subprocess, "Popen", start)
    monkeypatch.setattr(cli_test.tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    report = Path(cli_test.begin_checking(root))
    assert os.getpriority(os.PRIO_PROCESS, begun[0].pid) == os.getpriority(os.PRIO_PROCESS, 0) + cli_test.CHECKS_NICE
    assert begun[0].wait(240) == 0
    results = {check["name"]: check["ok"] for check in json.loads(report.read_text())}
    assert results == {"imports": True, "lint": True}
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_ci_runs_kangle_test_and_nothing_else(root, tmp_path):
    (tmp_path / ".ci").mkdir()
    shutil.copy(root / ".ci/run", tmp_path / ".ci/run")
    (tmp_path / "kangle").write_text('#!/bin/sh\necho "CI=$CI $PWD $@"\nexit 7\n')
    (tmp_path / "kangle").chmod(0o755)
    ran = subprocess.run([tmp_path / ".ci/run"], cwd="/", capture_output=True, text=True, check=False)
    assert ran.stdout == f"CI=true {tmp_path} test\n"
    assert ran.returncode == 7


SUITE = """
import warnings
import pytest
def test_right(): pass
def test_skipping(): pytest.skip("no tool")
def test_warning(): warnings.warn("old", DeprecationWarning)
@pytest.mark.full
def test_campaign(): pass
"""
SKIPPED_MODULE = "import pytest\npytest.skip('no tool', allow_module_level=True)\n"


@pytest.fixture
def suite(root, tmp_path):
    """A checkout with our conftest and one suite of two files; runs pytest there and gives its lines."""
    (tmp_path / "docs").mkdir()
    shutil.copy(root / "docs/testing.md", tmp_path / "docs")
    (tmp_path / "tests/cli").mkdir(parents=True)
    shutil.copy(root / "tests/conftest.py", tmp_path / "tests")
    shutil.copy(root / "pyproject.toml", tmp_path)
    (tmp_path / "tests/cli/test_it.py").write_text(SUITE)
    (tmp_path / "tests/cli/test_module.py").write_text(SKIPPED_MODULE)

    def run(*words, **env):
        clean = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST")}
        clean["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # the others (schemathesis, playwright) take long to load
        plugins = ["-p", "xdist", "-p", "pytest_timeout", "-p", "no:cacheprovider"]
        command = [sys.executable, "-P", "-m", "pytest", *plugins, *words]
        ran = subprocess.run(command, cwd=tmp_path, env={**clean, **env}, capture_output=True, text=True, check=False)
        assert ran.returncode == 1, ran.stdout + ran.stderr
        return ran.stdout.splitlines()

    return run


def test_a_run_fails_on_warnings_leaves_campaigns_out_and_tells_the_seconds_of_suites(suite):
    lines = suite("-n", "2", "--dist", "loadscope")
    assert "1 failed, 1 passed, 2 skipped in" in lines[-1], "the summary is the last line; a warning is a failure"
    (told,) = [line for line in lines if line.startswith("cli ")]
    assert "tests" in told
    assert " s of" in told


def test_in_ci_a_skip_is_a_failure_and_full_runs_the_campaigns(suite):
    lines = suite("--full", "--continue-on-collection-errors", CI="true")
    assert "2 failed, 2 passed, 1 error in" in lines[-1]
    assert sum("CI does not accept" in line for line in lines) >= 2
