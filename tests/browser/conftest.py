"""Debian's Chromium, the preview server behind a line that can be cut, and pages that report all they should not do."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from edge.bootstrap.node import system_node

sys.path.insert(0, str(Path(__file__).parent))

from _page_browser import CHROMIUM, FORGET, STILL, Chromium, new_page
from _page_line import Line
from _page_opened import Opened
from _page_preview import Preview, cookies_of, serving

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WEB = ROOT / "edge" / "web"
#: The page's own time where no test is about it: a page that a busy machine starves for less than 50 s is not lost.
SLOW = 0.05
ENGINE = pytest.StashKey[Chromium]()


def _missing(what: str) -> None:
    """Without its tools the suite fails where it must run, and else is skipped with the remedy."""
    if os.environ.get("CI") or os.environ.get("KANGLE_REQUIRE_BROWSER"):
        pytest.fail(what, pytrace=False)
    pytest.skip(f"BROWSER TESTS NOT RUN: {what}")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """With the last test of this folder the browser goes: those that come after it may want an event loop."""
    engine = item.config.stash.get(ENGINE, None)
    if engine is not None and (nextitem is None or HERE not in nextitem.path.parents):
        engine.stop()


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> Iterator[Chromium]:
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), "")
    if not found:
        _missing("Chromium is missing; run: apt-get install -y chromium-headless-shell fonts-noto-cjk")
    engine = pytestconfig.stash[ENGINE] = Chromium(found)
    yield engine
    engine.stop()


@pytest.fixture
def browser(chromium: Chromium) -> Browser:
    return chromium.browser


@pytest.fixture(scope="session")
def dist() -> Path:
    """The built pages."""
    if not (WEB / "dist" / "index.html").is_file():
        _missing("the pages are not built; run: ./kangle setup")
    return WEB / "dist"


@pytest.fixture(scope="session")
def node() -> str:
    """A Node to run the pages' own tools with: the system's, or that of the wheel beside Python."""
    if not (WEB / "node_modules").is_dir():
        _missing("the pages' packages are not installed; run: ./kangle setup")
    wheel = ROOT / ".kangle" / "node" / "launchers" / "node"
    found = shutil.which("node") if system_node() else (str(wheel) if wheel.exists() else None)
    if found is None:
        _missing("Node is missing; run: ./kangle setup")
    return str(found)


@pytest.fixture(scope="session")
def server(dist: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """``edge.api.preview``: the real API and pages over a scripted canteen. Its base address."""
    with serving(free_port(), dist) as base:
        yield base


@pytest.fixture(scope="session")
def one_line(server: str) -> Iterator[Line]:
    """Of one address, so that what a browser keeps of it need not be fetched for each test."""
    line = Line(int(server.rpartition(":")[2]))
    yield line
    line.close()


@pytest.fixture
def line(one_line: Line) -> Iterator[Line]:
    yield one_line
    one_line.renew()


@pytest.fixture
def preview(server: str) -> Iterator[Preview]:
    """The preview with both lanes still and its daemon alive."""
    steer = Preview(server)
    for lane in ("1", "2"):
        steer.phase(lane, "empty")
    steer.scene("quiet")
    yield steer
    steer.post("daemon/alive")


@pytest.fixture(scope="session")
def logins(server: str) -> Callable[[str], Any]:
    """Cookies by role, each fetched once."""
    known: dict[str, Any] = {}

    def login(role: str) -> Any:
        if role not in known:
            known[role] = cookies_of(server, role)
        return known[role]

    return login


@pytest.fixture
def open_page(
    server: str, chromium: Chromium, logins: Callable[[str], Any], pytestconfig: pytest.Config
) -> Iterator[Callable[..., Opened]]:
    """Opens watched pages: ``open_page(width, height, lang=, size=, role=, cookies=, base=, own=, **context)``. With
    ``own`` (or what else only a new context has) the page is in a context of its own, of which the next test sees
    nothing. ``cookies`` are those of a login at another server than ``server``."""
    opened: list[Opened] = []
    lent = chromium.lent(server)

    def open_one(
        width: int = 1280,
        height: int = 800,
        *,
        lang: str = "zh",
        size: str = "normal",
        role: str = "admin",
        cookies: list[Any] | None = None,
        base: str = "",
        own: bool = False,
        **extra: Any,
    ) -> Opened:
        own = own or bool(extra) or lent.out
        # Only where a test cuts the line does silence mean that it is dead.
        keep = f"sessionStorage.setItem('test.pace', '{1 if base else SLOW}');"
        keep += "".join(
            f"localStorage.setItem('kangle.{name}{place}', '{value}');"
            for name, value in (("lang", lang), ("size", size))
            for place in ("", ".lane.1", ".lane.2")
        )
        page = new_page(chromium.browser, keep, **extra) if own else lent.take()
        page.context.clear_cookies()
        if cookies is not None or role:
            page.context.add_cookies(logins(role) if cookies is None else cookies)
        page.set_viewport_size({"width": width, "height": height})
        if not own:
            if base:
                page.goto(base + STILL)
            page.evaluate(FORGET + keep)
        opened.append(Opened(page, base or server, own=own, all_looks=bool(pytestconfig.getoption("--full"))))
        return opened[-1]

    yield open_one
    for one in opened:
        one.context.close() if one.own else lent.give_back(one)
    for one in opened:
        one.check()
