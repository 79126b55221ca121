"""The live stream's hub: every view encoded once, a bounded mailbox per client, a pulse each second.

The hard part is the slow client: a tablet on bad radio must neither grow the box's memory nor see old prices later. A
mailbox keeps at most the newest frame of each key, so a client that cannot follow skips states and is never behind. A
view that a daemon takes back (a zone that was renamed), or has no more after its start, leaves every page. The pulse
carries the age of each daemon and goes on when a daemon is dead: silence of the stream means the API itself is
gone. A user would notice a mistake here as a total that belongs to the tray before.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import msgspec

from edge.api.gateway import GONE, DaemonLife, Gateway, KeyedView

PULSE_S = 1.0
#: Lanes, zones, devices: a site has tens; chargers: hundreds. More keys than this is a fault of a daemon, and dropped
#: and counted.
MAX_KEYS = 2048
MAX_CLIENTS = 200
MAX_CLIENTS_PER_USER = 16
_PULSE_KEY = ""
#: Pulses from a daemon's new life to the look for views that it has no more: all that it has come within the first.
LOOK_AFTER_PULSES = 3


class TooManyStreams(Exception):  # noqa: N818 - a limit, not a fault
    """The client or the box has as many live streams as it may."""


class GoneData(msgspec.Struct, frozen=True):
    """Data of the event ``gone``."""

    key: str


class PulseData(msgspec.Struct, frozen=True):
    """Data of the event ``pulse``."""

    daemons: dict[str, DaemonLife]


def view_frame(view: KeyedView) -> bytes:
    """The server-sent event for ``view``; the daemon's JSON passes through unread."""
    key = msgspec.json.encode(view.key)
    return b'event: view\nid: %b:%b:%d\ndata: {"key":%b,"version":%d,"view":%b}\n\n' % (
        view.boot_id.encode(),
        view.key.encode(),
        view.version,
        key,
        view.version,
        view.json,
    )


def pulse_frame(daemons: dict[str, DaemonLife]) -> bytes:
    """The server-sent event that says how long ago each daemon was heard."""
    return b"event: pulse\ndata: %b\n\n" % msgspec.json.encode(PulseData(daemons))


def gone_frame(key: str) -> bytes:
    """The server-sent event that takes the view of ``key`` back. It has no id: it is no state of the view."""
    return b"event: gone\ndata: %b\n\n" % msgspec.json.encode(GoneData(key))


#: A view as one client may see it: the same object, a copy without what is not theirs, or None.
Shape = Callable[[KeyedView], KeyedView | None]


class Mailbox:
    """The newest frame of each key that one client has not been sent yet. Bounded by ``MAX_KEYS``; drops older frames
    of a key. ``take`` gives them in the order in which their keys first changed."""

    def __init__(self, user: str, wants: Callable[[str], bool], shape: Shape | None = None) -> None:
        self.user = user
        self.wants = wants
        self.shape = shape
        self.closed = False
        self._frames: dict[str, bytes] = {}
        self._ready = asyncio.Event()

    def offer(self, view: KeyedView, frame: bytes) -> None:
        """Put ``view``, whose frame for everybody is ``frame``, as this client may see it, if at all."""
        if not self.wants(view.key):
            return
        if self.shape is None:
            self.put(view.key, frame)
            return
        shown = self.shape(view)
        if shown is not None:
            self.put(view.key, frame if shown is view else view_frame(shown))

    def withdraw(self, view: KeyedView) -> None:
        """Take ``view`` back from a client that may have been shown it."""
        if self.wants(view.key) and (self.shape is None or self.shape(view) is not None):
            self.put(view.key, gone_frame(view.key))

    def put(self, key: str, frame: bytes) -> None:
        self._frames[key] = frame
        self._ready.set()

    def close(self) -> None:
        self.closed = True
        self._ready.set()

    async def take(self) -> bytes:
        """All waiting frames as one chunk; waits for one. b"" when the mailbox was closed."""
        await self._ready.wait()
        self._ready.clear()
        chunk = b"".join(self._frames.values())
        self._frames.clear()
        if self.closed:
            self._ready.set()
        return chunk


class Hub:
    """Fans views out to mailboxes. Lives in the event loop's thread."""

    def __init__(self, gateway: Gateway) -> None:
        self.counters: Counter[str] = Counter()
        self._gateway = gateway
        self._frames: dict[str, tuple[KeyedView, bytes]] = {}
        self._boots: set[str] = set()
        self._look_in = 0
        self._clients: set[Mailbox] = set()
        self._unlisten: Callable[[], None] = lambda: None
        self._ticker: asyncio.Task[None] | None = None
        self._closing = False

    def start(self) -> None:
        """Begin to listen and to pulse; needs a running loop."""
        for view in self._gateway.present():
            self._on_view(view)
        self._unlisten = self._gateway.listen(self._on_view)
        self._ticker = asyncio.create_task(self._pulse(), name="api-pulse")

    def close(self) -> None:
        """End every stream (so that the server can stop) and accept no more. Idempotent."""
        if self._closing:
            return
        self._closing = True
        self._unlisten()
        if self._ticker is not None:
            self._ticker.cancel()
        for client in self._clients:
            client.close()

    def open(self, user: str, wants: Callable[[str], bool], shape: Shape | None = None) -> Mailbox:
        """A mailbox that already holds the present views that it ``wants`` (each passed through ``shape``), then a
        pulse."""
        of_user = sum(1 for client in self._clients if client.user == user)
        if self._closing or len(self._clients) >= MAX_CLIENTS or of_user >= MAX_CLIENTS_PER_USER:
            self.counters["refused_streams"] += 1
            raise TooManyStreams
        client = Mailbox(user, wants, shape)
        for view, frame in self._frames.values():
            client.offer(view, frame)
        client.put(_PULSE_KEY, pulse_frame(self._gateway.daemons()))
        self._clients.add(client)
        return client

    def leave(self, client: Mailbox) -> None:
        self._clients.discard(client)

    @property
    def clients(self) -> int:
        """How many streams are open."""
        return len(self._clients)

    def _on_view(self, view: KeyedView) -> None:
        if view.json == GONE:
            self._forget(view.key)
            return
        if b"\n" in view.json or not view.key or (view.key not in self._frames and len(self._frames) >= MAX_KEYS):
            self.counters["dropped_views"] += 1
            return
        if view.boot_id not in self._boots:
            self._boots.add(view.boot_id)
            self._look_in = LOOK_AFTER_PULSES
        frame = view_frame(view)
        self._frames[view.key] = (view, frame)
        for client in self._clients:
            client.offer(view, frame)

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(PULSE_S)
            self._look_in -= 1
            if self._look_in == 0:
                self._forget_gone()
            if self._clients:
                frame = pulse_frame(self._gateway.daemons())
                for client in self._clients:
                    client.put(_PULSE_KEY, frame)

    def _forget(self, key: str) -> None:
        if key not in self._frames:
            return
        view, _ = self._frames.pop(key)
        for client in self._clients:
            client.withdraw(view)

    def _forget_gone(self) -> None:
        """Forget what no daemon has any more, and take it back from every page. Of a daemon that is away the gateway
        still has all: its views are old, not gone."""
        present = {view.key for view in self._gateway.present()}
        for key in [key for key in self._frames if key not in present]:
            self._forget(key)
        self._boots = {view.boot_id for view, _ in self._frames.values()}
