"""Every device protocol has the same files, one registry line, one simulator, vectors, and its import rules."""

from __future__ import annotations

import tomllib

import pytest

from drivers.registry import PROTOCOLS

FILES = frozenset({"PROTOCOL.md", "__init__.py", "frames.py", "driver.py", "describe.py"})


@pytest.fixture(scope="module")
def folders(root):
    """Protocol folders by name: those that speak a wire (``links`` carries bytes and knows none)."""
    found = {path.parent.name: path.parent for path in (root / "drivers").glob("*/frames.py")}
    assert found
    return found


def test_the_registry_names_every_folder_and_nothing_else(folders):
    assert sorted(PROTOCOLS) == sorted(folders)


def test_every_folder_has_the_same_files(folders):
    for name, folder in folders.items():
        files = {path.name for path in folder.iterdir() if path.name != "__pycache__"}
        assert not FILES - files, name


def test_every_protocol_has_a_simulator_and_vectors(folders, root):
    for name in folders:
        assert (root / "firmware_sim" / name / "__init__.py").is_file(), name
        assert (root / "tests" / "vectors" / f"{name}.jsonl").is_file(), name


def test_every_protocol_is_under_the_import_rules(folders, root):
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    pure = next(each for each in contracts if each["name"].startswith("Codecs and drivers"))["source_modules"]
    apart = next(each for each in contracts if each["name"].startswith("Device protocols"))["modules"]
    modules = {f"drivers.{name}" for name in folders}
    assert modules <= set(pure)
    assert modules == set(apart)
