"""Who may draw under a zone's limit: a fair queue of charging ports.

First come, first served, with turns: while somebody waits, a port that has drawn for a whole turn gives way to the head
of the queue and goes to its end. So nobody waits longer than a turn for each one before him, however many come after;
and nobody is passed over because a smaller load would still fit (the head's power is kept free as it becomes free). A
user would notice a mistake as a bike that never got its turn, or as a tripped main breaker.

Pure: ``plan`` looks at the asks of all ports of a zone and says which are to be closed now. It never names a port that
is not armed, and an over-draw sheds the newest first.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

import msgspec

SECOND_NS = 1_000_000_000
#: A turn, while others wait.
TURN_NS = 1800 * SECOND_NS
#: Until a port has drawn so long its peak is not known, and it counts as much as it may draw at first sight.
SETTLE_NS = 600 * SECOND_NS
#: A charger's constant current rises at the wall with the battery's voltage by up to a quarter.
RISE_PCT = 115


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One port that has a session and wants to charge. ``power_w``: what it draws now; ``peak_w``: its highest mean so
    far, 0 unknown; ``expect_w``: what to count on while that is unknown (a port's warning level)."""

    port: str
    armed: bool
    power_w: int = 0
    peak_w: int = 0
    expect_w: int = 300


class Load(msgspec.Struct, kw_only=True):
    """``queue``: waiting ports, the head first. ``granted``: drawing ports with the monotonic time of their grant;
    times are of this boot (``rebase`` after a start)."""

    queue: list[str] = msgspec.field(default_factory=list)
    granted: dict[str, int] = msgspec.field(default_factory=dict)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """``on``: may be closed (those that stay and those that begin); ``close`` and ``open``: the changes; ``places``:
    1-based place in the queue of those that wait; ``reserved_w``: what the granted count for."""

    on: tuple[str, ...]
    close: tuple[str, ...]
    open: tuple[str, ...]
    places: dict[str, int]
    reserved_w: int


def reserve_w(ask: Ask, granted_ns: int, now_ns: int, limit_w: int) -> int:
    """What a port counts for: at least what it draws; its peak and the rise to come once it has settled, the expected
    power before. Never more than the whole limit, so that even the largest gets its turn, alone."""
    settled = now_ns - granted_ns >= SETTLE_NS and ask.peak_w > 0
    counted = ask.peak_w * RISE_PCT // 100 if settled else max(ask.expect_w, ask.peak_w)
    return min(limit_w, max(counted, ask.power_w))


def plan(load: Load, asks: Iterable[Ask], limit_w: int, now_ns: int) -> Plan:
    """Decide who draws now. Changes ``load``; same load, asks and time give the same plan. A port that was seen to draw
    more than the whole limit gets no turn at all."""
    wants = {ask.port: ask for ask in asks if ask.armed and max(ask.peak_w, ask.power_w) <= limit_w}
    before = tuple(load.granted)
    load.granted = {port: at for port, at in load.granted.items() if port in wants}
    load.queue = [port for port in load.queue if port in wants]
    load.queue += sorted(port for port in wants if port not in load.granted and port not in load.queue)
    used = _shed(load, wants, limit_w, now_ns)
    used = _grant(load, wants, limit_w, now_ns, used)
    if load.queue:
        used = _take_turns(load, wants, limit_w, now_ns, used)
    on = tuple(sorted(load.granted))
    return Plan(
        on=on,
        close=tuple(port for port in on if port not in before),
        open=tuple(sorted(port for port in before if port not in load.granted)),
        places={port: place for place, port in enumerate(load.queue, 1)},
        reserved_w=used,
    )


def _used(load: Load, wants: Mapping[str, Ask], limit_w: int, now_ns: int) -> int:
    return sum(reserve_w(wants[port], at, now_ns, limit_w) for port, at in load.granted.items())


def _shed(load: Load, wants: Mapping[str, Ask], limit_w: int, now_ns: int) -> int:
    """Over the limit: the newest give way, and wait at the head of the queue in the order in which they came."""
    used = _used(load, wants, limit_w, now_ns)
    for port in sorted(load.granted, key=lambda p: (load.granted[p], p), reverse=True):
        if used <= limit_w:
            break
        used -= reserve_w(wants[port], load.granted.pop(port), now_ns, limit_w)
        load.queue.insert(0, port)
    return used


def _grant(load: Load, wants: Mapping[str, Ask], limit_w: int, now_ns: int, used: int) -> int:
    """Let the head in while it fits; never anybody before the head."""
    while load.queue:
        need = _entry_w(wants[load.queue[0]], now_ns, limit_w)
        if used + need > limit_w:
            break
        load.granted[load.queue.pop(0)] = now_ns
        used += need
    return used


def _entry_w(ask: Ask, now_ns: int, limit_w: int) -> int:
    """What a port counts for when it is closed now."""
    return reserve_w(ask, now_ns, now_ns, limit_w)


def _take_turns(load: Load, wants: Mapping[str, Ask], limit_w: int, now_ns: int, used: int) -> int:
    """Those whose turn is over make room for the head, the longest first, and only if that lets the head in."""
    over = sorted((at, port) for port, at in load.granted.items() if now_ns - at >= TURN_NS)
    need = _entry_w(wants[load.queue[0]], now_ns, limit_w)
    leaving: list[str] = []
    for at, port in over:
        if used + need <= limit_w:
            break
        used -= reserve_w(wants[port], at, now_ns, limit_w)
        leaving.append(port)
    if used + need > limit_w:
        return _used(load, wants, limit_w, now_ns)
    for port in leaving:
        del load.granted[port]
        load.queue.append(port)
    return _grant(load, wants, limit_w, now_ns, used)


def rebase(load: Load, drawing: Container[str]) -> None:
    """After a start, whose times are of another boot: who is ``drawing`` still (a start tells no outlet off) keeps its
    turn, as one whose peak is known; all others that had one come back to the queue, at its head."""
    drew = sorted(load.granted, key=lambda port: (load.granted[port], port))
    load.queue = [port for port in drew if port not in drawing] + [port for port in load.queue if port not in drew]
    load.granted = {port: n - len(drew) - SETTLE_NS for n, port in enumerate(drew) if port in drawing}
