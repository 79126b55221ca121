"""The checkout's files, as the tests of its shape see them."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
# Installed, built or cached: not ours to judge.
NOT_OURS = frozenset(
    {
        ".git",
        ".venv",
        ".venv.new",
        ".venv.old",
        ".kangle",
        "node_modules",
        "dist",
        "dist.new",
        "dist.old",
        "__pycache__",
        ".hypothesis",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".import_linter_cache",
        "test-results",
        "build",
        "data",
    }
)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def our_files():
    """Every file of the checkout that people wrote, sorted."""
    found, folders = [], [ROOT]
    while folders:
        for path in folders.pop().iterdir():
            if path.name in NOT_OURS or path.is_symlink():
                continue
            if path.is_dir():
                folders.append(path)
            else:
                found.append(path)
    return sorted(found)


@pytest.fixture(scope="session")
def product_modules(our_files):
    """The Python modules of the product and of the simulators."""
    return [
        path
        for path in our_files
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in {"edge", "drivers", "firmware_sim"}
    ]
