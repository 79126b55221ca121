"""The files of ``docker/`` as data."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def compose():
    return yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def checkout(tmp_path):
    """A copy of what the scripts of ``docker/`` work on."""
    ignore = shutil.ignore_patterns("data", "run", "secrets", "site", ".env")
    shutil.copytree(DOCKER, tmp_path / "docker", ignore=ignore)
    shutil.copytree(ROOT / "config", tmp_path / "config", ignore=ignore)
    return tmp_path


@pytest.fixture
def script(checkout):
    def run(name):
        command = ["sh", str(checkout / "docker" / name)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    return run
