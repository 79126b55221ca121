"""The API on an in-memory world, asked over ASGI without sockets. Hashing is made cheap; nothing else differs."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import httpx
import pytest
import structlog
from argon2 import PasswordHasher
from fastapi.routing import iter_route_contexts

from edge.api import preview_world as world
from edge.api.accounts import Accounts
from edge.api.app import assemble, context_of
from edge.api.context import ApiConfig
from edge.api.passwords import Verifier
from edge.api.preview_fakes import MemoryBooks, MemoryDemo, MemoryGateway
from edge.api.preview_garage import GarageScript, MemoryGarageBooks
from edge.api.preview_gym import GymScript
from edge.api.preview_gym_world import CONFIG as GYM
from edge.api.preview_history import MemoryHistory
from edge.api.preview_rows import MemoryGymBooks
from edge.domain.actors import Role
from edge.domain.canteen.messages import Phase

S = 1_000_000_000
MEMORY = "/dev/shm"
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
APP = assemble("0.1.0", ("kangle.local",))


class Clock:
    """Wall time that a test moves."""

    def __init__(self) -> None:
        self.ns = 1_795_000_000 * S

    def __call__(self) -> int:
        return self.ns

    def advance(self, seconds: float) -> None:
        self.ns += int(seconds * S)


class Stream:
    """One live stream, driven over bare ASGI (httpx would wait for its end)."""

    def __init__(self, api: Api, query: str, headers: dict[str, str]) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []
        self.ended = False
        self.stalled = asyncio.Event()
        self.stalled.set()
        self._more = asyncio.Event()
        self._gone = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(
            api.app(self._scope(query, headers), self._receive, self._send)
        )

    def _scope(self, query, headers):
        raw = [(k.lower().encode(), v.encode()) for k, v in {"host": "127.0.0.1", **headers}.items()]
        path = "/api/v1/live"
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": raw,
            "client": ("127.0.0.1", 5000),
            "server": ("127.0.0.1", 80),
            "state": {},
        }

    async def _receive(self):
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            await self.stalled.wait()
            self.chunks.append(message.get("body", b""))
            self.ended = not message.get("more_body", False)
        self._more.set()

    def events(self):
        """Everything that came so far, as (event, id, data)."""
        found = []
        for block in b"".join(self.chunks).decode().split("\n\n"):
            lines = dict(line.partition(": ")[::2] for line in block.splitlines() if ": " in line)
            if "event" in lines:
                found.append((lines["event"], lines.get("id"), json.loads(lines["data"])))
        return found

    def views(self):
        return [data["key"] for event, _, data in self.events() if event == "view"]

    async def until(self, condition, timeout_s=60):
        async with asyncio.timeout(timeout_s):
            while not condition(self):
                self._more.clear()
                await self._more.wait()

    async def leave(self):
        """The client goes away."""
        self._gone.set()
        async with asyncio.timeout(60):
            await self._task

    async def join(self, timeout_s=60):
        async with asyncio.timeout(timeout_s):
            await self._task


class Api:
    """The app with everything behind it, and people who are logged in."""

    def __init__(self, folder: Path, **changes) -> None:
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.folder = folder
        self.verifier = Verifier(FAST)
        self.accounts = Accounts(folder / "api.db", verifier=self.verifier, now_ns=self.clock)
        self.gateway = MemoryGateway()
        self.gateway.show("menu", world.MENU)
        self.gateway.show("day", world.DAY_VIEW)
        self.gateway.show("device/reader1", {"device": "reader1", "state": "ready"})
        for lane in ("1", "2"):
            self.gateway.show(f"lane/{lane}", world.lane_view(lane, Phase.FIRM))
        self.garage = GarageScript(self.gateway)
        self.gateway.answer_garage = self.garage.answer
        self.gym = GymScript(self.gateway)
        self.gateway.answer_gym = self.gym.answer
        self.gym_books = MemoryGymBooks(self.gym)
        self.books = MemoryBooks()
        self.demo = MemoryDemo()
        config = {
            "site": world.SITE,
            "version": "0.1.0",
            "verticals": ("canteen", "garage", "gym"),
            "canteen": world.CONFIG,
            "gym": GYM,
            "allowed_hosts": ("kangle.local",),
            "demo": True,
            "pages": folder / "dist",
            "command_timeout_s": 0.2,
        }
        demo = changes.pop("demo_control", self.demo)
        history = changes.pop("history", MemoryHistory())
        self.app = APP  # its routes are the same for all, and take a third of a second to build
        garage = MemoryGarageBooks(self.garage)
        gym_books = changes.pop("gym_books", self.gym_books)
        self.context = context_of(
            ApiConfig(**{**config, **changes}),
            self.gateway,
            self.books,
            self.accounts,
            demo,
            garage,
            gym_books,
            history_gateway=history,
        )
        self.app.state.context = self.context
        self._lifespan = self.app.router.lifespan_context(self.app)
        self.runner.run(self._lifespan.__aenter__())

    def close(self) -> None:
        self.run(self._lifespan.__aexit__(None, None, None))
        self.runner.close()
        self.accounts.close()

    def run(self, coroutine):
        self.app.state.context = self.context  # another test's API may have run since
        # ``Runner.run`` would set and reset SIGINT for each request, which costs as much as a small request itself.
        return self.runner.get_loop().run_until_complete(coroutine)

    async def ask(self, method, target, headers, parts, *, scheme="http", client=("127.0.0.1", 5000)):
        """One request over bare ASGI (httpx's own transport costs ten times as much), byte for byte: ``target`` is the
        escaped path with its query, ``parts`` gives the body. Status, headers, body."""
        asked = False
        status, answered, content = 0, [], b""

        async def receive():
            nonlocal asked
            part = await anext(parts, None) if parts is not None else None
            if part is None:
                if asked:
                    await asyncio.Event().wait()  # the caller stays until the answer is whole
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            return {"type": "http.request", "body": part, "more_body": True}

        async def send(message):
            nonlocal status, answered, content
            if message["type"] == "http.response.start":
                status, answered = message["status"], message["headers"]
            else:
                content += message.get("body", b"")

        raw_path, _, query = target.partition(b"?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": scheme,
            "path": unquote(raw_path.decode("ascii")),
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in headers],
            "client": client,
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        await self.app(scope, receive, send)
        return status, answered, content

    async def asend(self, method, path, *, scheme="http", client=("127.0.0.1", 5000), headers=None, **content):
        """One request as httpx would make it."""
        request = httpx.Request(method, httpx.URL(f"{scheme}://127.0.0.1").join(path), headers=headers, **content)
        parts = request.stream.__aiter__() if hasattr(request.stream, "__aiter__") else None
        target = request.url.raw_path
        status, answered, body = await self.ask(
            method, target, request.headers.raw, parts, scheme=scheme, client=client
        )
        return httpx.Response(status, headers=answered, content=body, request=request)

    def send(self, method, path, **options):
        """One request. ``who`` names a role (see ``headers_of``); a command gets a fresh key unless one is given."""
        headers = {**options.pop("headers", {})}
        who = options.pop("who", None)
        if who is not None:
            headers |= self.headers_of(who)
        if method == "POST" and "Idempotency-Key" not in headers and options.pop("keyed", True):
            headers["Idempotency-Key"] = secrets.token_hex(8)
        options.pop("keyed", None)
        return self.run(self.asend(method, path, headers=headers, **options))

    def get(self, path, **options):
        return self.send("GET", path, **options)

    def post(self, path, json=None, **options):
        return self.send("POST", path, json={} if json is None else json, **options)

    def delete(self, path, **options):
        return self.send("DELETE", path, **options)

    def session(self, role: Role, username: str, member: str | None = None) -> dict[str, str]:
        """Headers of a logged-in person."""
        self.accounts.create_user(username, None, role, member, "test")
        opened = self.accounts.use_link(self.accounts.issue_link(username), "127.0.0.1", "")
        return {"Cookie": f"kangle_session={opened.secret}"}

    def bearer(self, role: Role, lane: str | None = None, panel: str | None = None) -> dict[str, str]:
        _, secret = self.accounts.tokens.create("test", role, lane, 30, "test", panel=panel)
        return {"Authorization": f"Bearer {secret}"}

    def headers_of(self, who: str) -> dict[str, str]:
        """ "cashier" and so on; "member" is m001's, "member2" m002's; "terminal1" and "terminal2" are lanes."""
        known = self.__dict__.setdefault("_known", {})
        if who not in known:
            if who.startswith("terminal"):
                known[who] = self.bearer(Role.DINER_TERMINAL, who[-1])
            elif who.startswith("resident"):
                known[who] = self.session(Role.RESIDENT, who, "m003" if who == "resident2" else "m001")
            elif who.startswith("member"):
                known[who] = self.session(Role.MEMBER, who, "m002" if who == "member2" else "m001")
            else:
                known[who] = self.session(Role(who), who)
        return known[who]

    def stream(self, query="", who="manager") -> Stream:
        """A live stream; call it inside ``run``."""
        return Stream(self, query, self.headers_of(who))

    def routes(self):
        """(operation id, method, path, public route object) of every route."""
        for route in iter_route_contexts(self.app.routes):
            for method in sorted(route.methods - {"HEAD"}):
                yield SimpleNamespace(operation=route.operation_id, method=method, path=route.path)


@pytest.fixture(scope="session", autouse=True)
def quiet_log():
    """The access log is at debug; a test run shows information and worse."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))


@pytest.fixture(scope="session")
def memory_folder() -> Iterator[Callable[[], Path]]:
    """Gives folders in memory, where the system has such: each of hundreds of small databases is synced to the disk
    several times, and the disk is no part of what these tests prove (tests/storage and tests/recovery have it)."""
    count = itertools.count()
    with tempfile.TemporaryDirectory(prefix="kangle-api-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as base:

        def new() -> Path:
            folder = Path(base) / str(next(count))
            folder.mkdir()
            return folder

        yield new


@pytest.fixture
def tmp_path(memory_folder) -> Path:
    return memory_folder()


@pytest.fixture
def make_api(tmp_path) -> Iterator:
    """Builds APIs with changed settings; closes them."""
    made = []

    def make(**changes) -> Api:
        folder = tmp_path / f"api{len(made)}"
        folder.mkdir()
        made.append(Api(folder, **changes))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(make_api) -> Api:
    return make_api()


@pytest.fixture(scope="session")
def shared_api(memory_folder) -> Iterator[Api]:
    """One API for tests that change nothing that another would notice."""
    api = Api(memory_folder())
    yield api
    api.close()


@pytest.fixture(scope="session")
def api_type():
    """The class, for fixtures that build their own."""
    return Api
