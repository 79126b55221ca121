"""The raw contract's envelope: one MQTT message of a gateway to one value of one point (drivers/ftms/PROTOCOL.md 1).

``<site>/<zone>/<asset>/raw`` carries ``{"hex", "transport", "char", "time", "seq"}``: undecoded, so that a mended
decoder can read old records again. The hard part is time: what the gateway says of it is kept apart from when the
message came. A user would notice a mistake as a pulse from five minutes ago on the wall.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from drivers.buffer import Refusal
from drivers.engine import NS_PER_MS
from drivers.messages import Message, PayloadError, Problem, json_object, text
from drivers.packets import unhex
from drivers.wallclock import to_wall_ns

RAW = "raw"
VALUE_BYTES_MAX = 512
"""The longest value that Bluetooth allows an attribute."""
SEQ_MAX = 1 << 53
TIME_MAX_NS = 7_258_118_400 * 1_000_000_000
"""2200-01-01: a later time is none, and ns since 1970 would not fit 64 bits much longer."""


class RawValue(NamedTuple):
    """One value of one point. ``channel``: the characteristic (``2ad2``) or the transport where that has none."""

    point: str
    prefix: str
    channel: str
    data: bytes
    retained: bool
    source_wall_ns: int | None
    delay_ms: int | None
    source_seq: int | None
    raw_hex: str = ""
    """Its bytes, when they are to be kept beside what they mean."""

    @property
    def marks(self) -> dict[str, Any]:
        """The fields of ``PointMessage``."""
        return {
            "point": self.point,
            "retained": self.retained,
            "source_wall_ns": self.source_wall_ns,
            "delay_ms": self.delay_ms,
            "source_seq": self.source_seq,
            "raw_hex": self.raw_hex,
        }


def parse_raw(message: Message, delay_ms: Callable[[int], int | None] = lambda _: None) -> RawValue | Problem:
    """A message on a raw topic. ``delay_ms`` tells how long ago a UTC time was."""
    levels = message.topic.split("/")
    if len(levels) != 4 or levels[3] != RAW or not all(levels):
        return Problem("bad_message", "not <site>/<zone>/<asset>/raw")
    try:
        fields = json_object(message)
        data, channel = _content(fields)
        wall_ns = wall_ns_of(fields)
        seq = seq_of(fields)
    except PayloadError as error:
        return error.problem
    return RawValue(
        point=f"{levels[1]}/{levels[2]}",
        prefix="/".join(levels[:3]),
        channel=channel,
        data=data,
        retained=message.retain,
        source_wall_ns=wall_ns,
        delay_ms=None if wall_ns is None else delay_ms(wall_ns),
        source_seq=seq,
    )


def _content(fields: dict[str, Any]) -> tuple[bytes, str]:
    transport, char = text(fields, "transport"), text(fields, "char")
    if not transport:
        raise PayloadError("missing_value", "no transport")
    hexed = text(fields, "hex")
    if hexed is None:
        raise PayloadError("missing_value", "no hex")
    data = unhex(hexed.encode())
    if isinstance(data, Refusal):
        raise PayloadError("bad_value", f"hex: {data.detail}")
    if len(data) > VALUE_BYTES_MAX:
        raise PayloadError("bad_length", f"{len(data)} bytes, at most {VALUE_BYTES_MAX}")
    return data, (char or transport).lower()


def wall_ns_of(fields: dict[str, Any], key: str = "time") -> int | None:
    """``time`` as UTC ns: ISO 8601 with a zone, or ms since 1970; None when absent. Raises ``PayloadError``."""
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise PayloadError("bad_time", f"{value[:40]!r} has no zone")
            wall_ns = to_wall_ns(moment.astimezone(UTC))
        except (ValueError, OverflowError):
            wall_ns = -1
        if 0 < wall_ns < TIME_MAX_NS:
            return wall_ns
    elif isinstance(value, int) and not isinstance(value, bool) and 0 < value * NS_PER_MS < TIME_MAX_NS:
        return value * NS_PER_MS
    raise PayloadError("bad_time", f"{str(value)[:40]!r} is no time")


def seq_of(fields: dict[str, Any]) -> int | None:
    value = fields.get("seq")
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < SEQ_MAX):
        return value
    raise PayloadError("bad_value", f"seq is {str(value)[:40]!r}, not a count")
