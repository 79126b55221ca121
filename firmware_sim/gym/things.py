"""What stands in the simulated gym, as its configuration names it (see ``config``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MachineConfig:
    """``place``: ``<zone>/<asset>`` of its topics, or the name of its console. ``lies``: speed 0 for ever. ``address``
    of its card reader on the line ``reader``."""

    asset: str
    zone: str
    kind: str
    via: str
    place: str
    straps: tuple[str, ...] = ()
    lies: bool = False
    reader: str = ""
    address: int = -1


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """A CSAFE console behind a TCP port."""

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """A line of OSDP readers behind a TCP port; all have the same key."""

    name: str
    port: int
    baud: int
    key: bytes
    addresses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeskConfig:
    """A measuring desk: its card reader, cuff and perhaps scale."""

    desk: str
    zone: str
    reader: str
    address: int
    cuff: str
    scale: str = ""


@dataclass(frozen=True, slots=True)
class GateConfig:
    place: str
    at_m: int


@dataclass(frozen=True, slots=True)
class TrailConfig:
    trail: str
    length_m: int
    gates: tuple[GateConfig, ...]


@dataclass(frozen=True, slots=True)
class PersonConfig:
    """Who comes: a token, a card ("facility:number") and what the coach writes down; 0 = not set."""

    person: str
    card: str
    birth_year: int = 0
    rest_bpm: int = 0
    ceiling_bpm: int = 0
    max_bpm: int = 0
    beta_blocker: bool = False
