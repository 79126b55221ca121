"""Debian's Chromium, the preview server behind a line that can be cut, and pages that report all they should not do."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from edge.bootstrap.node import system_node

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "edge" / "web"
#: Pictures are taken for people who look at them: with KANGLE_SHOTS=folder, or with ``--full``.
SHOTS = Path(os.environ.get("KANGLE_SHOTS") or ROOT / "test-results" / "browser")
#: Debian's Chromium without windows first: a page opens for a third of the processor time (0.8 s instead of 2.7 s).
#: The program itself, not Debian's script around it, so that Playwright ends what it has started.
SHELL = "/usr/lib/chromium/chromium-headless-shell"
CHROMIUM = (SHELL, "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
#: Chromium on its own asks for updates, lists and hints; the tests must find only our own requests.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-pings",
    "--autoplay-policy=document-user-activation-required",
]
AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")
PAGE = (Path(__file__).parent / "page.js").read_text(encoding="utf-8")
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
#: Only violations are asked for, and no style sheets are fetched again: they serve a rule that is not among these.
AXE_RUN = """async () => (await axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
  resultTypes: ['violations'],
  preload: {assets: ['media']},
})).violations.map((v) => [v.id, v.impact, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160))])"""
#: The page as it comes to rest, drawn, as a picture would show it: colours and places under way are at their ends.
SETTLE = """async () => {
  await document.fonts.ready;
  for (let i = 0; i < 2; i += 1) await new Promise((drawn) => requestAnimationFrame(drawn));
  for (const one of document.getAnimations())
    if (one.effect?.getComputedTiming().endTime !== Infinity) one.finish();
}"""
#: Watches a button that is about to be held: "held" once its ring was full, "left" when it let go before, "missed" when
#: it was not pressed at all, "" as long as it is pressed.
WATCH_HOLD = """(button) => {
  let pressed = false, how = "";
  const left = () => { if (button.dataset.held === "true") how ||= "left"; };
  for (const kind of ["pointerleave", "pointercancel", "pointerup", "blur"]) button.addEventListener(kind, left);
  new MutationObserver(() => {
    if (button.dataset.held === "true") pressed = true;
    else if (pressed) how ||= "held";
  }).observe(button, {attributes: true, attributeFilter: ["data-held"]});
  window.holding = () => how || (!pressed ? "missed" : button.isConnected ? "" : "held");
}"""
#: Catches the timers of rings (``HOLD_MS`` of edge/web/src/parts/Hold.tsx) until ``rings.over()``: however slow the
#: machine, none of them comes to its end. ``begun``: how many were begun; ``running``: how many were not let go.
CATCH_RINGS = """() => {
  const wait = window.setTimeout, stop = window.clearTimeout, running = new Set();
  let begun = 0;
  window.setTimeout = (act, ms, ...rest) =>
    ms === 1000 ? (running.add(-1 - begun), (begun += 1), -begun) : wait(act, ms, ...rest);
  window.clearTimeout = (id) => running.delete(id) || stop(id);
  window.rings = {
    told: () => ({begun, running: running.size}),
    over: () => { window.setTimeout = wait; window.clearTimeout = stop; },
  };
}"""
#: Two pictures were drawn: what the page had to do after the last act, it has done.
DRAWN = """async () => {
  for (let i = 0; i < 2; i += 1) await new Promise((drawn) => requestAnimationFrame(drawn));
}"""
#: The preview costs some seconds of a processor to start, of which a busy machine gives it a twentieth.
START_S = 240.0
#: The deadline of every wait: what a slow machine may take, never what is expected.
WAIT_S = 60.0
#: The page's own time where no test is about it: a page that a busy machine starves for less than 50 s is not lost.
SLOW = 0.05
expect.set_options(timeout=WAIT_S * 1000)


def _missing(what: str) -> None:
    """Without its tools the suite fails where it must run, and else is skipped with the remedy."""
    if os.environ.get("CI") or os.environ.get("KANGLE_REQUIRE_BROWSER"):
        pytest.fail(what, pytrace=False)
    pytest.skip(f"BROWSER TESTS NOT RUN: {what}")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), "")
    if not found:
        _missing("Chromium is missing; run: apt-get install -y chromium-headless-shell fonts-noto-cjk")
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium_path: str) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": chromium_path, "args": QUIET}


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
    port = free_port()
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "edge.api.preview", "--port", str(port), "--pages", str(dist)]
        child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        base = f"http://127.0.0.1:{port}"
        try:
            _wait_for(base, child, log)
            yield base
        finally:
            child.send_signal(signal.SIGINT)  # it ends as after Ctrl-C, and takes its folder away
            child.wait(60)


def _wait_for(base: str, child: subprocess.Popen[bytes], log: Any) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and child.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{base}/livez", timeout=10):
            return
        time.sleep(0.05)
    log.seek(0)
    pytest.fail(f"the preview did not start: {log.read().decode()[-2000:]}")


class Line:
    """A TCP line to the server that can be cut (connections end, new ones are refused) or hung (nothing passes)."""

    def __init__(self, to_port: int) -> None:
        self.mode = "pass"
        self._to = to_port
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()  # a connection is either ended by a cut or refused after it
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.base = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        with self._lock:
            self.mode = "cut"
            self._end_all()

    def hang(self) -> None:
        self.mode = "hang"

    def mend(self) -> None:
        if self.mode == "hang":  # a line that hung for long is dead in the end
            self._end_all()
        self.mode = "pass"

    def renew(self) -> None:
        """Ends what goes through it; what comes then passes."""
        self.cut()
        with self._lock:
            for pair in self._pairs:
                for one in pair:
                    one.close()
            self._pairs.clear()
            self.mode = "pass"

    def close(self) -> None:
        self.mode = "closed"
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        self.renew()

    def _end_all(self) -> None:
        for pair in list(self._pairs):
            for one in pair:
                _end(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while self.mode != "closed":
                near, _ = self._listener.accept()
                with self._lock:
                    self._join(near)

    def _join(self, near: socket.socket) -> None:
        if self.mode in {"cut", "closed"}:
            near.close()
            return
        far = socket.create_connection(("127.0.0.1", self._to))
        self._pairs.append((near, far))
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                while self.mode == "hang":
                    time.sleep(0.02)
                sink.sendall(chunk)
        _end(source)
        _end(sink)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


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


class Preview:
    """Steers the preview server."""

    def __init__(self, base: str) -> None:
        self.base = base

    def post(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.base}/api/v1/preview/{path}", data=b"", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def phase(self, lane: str, phase: str, problem: str = "", *, guest: bool = False) -> None:
        self.post(f"{lane}/{phase}?problem={problem}&guest={str(guest).lower()}")

    def scene(self, scene: str) -> None:
        self.post(f"garage/{scene}")

    def link(self, role: str = "admin") -> str:
        return str(self.post(f"links?role={role}")["token"])


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
    """Cookies by role, each fetched once over a one-time link (which test_pages.py follows in a page)."""
    known: dict[str, Any] = {}

    def login(role: str) -> Any:
        if role not in known:
            request = urllib.request.Request(
                f"{server}/api/v1/auth/link",
                data=json.dumps({"token": Preview(server).link(role)}).encode(),
                headers={"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)},
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                cookies = SimpleCookie(answer.headers["Set-Cookie"])
            kept = {"domain": "127.0.0.1", "path": "/", "expires": -1, "httpOnly": True, "secure": False}
            known[role] = [
                {"name": one.key, "value": one.value, "sameSite": "Strict", **kept} for one in cookies.values()
            ]
        return known[role]

    return login


class Opened:
    """A page under watch."""

    def __init__(self, page: Page, base: str, *, own: bool, all_looks: bool) -> None:
        self.page = page
        self.base = base
        self.own = own
        self.all_looks = all_looks
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.tolerate: tuple[str, ...] = ()
        self._heard: list[tuple[Any, Callable[[Any], None]]] = []
        self._scripts: list[Any] = []
        self.on("console", lambda m: self.complaints.append(m.text) if m.type in {"error", "warning"} else None)
        self.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.on("request", lambda r: None if r.url.startswith((base, "data:")) else self.foreign.append(r.url))

    @property
    def context(self) -> BrowserContext:
        """What is changed in a context stays changed: only a page of its own gives it away."""
        assert self.own, "this page is lent to the next test too; open it with own=True"
        return self.page.context

    def on(self, event: Any, listener: Callable[[Any], None]) -> None:
        """Listens while this page is open for this test."""
        self._heard.append((event, listener))
        self.page.on(event, listener)

    def before(self, script: str) -> None:
        """Runs ``script`` before those of every page that is opened from now on in this test."""
        self._scripts.append(self.page.add_init_script(script))

    def deafen(self) -> None:
        for event, listener in self._heard:
            self.page.remove_listener(event, listener)
        for script in self._scripts:
            script.close()

    def goto(self, path: str, ready: str = ".strip-link[data-link=live]") -> Page:
        self.page.goto(self.base + path)
        self.page.wait_for_selector(ready)
        return self.page

    def audit(self, **options: Any) -> list[str]:
        """What people could not read, reach or tell apart. Defaults: a desk page."""
        asked = {"contrast": 4.5, "font": 13, "target": 44, "primary": 44, "gap": 10, "scope": "", **options}
        return list(self.page.evaluate(AUDIT, asked))

    def looks(self) -> Iterator[str]:
        """Switches the open page through both languages and sizes, as a person does, and names each look. Each change
        sees each language in one size and each size in one language; ``--full`` sees all four pairs."""
        for lang, tag in (("zh", "zh-CN"), ("en", "en")):
            self._choose(f".switch button[lang={tag}]")
            for i, size in enumerate(("normal", "elder")):
                if self.all_looks or (lang == "zh") == (size == "normal"):
                    self._choose(f".switch >> nth=1 >> button >> nth={i}")
                    yield f"{lang}-{size}"

    def _choose(self, button: str) -> None:
        if self.page.get_attribute(button, "aria-pressed") == "false":
            self.page.click(button)
            expect(self.page.locator(button)).to_have_attribute("aria-pressed", "true")

    def until(self, expression: str) -> Any:
        """Waits for a JavaScript expression to be true; Playwright's own way evaluates text, which the CSP forbids."""
        return self.eventually(lambda: self.page.evaluate(expression), expression)

    def eventually(self, look: Callable[[], Any], what: str) -> Any:
        """Looks again until what is seen is true."""
        end = time.monotonic() + WAIT_S
        while not (value := look()):
            assert time.monotonic() < end, f"never true: {what}"
            self.page.wait_for_timeout(20)
        return value

    def fits(self, width: int) -> None:
        """Nothing is beside a window of this width, once the page has come to rest in it."""
        self.until(f"innerWidth === {width} && document.documentElement.scrollWidth <= {width}")

    def hold(self, selector: str, key: str = "") -> None:
        """Holds a button as a person does, by mouse or ``key``: until its ring is full, however long a busy page takes
        for that. A button that moved away from under the finger (a plot above it was drawn) lets go and is taken
        again."""
        button = self.page.locator(selector)
        for _ in range(5):
            expect(button).to_be_enabled()
            button.focus() if key else button.hover()
            button.evaluate(WATCH_HOLD)
            self.page.keyboard.down(key) if key else self.page.mouse.down()
            self.page.evaluate(DRAWN)
            how = self.until("holding()")
            self.page.keyboard.up(key) if key else self.page.mouse.up()
            if how == "held":
                return
        pytest.fail(f"{selector} never stayed under the finger")

    def touch(self, selector: str) -> None:
        """Presses a button that wants to be held and lets go before its ring is full. Afterwards nothing is begun that
        could still act."""
        self.page.evaluate(CATCH_RINGS)
        self.page.locator(selector).click()
        self.page.evaluate(DRAWN)
        assert self.page.evaluate("rings.told()") == {"begun": 1, "running": 0}
        self.page.evaluate("rings.over()")

    def falls_silent(self, after_ms: int = 3000) -> None:
        """Of a line that is dead: the page says so once it has heard nothing for ``after_ms`` of its own time, which
        then stands still."""
        lost = "document.querySelector('.strip-link').dataset.link === 'lost'"
        heard = -1
        while heard != (now := self.page.evaluate("heard.pulse")):  # what was on its way may still come
            heard = now
            self.page.evaluate(f"pace(0, {after_ms})")
            self.until(f"{lost} || heard.pulse > {heard}")
        assert self.page.evaluate(lost)

    def time_goes_on(self, skip_ms: int = 0, speed: float = 1) -> None:
        self.page.evaluate(f"pace({speed}, {skip_ms})")

    def rest(self) -> None:
        """Lets the page come to rest: all that moves is at its end."""
        self.page.evaluate(SETTLE)

    def shot(self, name: str) -> None:
        """Lets the page come to rest; a picture of it is taken only where somebody looks (see ``SHOTS``)."""
        if self.all_looks or os.environ.get("KANGLE_SHOTS"):
            SHOTS.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=SHOTS / f"{name}.png", animations="disabled")
        self.rest()

    def axe(self) -> list[Any]:
        """What axe finds that is serious or worse: rule, impact, the first elements."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
        return [one for one in self.page.evaluate(AXE_RUN) if one[1] in {"serious", "critical"}]

    def check(self) -> None:
        unexpected = [text for text in self.complaints if not any(part in text for part in self.tolerate)]
        assert unexpected == []
        assert self.foreign == []


#: A page of the box without scripts, from which what is kept in the browser can be set for its origin.
STILL = "/livez"
#: As a browser that knows nothing but this terminal's language and size.
FORGET = "localStorage.clear(); sessionStorage.clear();"


def _new_page(browser: Browser, script: str = "", **extra: Any) -> Page:
    context = browser.new_context(**extra)
    context.add_init_script(script + PAGE)
    context.set_default_timeout(WAIT_S * 1000)
    return context.new_page()


class Lent:
    """One page for all tests that leave nothing behind but cookies, storage, routes and listeners, which are taken off
    between any two. A context, a page and its process of its own cost more than twice what the opened page itself does.
    """

    def __init__(self, browser: Browser, server: str) -> None:
        self._browser = browser
        self._server = server
        self._page: Page | None = None
        self.out = False

    def take(self) -> Page:
        if self._page is None:
            self._page = _new_page(self._browser)
            self._page.goto(self._server + STILL)
        self.out = True
        return self._page

    def give_back(self, opened: Opened) -> None:
        try:
            opened.deafen()
            self._leave(opened.page)
            opened.page.unroute_all()
            opened.page.mouse.move(-1, -1)
        except Error:
            self._page = None  # nobody opens it again
            opened.page.context.close()
            raise
        finally:
            self.out = False

    def _leave(self, page: Page) -> None:
        """A test may end while its page is on the way elsewhere, which goes before what is asked of it here."""
        for last in (False, False, False, True):
            try:
                page.goto(self._server + STILL)
            except Error:
                if last:
                    raise
                page.wait_for_load_state()
            else:
                return


@pytest.fixture(scope="session")
def lent(browser: Browser, server: str) -> Lent:
    return Lent(browser, server)


@pytest.fixture
def open_page(
    server: str, browser: Browser, lent: Lent, logins: Callable[[str], Any], pytestconfig: pytest.Config
) -> Iterator[Callable[..., Opened]]:
    """Opens watched pages: ``open_page(width, height, lang=, size=, role=, base=, own=, **context)``. With ``own`` (or
    what else only a new context has) the page is in a context of its own, of which the next test sees nothing."""
    opened: list[Opened] = []

    def open_one(
        width: int = 1280,
        height: int = 800,
        *,
        lang: str = "zh",
        size: str = "normal",
        role: str = "admin",
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
        page = _new_page(browser, keep, **extra) if own else lent.take()
        page.context.clear_cookies()
        if role:
            page.context.add_cookies(logins(role))
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
