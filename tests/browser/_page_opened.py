"""One page under watch: what it complains of, what it asks of whom, and the ways in which a test looks at it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from _page_scripts import AUDIT, AXE, AXE_RUN, CATCH_RINGS, DRAWN, LOOK, SETTLE, WATCH_HOLD
from playwright.sync_api import BrowserContext, Error, Page, expect

ROOT = Path(__file__).resolve().parents[2]
#: Pictures are taken for people who look at them: with KANGLE_SHOTS=folder, or with ``--full``.
SHOTS = Path(os.environ.get("KANGLE_SHOTS") or ROOT / "test-results" / "browser")
#: The deadline of every wait: what a slow machine may take, never what is expected.
WAIT_S = 60.0
expect.set_options(timeout=WAIT_S * 1000)


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
        """Waits for a JavaScript expression to be true; Playwright's own way evaluates text, which the CSP forbids. The
        page itself looks again, for a while: asking it fifty times a second costs more than what it is asked."""
        return self.eventually(lambda: self._look(expression), expression)

    def _look(self, expression: str) -> Any:
        try:
            return self.page.evaluate(LOOK.replace("EXPRESSION", expression))
        except Error as error:
            if "context was destroyed" not in str(error):  # another page came: it is asked next
                raise
        return None

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
