"""The garage's world: all that the kernel knows, snapshotted whole for replay, rebuilt from rows at start."""

from __future__ import annotations

import math
from functools import cached_property

import msgspec

from edge.domain.alarm_book import AlarmBook
from edge.domain.answered import StoredReply
from edge.domain.garage.access_state import Door
from edge.domain.garage.charging_book import Book
from edge.domain.garage.cut import Switch
from edge.domain.garage.interlock import Evidence, Mode
from edge.domain.garage.settings import (
    Credential,
    GarageConfig,
    OutputKind,
    OutputSettings,
    PortSettings,
    ZoneSettings,
)
from edge.domain.garage.signals import Source
from edge.domain.garage.zone_rows import CauseRow, SwitchRow, ZoneRow

#: Causes of one trip that are told apart; more are counted with the last.
MAX_CAUSES = 64


class Output(msgspec.Struct, kw_only=True):
    """One output of a zone and its switch."""

    settings: OutputSettings
    switch: Switch

    @property
    def kind(self) -> OutputKind:
        return self.settings.kind


class Calm:
    """``until_ns``: before then a word that changes nothing of its source need not be weighed. ``rest_due_ns``: when
    something other than a source's silence will change the zone by time alone (``calm``)."""

    __slots__ = ("rest_due_ns", "until_ns")

    def __init__(self) -> None:
        self.until_ns = self.rest_due_ns = 0


class Zone(msgspec.Struct, kw_only=True, dict=True):
    """One fire zone. Names index the maps of ``World``; ``fed_by`` are the zones whose fire cuts this one.

    ``causes`` by "what:ref" in order of coming, of the standing latch. ``clear_ns``: since when all is good and clear.
    ``blind_ns``: since when no detector is healthy. ``test_end_ns``: 0 = no walk test. ``own_active``: a signal of its
    own is active now. ``struck_ns``: when the cut was last repeated for a repeated signal. ``due_ns``: when time alone
    will change something. ``bound_w``: all its ports together draw no more. ``row`` is what the disk holds."""

    settings: ZoneSettings
    sources: tuple[str, ...]
    ports: tuple[str, ...]
    contactors: tuple[str, ...]
    feeds: tuple[str, ...]
    sirens: tuple[str, ...]
    doors: tuple[str, ...]
    waters: tuple[str, ...]
    fed_by: tuple[str, ...]
    mode: Mode = Mode.BLIND
    evidence: Evidence = Evidence.BLIND
    causes: dict[str, CauseRow] = {}
    trips: int = 0
    since_ns: int = 0
    silenced: bool = False
    own_active: bool = False
    water_asked: bool = False
    water_ns: int = 0
    feed_asked: bool = False
    clear_ns: int | None = None
    blind_ns: int | None = None
    test_end_ns: int = 0
    struck_ns: int = 0
    due_ns: int = 0
    alarms: dict[str, str] = {}
    shown_ns: int = 0
    shown_key: tuple[str, ...] = ()
    bound_w: float = math.inf
    row: ZoneRow | None = None

    @cached_property
    def calm(self) -> Calm:
        """No part of the world: see ``calm``."""
        return Calm()


class World(msgspec.Struct, kw_only=True):
    """See the module's head. ``*_at`` give the names at a place (``place_key``; for sources with their kind).
    ``problems``: why the last configuration was refused (the one before it stays in force). ``starting``: none was
    given since the start. ``makeshift``: ``config`` is only what of a first, wrong description makes sense: heard, cut,
    never switched on. ``zone_rows`` and ``cause_rows`` are full only between loading and building."""

    config: GarageConfig | None = None
    problems: tuple[str, ...] = ()
    day: str = ""
    zones: dict[str, Zone] = {}
    sources: dict[str, Source] = {}
    ports: dict[str, Switch] = {}
    port_settings: dict[str, PortSettings] = {}
    outputs: dict[str, Output] = {}
    sources_at: dict[str, tuple[str, ...]] = {}
    ports_at: dict[str, tuple[str, ...]] = {}
    meters_at: dict[str, tuple[str, ...]] = {}
    outputs_at: dict[str, tuple[str, ...]] = {}
    devices: dict[str, bool] = {}
    doors: dict[str, Door] = {}
    credentials: dict[str, tuple[Credential, ...]] = {}
    switch_rows: dict[str, SwitchRow] = {}
    zone_rows: dict[str, ZoneRow] = {}
    cause_rows: dict[str, list[CauseRow]] = {}
    starting: bool = True
    makeshift: bool = False
    alarms: AlarmBook = msgspec.field(default_factory=AlarmBook)
    replies: dict[str, StoredReply] = {}
    set_aside: int = 0
    clock_trusted: bool = True
    charging: Book = msgspec.field(default_factory=Book)


def is_armed(world: World) -> bool:
    """Whether a whole description is in force."""
    return world.config is not None and not world.makeshift
