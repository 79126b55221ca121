"""Counters of devices made endless: what a narrow counter on the wire has counted in all.

The hard part is to tell a counter that has rolled over from one that began anew: both are a smaller number than before.
Rolled over means that it stood near its end and stands near its beginning now. A user would notice a mistake as a
workout of 65 km, or as strokes that vanish.
"""

from __future__ import annotations

_NEAR = 8
"""A rolled-over counter was in the last eighth of its range and is in the first one."""


class Counter:
    """One counter with ``modulus`` places. A value below the one before and not rolled over begins anew."""

    def __init__(self, modulus: float) -> None:
        self._modulus = modulus
        self._turns = 0
        self._before: float | None = None

    def take(self, value: float) -> float:
        """The endless value for the wire's ``value``."""
        edge = self._modulus / _NEAR
        if self._before is not None and value < self._before:
            rolled = self._before >= self._modulus - edge and value < edge
            self._turns = self._turns + 1 if rolled else 0
        self._before = value
        return self._turns * self._modulus + value


class Counters:
    """Several counters by name, each with its modulus."""

    def __init__(self, moduli: dict[str, float]) -> None:
        self._counters = {name: Counter(modulus) for name, modulus in moduli.items()}

    def take(self, values: dict[str, float | None]) -> dict[str, float | None]:
        """``values`` with those of known counters made endless; None stays None."""
        return {
            name: self._counters[name].take(value) if value is not None and name in self._counters else value
            for name, value in values.items()
        }
