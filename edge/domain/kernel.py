"""What a kernel, a stamp, an input and an effect are.

Everything that decides is a pure kernel; everything that touches the world is a thin shell around it. The hard part is
order: an effect that shows or promises something must not leave the box before the disk holds what it speaks of. That
order is decided here, once, by the class of the effect, and kept by ``edge.runtime.executor``:

* SAFETY leaves before the commit. It is idempotent and only ever moves toward safe.
* PREVIEW leaves before the commit of its own input, but never overtakes a DURABLE effect that still waits: a preview is
  computed from the world in memory, and while a payment is being written that world knows more than the disk.
* DURABLE leaves only when its input is committed.

A user would notice a mistake here as a "paid" screen for a sale that a power cut then undoes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec


class Stamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When and in which order an input entered. ``seq`` is gapless per store; ``mono_ns`` is comparable within one
    ``boot_id`` only; ``wall_ns`` is UTC and to be doubted when ``wall_trusted`` is false."""

    seq: int
    boot_id: str
    mono_ns: int
    wall_ns: int
    wall_trusted: bool


class EffectClass(StrEnum):
    SAFETY = "safety"
    PREVIEW = "preview"
    DURABLE = "durable"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all stored rows. A subclass names its table by ``tag`` (msgspec) and its primary key by the class
    attribute ``KEY`` (a tuple of field names); its fields are the table's columns, in order. Field types are int,
    float, str, bool, bytes or None-able ones of these. Writing a row replaces the row of the same key."""


class Put(msgspec.Struct, frozen=True, tag="put"):
    """Write a row in the transaction of the input that caused it."""

    row: Row


class Send(msgspec.Struct, frozen=True, tag="send"):
    """Give a device a command. ``effect_class`` says when it may leave."""

    device: str
    command: Any
    effect_class: EffectClass


class Show(msgspec.Struct, frozen=True, tag="show"):
    """Publish the current state of ``key`` (such as ``lane/1``) to whoever watches. Later views replace earlier
    ones; None takes them back: there is no such thing any more.
    """

    key: str
    view: Any
    effect_class: EffectClass = EffectClass.PREVIEW


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """Answer a command. ``code`` is "ok" or a stable problem code; ``body`` is plain data (dict, list, str, int).
    Always DURABLE, repeated answers included; those are marked ``replayed``."""

    command_id: str
    code: str
    body: Any
    replayed: bool = False


Effect = Put | Send | Show | Reply
Effects = list[Effect]


def taken_back(before: Iterable[str], after: Iterable[str]) -> Effects:
    """What ends the views of things that a new configuration has no more; nobody would show them again, and the last
    one would stand for ever as if it were of now."""
    return [Show(key, None, EffectClass.DURABLE) for key in sorted(set(before) - set(after))]


def effect_class(effect: Effect) -> EffectClass:
    """The class that decides when ``effect`` may leave (see the module's head)."""
    match effect:
        case Send(effect_class=cls) | Show(effect_class=cls):
            return cls
        case _:
            return EffectClass.DURABLE


def is_urgent(effects: Sequence[Effect]) -> bool:
    """True when somebody waits for the commit: the input must be committed at once, not within the second."""
    return any(effect_class(effect) is not EffectClass.PREVIEW for effect in effects)


R = TypeVar("R", bound=Row)


class StandingRows(Protocol):
    """As much of ``Rows`` as a book of what stands now is read with. Rows come in the order of their primary key."""

    def all(self, kind: type[R]) -> Iterable[R]:
        """Every row: for tables that do not grow with time."""
        ...

    def where(self, kind: type[R], where: Mapping[str, str | int]) -> Iterable[R]:
        """Rows whose columns have these values. A few rows of a table that grows need an index that begins with the
        columns, or one of these rows only (``WHERE standing = 1``: used for this very value, never by ``since``)."""
        ...


class Rows(StandingRows, Protocol):
    """Read access to stored rows at start, which must not take longer with every year: a table that grows is read by
    what is open in it, or since when."""

    def since(self, kind: type[R], column: str, value: str | int) -> Iterable[R]:
        """Rows whose ``column`` is at least ``value``, in the order of their primary key."""
        ...

    def columns_since(self, kind: type[R], columns: tuple[str, ...], value: str | int) -> Iterable[tuple[Any, ...]]:
        """These ``columns`` alone of the rows whose first of them is at least ``value``, in the order of the columns: a
        little of very many rows. Their checksum, which is over all columns, is not looked at."""
        ...


W = TypeVar("W")
I_contra = TypeVar("I_contra", contravariant=True)


#: Takes a SAFETY command the moment that it is decided.
Leave = Callable[[Send], None]


class LeavesEarly(Protocol):
    """What a kernel may offer besides ``handle``, when its SAFETY commands are worth more than a millisecond."""

    def handle_leaving(self, world: Any, item: Any, stamp: Stamp, leave: Leave) -> Effects:
        """The very same as ``handle``: same world after it, same effects in the same order. SAFETY commands are given
        to ``leave`` as well, each when it is decided and before rows and views are computed. Should it raise later,
        what has left stays out: it only moves toward safe."""
        ...


class KeepsTimers(Protocol):
    """What a kernel says whose timers may change the world although nothing comes of them yet (since when all is clear,
    which zone is looked at next): then each of them is logged, or a replay would decide otherwise later. Of other
    kernels a timer without effects leaves no trace."""

    keeps_timers: bool


class Kernel(Protocol[W, I_contra]):
    """One per vertical. The world is a msgspec Struct (so that it can be snapshotted for replay) which ``handle``
    changes in place. If ``handle`` raises, the shell throws the world away and loads it anew from rows."""

    name: str
    world_type: type[Any]
    input_type: Any
    row_types: tuple[type[Row], ...]

    def load(self, rows: Rows) -> W:
        """The world as the committed rows tell it. Never fails on rows that this version wrote."""
        ...

    def handle(self, world: W, item: I_contra, stamp: Stamp) -> Effects:
        """Decide. Deterministic: same world, input and stamp give the same effects in the same order."""
        ...

    def deadline(self, world: W) -> int | None:
        """Monotonic ns at which the kernel wants a ``Timer`` input, or None."""
        ...

    def resume(self, world: W, stamp: Stamp) -> Effects:
        """What to show, re-poll and re-assert after a start or a rebuild. May change the world (it is snapshotted
        after this call); its rows are committed like those of an input."""
        ...

    def is_safety(self, item: I_contra) -> bool:
        """True for inputs that go before all others (smoke, call point)."""
        ...

    def set_aside(self, world: W, item: I_contra, stamp: Stamp) -> Effects:
        """Called with the freshly rebuilt world after ``handle`` raised on ``item``: at least an answer for a command
        and an alarm view; the garage also cuts the zone. Must not raise."""
        ...
