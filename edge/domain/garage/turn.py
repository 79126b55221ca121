"""One input's turn: what the pieces of the garage gather while they decide on it, in the order in which it leaves.

Cuts leave first, whatever else is decided: they are kept apart and put in front. A user would notice a mistake as a
contactor that opens after the last of 400 plugs was told.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.domain.field_devices import Operate
from edge.domain.garage.world import World
from edge.domain.kernel import Effect, EffectClass, Effects, Leave, Put, Row, Send, Stamp


def _stay(_send: Send) -> None:
    """Nobody takes cuts early: they are among the effects."""


@dataclass(slots=True)
class Turn:
    """``live``: the input is a device's fresh good word of an alarm (only then may water be asked for). ``struck``:
    zones in which a source spoke of an alarm just now. ``ended``: ports that were switched off, and why, for their
    sessions to learn; ``review``: zones in which that happened outside of their evaluation.
    ``view_class``: what is shown of a person's act waits for the disk. ``leave`` takes a cut when it is decided."""

    world: World
    stamp: Stamp
    view_class: EffectClass = EffectClass.PREVIEW
    live: bool = False
    struck: set[str] = field(default_factory=set)
    touched: dict[str, None] = field(default_factory=dict)
    review: set[str] = field(default_factory=set)
    ports: dict[str, None] = field(default_factory=dict)
    ended: list[tuple[str, str]] = field(default_factory=list)
    leave: Leave = _stay
    first: list[Send] = field(default_factory=list)
    asks: list[Send] = field(default_factory=list)
    rest: list[Effect] = field(default_factory=list)
    now_ns: int = field(init=False)

    def __post_init__(self) -> None:
        self.now_ns = self.stamp.mono_ns

    @property
    def stirred(self) -> bool:
        """Whether anything was decided, changed or looked at."""
        return bool(self.touched or self.ports or self.rest or self.first or self.asks or self.review or self.ended)

    def send(self, sends: list[Send]) -> None:
        """Device commands. What switches toward safe leaves at once and is told before all others; what asks for proof
        comes after every cut."""
        for send in sends:
            if send.effect_class is not EffectClass.SAFETY:
                self.rest.append(send)
            elif isinstance(send.command, Operate):
                self.first.append(send)
                self.leave(send)
            else:
                self.asks.append(send)

    def put(self, row: Row) -> None:
        self.rest.append(Put(row))

    def effects(self) -> Effects:
        return [*self.first, *self.asks, *self.rest]
