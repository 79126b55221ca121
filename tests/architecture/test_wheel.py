"""The wheel, built offline and opened: an installed site has its pages, schema and an example, and needs no Node."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tomllib
import zipfile

import pytest

from edge import __version__
from edge.api.page_store import LANE_PAGE, NOT_FOUND_PAGE, PAGES

OURS = frozenset({"edge", "drivers", "firmware_sim"})


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    assert (root / "edge/web/dist/index.html").is_file(), "the pages are not built: run ./kangle setup"
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("kangle_edge-*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_pages_are_in_it(names):
    for page in {*PAGES.values(), LANE_PAGE, NOT_FOUND_PAGE}:
        assert f"edge/web/dist/{page}" in names
    assert any(name.startswith("edge/web/dist/assets/") and name.endswith(".js") for name in names)


def test_the_data_of_the_packages_is_in_it(names, root):
    schemas = [path.relative_to(root).as_posix() for path in (root / "edge/storage/schema").rglob("*.sql")]
    assert schemas
    for name in schemas:
        assert name in names
    assert "edge/api/openapi.json" in names
    assert "edge/example_site/site.toml" in names
    assert "edge/py.typed" in names


def test_nothing_else_is_in_it(names):
    assert {name.partition("/")[0] for name in names} == {*OURS, f"kangle_edge-{__version__}.dist-info"}
    strange = ("node_modules", "/src/", "test_", "tests/", ".stamp", "__pycache__", "/data/", "package.json", "preview")
    assert [name for name in names if any(word in name for word in strange)] == []


def test_the_version_is_said_once(root):
    assert tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == __version__


def test_no_other_distribution_claims_our_names():
    claims = importlib.metadata.packages_distributions()
    assert {name: claims[name] for name in OURS if set(claims.get(name, ())) - {"kangle-edge"}} == {}


def test_it_runs_from_where_it_is_installed(unpacked):
    code = (
        "import edge.cli, edge.cli_paths as p; print(p.PACKAGE, p.CHECKOUT, p.example_site());"
        "edge.cli.main(['config', 'check', '--site', str(p.example_site())])"
    )
    env = {**os.environ, "PYTHONPATH": str(unpacked)}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=unpacked, env=env, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == [str(unpacked / "edge"), "None", str(unpacked / "edge/example_site")]
    assert ran.returncode == 0, ran.stderr
