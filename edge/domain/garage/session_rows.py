"""What charging keeps: sessions, the state of each port's machine, cuts with their samples, money on its way.

The state of a running session is a row of its own (``PortChargingRow``), written when its phase changes and once a
minute: a start reads it and goes on, at most a minute of trend behind and never with a younger clock. ``at_ns`` is UTC
wall time, energy mWh, money fen.
"""

from __future__ import annotations

from typing import ClassVar

from edge.domain.kernel import Row


class SessionRow(Row, frozen=True, kw_only=True, tag="charging_session"):
    """A charging session, open (``ended_ns`` 0) or closed. ``payer`` is a member token; ``parts`` is the msgpack of the
    explained price (``tariff.PricePart``); ``state`` is waiting, charging or ended; ``charging_ms`` counts closed time
    and downtime."""

    KEY: ClassVar = ("session_id",)
    session_id: str
    port: str
    zone: str
    payer: str
    card: str
    day: str
    state: str
    reason: str
    started_ns: int
    ended_ns: int
    charging_ms: int
    energy_mwh: int
    cost_fen: int
    limit_fen: int
    limit_min: int
    tariff_version: str
    parts: bytes


class PortChargingRow(Row, frozen=True, kw_only=True, tag="port_charging"):
    """The machine of one port as it stood at ``at_ns``: msgpack of ``charging.Charging`` without its samples and of
    ``tariff.Bill``. ``open`` 0: no session."""

    KEY: ClassVar = ("port",)
    port: str
    session_id: str
    open: bool
    armed: bool
    at_ns: int
    charging: bytes
    bill: bytes


class CutRecordRow(Row, frozen=True, kw_only=True, tag="cut_record"):
    """Why a port was switched off, with the last 10 min of samples (``charging_samples``)."""

    KEY: ClassVar = ("seq", "port")
    seq: int
    port: str
    session_id: str
    reason: str
    phase: str
    at_ns: int
    age_ms: int
    detail: str
    samples: bytes


class ChargeRow(Row, frozen=True, kw_only=True, tag="charge_outbox"):
    """A session's price on its way to the canteen's purses. ``state``: pending, paid, owed. ``session_id`` is the
    idempotency key there; ``fen`` never changes."""

    KEY: ClassVar = ("session_id",)
    session_id: str
    member: str
    fen: int
    state: str
    code: str
    attempts: int
    at_ns: int
    answered_ns: int


class PurseCopyRow(Row, frozen=True, kw_only=True, tag="purse_copy"):
    """The newest copy of the canteen's purses; ``body`` is the msgpack of its (member, card, balance_fen)."""

    KEY: ClassVar = ("kind",)
    kind: str
    as_of_ns: int
    received_ns: int
    body: bytes


class LoadRow(Row, frozen=True, kw_only=True, tag="load_queue"):
    """Who waits and who draws in a zone: msgpack of ``load.Load``."""

    KEY: ClassVar = ("zone",)
    zone: str
    at_ns: int
    body: bytes
