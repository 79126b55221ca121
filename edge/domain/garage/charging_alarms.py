"""What people are told of a charger: warnings while they last, a trip until somebody re-arms it.

A user would notice a mistake as an outlet that was switched off for heat and that nobody went to look at.
"""

from __future__ import annotations

from edge.domain.alarm_states import Priority
from edge.domain.alarms import clear_alarm, raise_alarm
from edge.domain.garage.charging import Decision
from edge.domain.garage.cut import Switch
from edge.domain.garage.turn import Turn

#: The warnings that ``charging_caps`` knows.
WARNINGS = ("high_power", "warm")


def tell(turn: Turn, port: Switch, decision: Decision) -> None:
    """Bring the port's alarms to what the decision says."""
    for code in WARNINGS:
        key = f"port:{port.name}:{code}"
        if code in decision.warnings and not decision.cut:
            _raise(turn, port, key, code, Priority.LOW)
        else:
            clear_alarm(turn.world.alarms, key, turn.stamp)
    if decision.trip:
        _raise(turn, port, trip_key(port.name), decision.reason, Priority.HIGH)


def ended(turn: Turn, port: Switch) -> None:
    """The session is over, and with it its warnings; a trip stays."""
    for code in WARNINGS:
        clear_alarm(turn.world.alarms, f"port:{port.name}:{code}", turn.stamp)


def rearmed(turn: Turn, name: str) -> None:
    """Somebody was there."""
    clear_alarm(turn.world.alarms, trip_key(name), turn.stamp)


def trip_key(name: str) -> str:
    return f"trip:{name}"


def port_of(key: str) -> str:
    """The port of one of these alarms, "" of any other."""
    kind, _, rest = key.partition(":")
    return rest if kind == "trip" else rest.rpartition(":")[0] if kind == "port" else ""


def _raise(turn: Turn, port: Switch, key: str, cause: str, priority: Priority) -> None:
    raise_alarm(
        turn.world.alarms, key, cause=cause, zone=port.zone, priority=priority, detail=port.name, stamp=turn.stamp
    )
