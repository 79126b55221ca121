"""What is built: small first loads, nothing inline, nothing from elsewhere, packed twins, words and types that fit."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "edge" / "web"
BUDGET_BYTES = 60 * 1024
#: What a tool of the pages may take on a slow machine.
TOOL_S = 120
PAGES = ["index", "login", "setup", "lane", "menu", "demo", "cashier", "docs", "404"]
COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)
KEY = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("name", [name for name in PAGES if name != "docs"])
def test_the_first_load_is_small(dist, name):
    """HTML, scripts and styles of a page, packed. The API pages carry Swagger UI and have no budget."""
    html = (dist / f"{name}.html").read_text(encoding="utf-8")
    files = {f"{name}.html", *re.findall(r'(?:src|href)="/(assets/[^"]+\.(?:js|css))"', html)}
    assert len(files) >= 3
    total = sum(len(gzip.compress((dist / file).read_bytes(), 9)) for file in files)
    assert total <= BUDGET_BYTES


@pytest.mark.parametrize("name", PAGES)
def test_html_is_bare(dist, name):
    """The CSP forbids inline scripts and styles; no page names another host."""
    html = (dist / f"{name}.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|importmap", html) == []
    assert re.findall(r"(?:https?:)?//[\w.-]+", html) == []


def test_text_files_have_packed_twins(dist):
    texts = [path for path in dist.rglob("*") if path.suffix in {".html", ".js", ".css", ".svg"}]
    large = [path for path in texts if path.stat().st_size >= 1024]
    assert len(large) > 10
    for path in large:
        assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == path.read_bytes(), path.name


def test_no_source_maps_and_no_registry_hosts(dist):
    assert list(dist.rglob("*.map")) == []
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved": "http' not in lock
    assert "integrity" in lock


@pytest.fixture(scope="module")
def words():
    i18n = WEB / "src" / "i18n"
    files = {lang: [i18n / f"{lang}.json", i18n / f"gym.{lang}.json"] for lang in ("zh", "en")}
    known = {lang: [json.loads(path.read_text(encoding="utf-8")) for path in paths] for lang, paths in files.items()}
    assert not known["zh"][0].keys() & known["zh"][1].keys(), "a key has one place"
    return {lang: {**general, **gym} for lang, (general, gym) in known.items()}


def test_both_languages_say_the_same(words):
    zh, en = words["zh"], words["en"]
    assert list(zh) == list(en)
    assert [key for key in zh if not zh[key] or not en[key]] == []
    assert {
        key: KEY.findall(zh[key]) for key in zh if sorted(KEY.findall(zh[key])) != sorted(KEY.findall(en[key]))
    } == {}


def test_chinese_is_chinese_and_english_is_english(words):
    han = re.compile(r"[\u4e00-\u9fff]")
    assert [key for key, text in words["en"].items() if han.search(text)] == []
    same = [key for key, text in words["zh"].items() if text == words["en"][key]]
    assert sorted(same) == ["menu.per", "nutrition.none"]


def test_every_word_is_used(words):
    """A key stands in the sources as it is, or begins with a prefix that the sources complete from a code."""
    paths = [*(WEB / "src").rglob("*.ts"), *(WEB / "src").rglob("*.tsx")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in paths if path.name != "api.d.ts")
    literal = set(re.findall(r'"([a-z_]+(?:\.[\w-]+)+)"', source))
    prefixes = tuple(re.findall(r"`([a-z_]+(?:\.[a-z_]+)*\.)\$\{", source))
    prefixes += tuple(f"{prefix}." for prefix in re.findall(r'word\("([a-z_.]+)"', source))
    unused = [key for key in words["zh"] if key not in literal and not key.startswith(prefixes)]
    assert unused == []


def test_types_are_those_of_the_api(node, tmp_path):
    """``src/api.d.ts`` is generated from ``edge/api/openapi.json``; after a change run: npm run types (in edge/web)."""
    out = tmp_path / "api.d.ts"
    tool = WEB / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    subprocess.run(
        [node, tool, WEB.parent / "api" / "openapi.json", "--output", out],
        check=True,
        capture_output=True,
        timeout=TOOL_S,
    )
    fresh, kept = (COMMENT.sub("", path.read_text(encoding="utf-8")) for path in (out, WEB / "src" / "api.d.ts"))
    assert fresh == kept


def test_units(node, tmp_path):
    """The pages' own unit tests (edge/web/test), bundled by Vite and run by Node."""
    vite = WEB / "node_modules" / "vite" / "bin" / "vite.js"
    build = [node, vite, "build", "--config", "vite.test.config.ts", "--outDir", tmp_path, "--logLevel", "warn"]
    subprocess.run(build, cwd=WEB, check=True, capture_output=True, timeout=TOOL_S)
    run = subprocess.run(
        [node, "--test", tmp_path], cwd=WEB, check=False, capture_output=True, text=True, timeout=TOOL_S
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert int(re.search(r"# tests (\d+)", run.stdout)[1]) >= 20


def test_sources_stay_small():
    """As for Python: files of at most 300 lines, lines of at most 120 columns (eslint says the same of code lines)."""
    sources = [path for path in (WEB / "src").rglob("*") if path.suffix in {".ts", ".tsx"} and path.name != "api.d.ts"]
    sizes = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    assert {name: lines for name, lines in sizes.items() if lines > 320} == {}
