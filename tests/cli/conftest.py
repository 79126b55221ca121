"""Running ``kangle`` as a person does, and in this process where only words and exit status matter."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 120


class Ran(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def kangle():
    """Run ``./kangle WORDS`` as a process of its own."""

    def run(*words, stdin="", cwd=ROOT, **env):
        ran = subprocess.run(
            [sys.executable, str(ROOT / "kangle"), *words],
            input=stdin,
            cwd=cwd,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    return run


class Read:
    """``load_site`` of the commands: what a command before has read of the same files is not read again, which is most
    of what a command takes. The newest few are kept."""

    def __init__(self):
        self._sites = {}

    def __call__(self, path, today):
        from edge.site import load_site

        files = sorted(file for file in path.rglob("*") if file.is_file() and "data" not in file.parts)
        key = (path, today, *((file, file.stat().st_mtime_ns, file.stat().st_size) for file in files))
        if key not in self._sites:
            self._sites = dict([*self._sites.items()][-3:])
            self._sites[key] = load_site(path, today)
        return self._sites[key]


@pytest.fixture(scope="session")
def read():
    return Read()


@pytest.fixture
def command(capfd, monkeypatch, read):
    """Run ``edge.cli`` in this process."""
    from edge import cli, cli_site

    monkeypatch.setattr(cli_site, "load_site", read)

    def run(*words, stdin=None):
        if stdin is not None:
            import io

            monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            cli.main(list(words))
        captured = capfd.readouterr()
        return Ran(ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def bootstrap():
    """The script ``kangle`` as a module."""
    loader = SourceFileLoader("kangle_script", str(ROOT / "kangle"))
    spec = importlib.util.spec_from_loader("kangle_script", loader)
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like a checkout with an environment: locks, stamp, a Python."""
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-node.lock"):
        (tmp_path / name).write_text(f"{name}\n")
    python = tmp_path / "system" / "python3.11"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(python)
    (tmp_path / ".venv" / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def steps(checkout):
    (checkout / ".kangle").mkdir()
    from edge.bootstrap.steps import Steps

    return Steps(checkout)


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    """A copy of the example site for commands that change nothing."""
    folder = tmp_path_factory.mktemp("example") / "site"
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("data"))
    return folder


@pytest.fixture
def site(tmp_path, example):
    """A copy of the example site."""
    folder = tmp_path / "site"
    shutil.copytree(example, folder)
    return folder


@pytest.fixture
def program(tmp_path):
    """Make a shell script of this name in a folder of its own; returns the folder."""

    def make(name, body):
        folder = tmp_path / f"bin-{name}"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return folder

    return make
