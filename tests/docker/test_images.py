"""The images' build steps, carried out in order in folders that begin empty; and what the images may do."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SPEC = importlib.util.spec_from_file_location("kangle_dockerfile", HERE / "_dockerfile.py")
dockerfile = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = dockerfile
SPEC.loader.exec_module(dockerfile)

IMAGES = ("edge", "simulator")
SECRET_OR_HUGE = (
    "docker/secrets/mqtt_edge", "docker/.env", "docker/data/kangle/canteen/facts.db", "docker/site/site.toml",
    ".git/config", "config/data/canteen/facts.db", ".venv/bin/python", "tests/conftest.py",
)  # fmt: skip


def image(root, name):
    path = root / "docker" / f"{name}.Dockerfile"
    return dockerfile.stages_of(path), dockerfile.Context(root, path.with_name(path.name + ".dockerignore"))


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def an_environment(place):
    """What the locked packages would have made: this Python with the packages of the tests, under the image's name."""

    def make(home):
        folder = home / place
        script(folder / "bin" / "python", f'exec {sys.executable} "$@"')
        script(folder / "bin" / "pip", f'exec {sys.executable} -m zipfile -e "$5" {folder}/site')
        script(folder / "bin" / "hatchling", f'exec {sys.executable} -m hatchling "$@"')

    return make


def built_pages(root):
    def copy(home):
        dist = root / "edge" / "web" / "dist"
        assert (dist / "index.html").is_file(), "the pages are not built: run ./kangle setup"
        target = home / "src" / "edge" / "web" / "dist"
        dockerfile.shutil.copytree(dist, target)

    return copy


def test_the_edge_image_is_built_in_order_and_runs(root, tmp_path):
    (pages, wheel, edge), context = image(root, "edge")
    instead = {
        "npm ci": lambda home: None,
        "npm run build": built_pages(root),
        "python -m venv /build": an_environment("build"),
        "python -m venv /opt/kangle": an_environment("opt/kangle"),
        "useradd": lambda home: None,
    }
    build = dockerfile.Build(context, tmp_path, instead)
    web = build.run(pages) / "src" / "edge" / "web"
    for name in ("package.json", "package-lock.json", "vite.config.ts", "index.html", "src/types.ts"):
        assert (web / name).is_file(), name
    assert not (web / "node_modules").exists()
    source = build.run(wheel)
    assert len(list((source / "wheel").glob("kangle_edge-*.whl"))) == 1
    home = build.run(edge)
    site = home / "opt" / "kangle" / "site"
    assert (site / "edge" / "web" / "dist" / "index.html").is_file()
    assert (site / "edge" / "example_site" / "site.toml").is_file()
    assert not (site / "edge" / "api" / "preview.py").exists(), "what lets anybody in stays out"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", "import edge.cli as c, sys; print(c.__file__); c.main(sys.argv[1:])", "version"],
        env={**os.environ, "PYTHONPATH": str(site)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[0].startswith(str(site)), "what ran is what was installed"
    carried_out = [step for step in build.done if not step.startswith("instead")]
    assert len(carried_out) >= 13
    assert sum(step.startswith("RUN") for step in carried_out) == 2


def test_the_simulator_image_is_built_in_order_and_runs(root, tmp_path):
    (packages, simulator), context = image(root, "simulator")
    instead = {"python -m venv /opt/simulator": an_environment("opt/simulator"), "useradd": lambda home: None}
    build = dockerfile.Build(context, tmp_path, instead)
    build.run(packages)
    home = build.run(simulator) / "opt" / "simulator"
    assert not list(home.rglob("edge")), "simulators and product share no code"
    env = {**os.environ, "PATH": f"{home}/bin:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        ["sh", str(home / "run.sh"), "zigbee2mqtt", "--help"],
        cwd=home / "app", env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "--config" in ran.stdout


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_runs_without_rights_and_holds_no_secret(root, name):
    stages, context = image(root, name)
    last = stages[-1]
    assert last.words("USER") == ["10001:10001"]
    kinds = [kind for kind, _ in last.steps]
    assert kinds.index("USER") > max(place for place, kind in enumerate(kinds) if kind in {"RUN", "COPY"})
    assert len(last.words("HEALTHCHECK")) == 1
    assert dockerfile.exec_form(last.words("ENTRYPOINT")[0])
    assert dockerfile.exec_form(last.words("CMD")[0])
    dockerfile.exec_form(last.words("HEALTHCHECK")[0].partition("CMD ")[2])
    for kept_out in SECRET_OR_HUGE:
        assert not context.has(kept_out), kept_out
    assert context.has("firmware_sim/program.py")
    for stage in stages:
        assert not any(word in text.lower() for _, text in stage.steps for word in ("password", "token", "secret"))
        assert ":" in stage.base or stage.base in {each.name for each in stages}, f"{stage.base} without a version"
        assert not stage.base.endswith(":latest")
        for text in stage.words("RUN"):
            assert "pip install" not in text or "--require-hashes" in text or "--no-index" in text, text
            assert "apt-get" not in text, "the base images have what is needed"


@pytest.mark.parametrize("name", ["build", "simulator"])
def test_the_locks_of_the_images_have_hashes(root, name):
    lines = (root / "docker" / f"requirements-{name}.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert pins
    assert all("==" in line and line.endswith("\\") for line in pins)
    assert not any("://" in line for line in lines)
    main = (root / "requirements.lock").read_text(encoding="utf-8")
    for line in pins if name == "simulator" else ():
        assert line.partition(" ;")[0].rstrip(" \\") in main, f"{line}: the box has another version"


def test_a_step_that_copies_what_is_not_there_fails(root, tmp_path):
    _, context = image(root, "edge")
    stage = dockerfile.Stage("x:1", "x", [("WORKDIR", "/src"), ("COPY", "nothing.txt ./")])
    with pytest.raises(AssertionError, match="no such file"):
        dockerfile.Build(context, tmp_path, {}).run(stage)
    ignored = dockerfile.Stage("x:1", "y", [("WORKDIR", "/src"), ("COPY", "tests tests")])
    with pytest.raises(AssertionError, match="leaves nothing"):
        dockerfile.Build(context, tmp_path, {}).run(ignored)
    early = dockerfile.Stage("x:1", "z", [("COPY", "--from=pages /src/dist dist")])
    with pytest.raises(AssertionError, match="did not make it"):
        dockerfile.Build(context, tmp_path, {}).run(early)
