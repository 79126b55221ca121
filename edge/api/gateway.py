"""What the API needs of the daemons: give a command, watch views, know whether they live.

The hard part is honesty when a daemon is away: a command that was sent and not answered may have been carried out, so
``submit`` raises ``DaemonAway`` and never sends again by itself; the person asks again under the same key. A user would
notice a mistake here as a tray that was charged twice, or as a price on a screen whose daemon died a minute ago.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from edge.domain.canteen import messages as canteen
from edge.domain.garage import messages as garage
from edge.domain.gym import messages as gym

#: A command of any vertical; its own daemon decides it.
AnyCommand = canteen.Command | garage.Command | gym.Command
_VERTICALS: dict[type, str] = {canteen.Command: "canteen", garage.Command: "garage", gym.Command: "gym"}


def vertical_of(command: AnyCommand) -> str:
    """The name of the daemon that decides ``command``."""
    return _VERTICALS[type(command)]


#: The JSON of a view that its daemon took back (``Show`` of None): there is no such thing any more.
GONE = b"null"


class KeyedView(msgspec.Struct, frozen=True):
    """A complete view as a daemon encoded it, or ``GONE``. ``boot_id`` and ``version`` tell updates of one daemon life
    apart."""

    key: str
    version: int
    json: bytes
    boot_id: str


class DaemonLife(msgspec.Struct, frozen=True):
    """Whether a daemon is heard, and the age in ms of its last sign of life (-1: never heard)."""

    alive: bool
    age_ms: int


class CommandAnswer(msgspec.Struct, frozen=True):
    """The durable answer: ``code`` is "ok" or a problem code of docs/architecture.md, ``json`` the body's JSON;
    ``replayed`` when the command had been answered before."""

    code: str
    json: bytes
    replayed: bool = False


class DaemonAway(Exception):  # noqa: N818 - a state of the world, not a fault of the program
    """No answer came: the daemon is not reachable, or went away while it had the command."""


ViewListener = Callable[[KeyedView], None]


class Gateway(Protocol):
    """The narrow door to the daemons. All methods belong to the event loop's thread."""

    def present(self) -> Iterable[KeyedView]:
        """The newest view of every key that was not taken back, also while the daemon is away (``daemons`` tells its
        age)."""
        ...

    def listen(self, listener: ViewListener) -> Callable[[], None]:
        """Call ``listener`` with each new view from now on, in the loop, without blocking; gives back the undo."""
        ...

    def daemons(self) -> dict[str, DaemonLife]:
        """Life of every daemon this site should have, by name ("canteen", "garage")."""
        ...

    async def submit(self, command: AnyCommand) -> CommandAnswer:
        """The durable answer of the command's daemon. Raises ``DaemonAway``; sends at most once."""
        ...
