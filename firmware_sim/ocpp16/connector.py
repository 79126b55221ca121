"""One outlet of a charge point, and what a charge point makes a habit of."""

from __future__ import annotations

from dataclasses import dataclass, field

VOLTS = 230.0


@dataclass(slots=True)
class Connector:
    """``car_w``: what the car would draw, 0 = none plugged in. ``fault``: an error code, also one that no schema knows;
    ``sticky``: it stays Faulted with NoError. ``welded``: its contactor does not open."""

    car_w: float = 0.0
    fault: str = ""
    sticky: bool = False
    welded: bool = False
    closed: bool = False
    available: bool = True
    limit_a: float = 32.0
    transaction: int = 0
    tag: str = ""
    energy_wh: float = 0.0
    start_wh: float = 0.0
    closing_down: bool = False

    @property
    def power_w(self) -> float:
        return min(self.car_w, self.limit_a * VOLTS) if self.closed or self.welded else 0.0


@dataclass(slots=True)
class Habits:
    """``deaf_to``: actions that it does not answer. ``refuses``: actions that it answers with Rejected.
    ``stops_twice``, ``stop_id``: how it tells the end of a transaction (-1: it lost the id)."""

    deaf_to: set[str] = field(default_factory=set)
    refuses: set[str] = field(default_factory=set)
    stops_twice: bool = False
    stop_id: int = 0
    silent: bool = False
    sample_s: int = 60
    heartbeat_s: int = 300


def change_availability(connector: Connector, wanted: str) -> str:
    """Out of service only when the running transaction is over: this is no emergency cut."""
    if wanted == "Operative":
        connector.available, connector.closing_down = True, False
    elif connector.transaction:
        connector.closing_down = True
        return "Scheduled"
    else:
        connector.available = False
    return "Accepted"
