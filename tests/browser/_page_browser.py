"""Chromium for all tests of this folder, and the one page that is lent from test to test."""

from __future__ import annotations

from typing import Any

from _page_opened import WAIT_S, Opened
from _page_scripts import PAGE
from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright

#: Debian's Chromium without windows first: a page opens for a third of the processor time (0.8 s instead of 2.7 s).
#: The program itself, not Debian's script around it, so that Playwright ends what it has started.
SHELL = "/usr/lib/chromium/chromium-headless-shell"
CHROMIUM = (SHELL, "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
#: Features of Chromium that are switched off, ours before those of Playwright, which this list would else undo: the
#: last such switch counts alone. Without ``RenderDocument`` a page that is left lends its frame to the next one, which
#: opens for a tenth less of processor time (measured: 392 ms to 347 ms); nothing of a page itself is kept.
FEATURES_OFF = (
    *("MediaRouter", "OptimizationHints", "Translate", "AutofillServerCommunication", "RenderDocument"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "LensOverlay"),
    *("HttpsFirstBalancedModeAutoEnable", "PaintHolding", "ThirdPartyStoragePartitioning"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
)
#: Chromium on its own asks for updates, lists and hints; the tests must find only our own requests.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    f"--disable-features={','.join(FEATURES_OFF)}",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-pings",
    "--autoplay-policy=document-user-activation-required",
]
#: A page of the box without scripts, from which what is kept in the browser can be set for its origin.
STILL = "/livez"
#: As a browser that knows nothing but this terminal's language and size.
FORGET = "localStorage.clear(); sessionStorage.clear();"


def new_page(browser: Browser, script: str = "", **extra: Any) -> Page:
    context = browser.new_context(**extra)
    context.add_init_script(script + PAGE)
    context.set_default_timeout(WAIT_S * 1000)
    return context.new_page()


class Chromium:
    """Playwright and its browser, started for whoever asks first. ``stop`` ends both, and with them the event loop that
    Playwright keeps in this process, in which no test of another folder could run one of its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._lent: Lent | None = None

    @property
    def browser(self) -> Browser:
        if self._browser is None:
            self._playwright = sync_playwright().start()
            self._browser = self._playwright.chromium.launch(executable_path=self._path, args=QUIET)
        return self._browser

    def lent(self, server: str) -> Lent:
        """The page that tests hand on to each other, of one server."""
        if self._lent is None:
            self._lent = Lent(self.browser, server)
        return self._lent

    def stop(self) -> None:
        browser, playwright = self._browser, self._playwright
        self._browser = self._playwright = self._lent = None
        try:
            if browser is not None:
                browser.close()
        finally:
            if playwright is not None:
                playwright.stop()


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
            self._page = new_page(self._browser)
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
