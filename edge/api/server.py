"""``kangle run api``: the API process of a site.

One process, one loop (uvloop). It starts although the daemons are away and says so; a stop ends live streams first, so
that it takes a second and not the length of the longest request. While no account exists it prints a one-time set-up
token on stderr, a fresh one every half hour. A user would notice a mistake here as a port that is open to the whole
LAN.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import uvicorn
import uvloop
from fastapi import FastAPI

from edge import __version__
from edge.api.account_types import SETUP_VALID_S
from edge.api.accounts import Accounts
from edge.api.accounts_db import AccountsError
from edge.api.app import create_app
from edge.api.context import ApiConfig, Context
from edge.api.demo_control import DemoControl
from edge.api.garage_books import StoreGarageBooks
from edge.api.gateway_ipc import IpcGateway, SiteGateway
from edge.api.gym_books import StoreGymBooks
from edge.api.history_gateway import SocketHistory
from edge.api.http_protocol import BoundedHeadProtocol
from edge.api.store_books import StoreBooks
from edge.log import structlog
from edge.runtime.clock import local_today
from edge.runtime.history_messages import SOCKET_NAME
from edge.runtime.lag import settle_memory
from edge.runtime.service import Notifier, set_up_log
from edge.site import Site, SiteErrors, load_site, render_mistakes

EXIT_OK, EXIT_FAILED, EXIT_CONFIG, EXIT_UNREACHABLE = 0, 1, 3, 4
GRACEFUL_S = 3
#: Connections beyond this get 503 at once; browsers hold up to six each.
MAX_CONNECTIONS = 500
#: Longest request head; ours are below 2 KiB.
MAX_HEAD_BYTES = 16 * 1024
PAGES = Path(__file__).parent.parent / "web" / "dist"

log = structlog.get_logger("edge.api")


class Refused(Exception):  # noqa: N818 - the message is for a person
    """The process cannot serve; the message names the remedy."""


def is_loopback(host: str) -> bool:
    """Whether only this box can reach ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def base_url(site: Site) -> str:
    """Where the pages are, by the site file."""
    host = f"[{site.api.host}]" if ":" in site.api.host else site.api.host
    return f"http://{host}:{site.api.port}"


def check_exposure(site: Site) -> None:
    """Plain HTTP stays on the loopback interface: passwords must not cross a network in clear."""
    if not is_loopback(site.api.host):
        raise Refused(
            f"[api] host = {site.api.host!r}: plain HTTP is served on the loopback interface only. "
            "Use 127.0.0.1 and put a TLS proxy in front."
        )
    if not site.api.trust_loopback_http:
        raise Refused("[api] trust_loopback_http = false: this version serves plain HTTP only. Set it to true.")


def config_of(site: Site) -> ApiConfig:
    """What the app needs of the site."""
    return ApiConfig(
        site=site.name,
        version=__version__,
        verticals=site.verticals,
        canteen=site.canteen,
        gym=site.gym,
        allowed_hosts=site.api.allowed_hosts,
        demo=site.demo.enabled,
        pages=PAGES,
    )


class ApiServer(uvicorn.Server):
    """uvicorn that ends the live streams before it waits for open requests, and that leaves the process to its caller
    after a signal (uvicorn raises the signal once more, which would skip the closing of the accounts)."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT stop; a second SIGINT does not wait for open requests."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close streams, then stop as uvicorn does."""
        app = self.config.app
        assert isinstance(app, FastAPI)
        context: Context = app.state.context
        context.hub.close()
        await super().shutdown(sockets)


def server_config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    """Uvicorn's settings: no proxy headers believed, no banner, our own access log, bounded heads and connections."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedHeadProtocol,
        ws="none",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=GRACEFUL_S,
    )


@contextlib.asynccontextmanager
async def serving(site: Site) -> AsyncIterator[ApiServer]:
    """The server with its parts started, closed at the end. The caller runs ``serve``."""
    site.data_dir.mkdir(parents=True, exist_ok=True)
    accounts = Accounts(site.data_dir / "api.db")
    gateway = SiteGateway({name: IpcGateway(site.run_dir / f"{name}.sock", name) for name in site.verticals})
    books = StoreBooks(site.data_dir / "canteen")
    garage = StoreGarageBooks(site.data_dir / "garage") if "garage" in site.verticals else None
    gym = StoreGymBooks(site.data_dir / "gym") if "gym" in site.verticals else None
    control = DemoControl(site.demo.control) if site.demo.enabled and site.demo.control is not None else None
    await gateway.start()
    setup = asyncio.create_task(_print_setup_tokens(accounts, site), name="api-setup-token")
    try:
        history = SocketHistory(site.run_dir / SOCKET_NAME)
        app = create_app(
            config_of(site), gateway, books, accounts, control, garage=garage, gym=gym, history_gateway=history
        )
        yield ApiServer(server_config(app, site.api.host, site.api.port))
    finally:
        setup.cancel()
        await gateway.close()
        books.close()
        if garage is not None:
            garage.close()
        if gym is not None:
            gym.close()
        accounts.close()


async def _print_setup_tokens(accounts: Accounts, site: Site) -> None:
    while (token := accounts.issue_setup_token()) is not None:
        address = f"{base_url(site)}/setup#token={token}"
        sys.stderr.write(f"还没有账户，请在 30 分钟内打开 · No account yet, open within 30 minutes:\n  {address}\n")
        sys.stderr.flush()
        await asyncio.sleep(SETUP_VALID_S)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises ``Refused`` when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        raise Refused(f"cannot listen on {host}:{port}: {exc.strerror}. Stop what uses it, or set [api] port.") from exc
    return listener


def keep_heap_small() -> None:
    """Give the memory of password hashes back at once. glibc raises its mmap threshold to the largest block ever freed,
    and then keeps 19 MiB per hashing thread for good (measured: 38 MiB after two logins at once, 0.1 MiB with a fixed
    threshold; mallopt(3), M_MMAP_THRESHOLD)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(-3, 1 << 20)


async def _serve(site: Site) -> int:
    listener = listen(site.api.host, site.api.port)
    notifier = Notifier()
    try:
        async with serving(site) as server:
            settle_memory()
            beat = asyncio.create_task(_beat(notifier), name="api-watchdog")
            log.info("serving", address=base_url(site))
            await server.serve([listener])
            beat.cancel()
            notifier.tell("STOPPING=1")
            return EXIT_OK if server.started else EXIT_FAILED
    finally:
        listener.close()


async def _beat(notifier: Notifier) -> None:
    notifier.tell("READY=1")
    while notifier.watchdog_s is not None:
        notifier.tell("WATCHDOG=1")
        await asyncio.sleep(notifier.watchdog_s)


def run_api(site_dir: Path) -> int:
    """Serve the site in ``site_dir`` until SIGTERM or SIGINT. Exit codes: 0 stopped, 1 failed, 3 configuration, 4 the
    port or ``api.db`` cannot be had. Messages are for people, on stderr."""
    set_up_log()
    try:
        site = load_site(site_dir, local_today())
        check_exposure(site)
    except SiteErrors as errors:
        return _say(render_mistakes(errors.mistakes, "en"), EXIT_CONFIG)
    except Refused as exc:
        return _say(f"kangle run api: {exc}", EXIT_CONFIG)
    structlog.contextvars.bind_contextvars(daemon="api", pid=os.getpid())
    try:
        keep_heap_small()
        return uvloop.run(_serve(site))
    except (AccountsError, Refused) as exc:
        return _say(f"kangle run api: {exc}", EXIT_UNREACHABLE)


def _say(text: str, status: int) -> int:
    sys.stderr.write(text.rstrip() + "\n")
    return status
