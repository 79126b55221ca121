"""The locks: every package pinned with its hashes, no address of an index, the development lock a superset."""

from __future__ import annotations

import re
import tomllib

import pytest

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>\S+)(?P<marker> ; .+?)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def read(root, name):
    """(pins by package, lines that are none of pin, hash, comment)."""
    pins, hashes, strange, last = {}, {}, [], ""
    for line in (root / name).read_text(encoding="utf-8").splitlines():
        if match := PIN.match(line):
            last = match["name"]
            pins[last] = match["version"]
        elif HASH.match(line):
            hashes[last] = hashes.get(last, 0) + 1
        elif not line.lstrip().startswith("#"):
            strange.append(line)
    return pins, hashes, strange


def canonical(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", requirement)[0]).lower()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_with_hashes_and_no_index_is_named(root, name):
    pins, hashes, strange = read(root, name)
    assert pins
    assert strange == []
    assert sorted(hashes) == sorted(pins)
    assert "://" not in (root / name).read_text(encoding="utf-8")


def test_the_development_lock_holds_the_runtime_lock(root):
    runtime, development = read(root, LOCKS[0])[0], read(root, LOCKS[1])[0]
    assert {name: development.get(name) for name in runtime} == runtime


def test_the_locks_answer_pyproject(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {canonical(each) for each in project["project"]["dependencies"]}
    groups = project["dependency-groups"]
    assert asked <= set(read(root, LOCKS[0])[0])
    assert {canonical(each) for each in groups["dev"]} <= set(read(root, LOCKS[1])[0])
    assert {canonical(each) for each in groups["node"]} == set(read(root, LOCKS[2])[0])


def test_the_npm_lock_has_integrity_and_no_address(root):
    import json

    lock = json.loads((root / "edge" / "web" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name and not entry.get("link")}
    assert packages
    assert [name for name, entry in packages.items() if "integrity" not in entry and not entry.get("inBundle")] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
