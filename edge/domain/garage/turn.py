"""One input's turn: what the pieces of the garage gather while they decide on it, in the order in which it leaves.

Cuts leave first, whatever else is decided: they are kept apart and put in front. A user would notice a mistake as a
contactor that opens after the last of 400 plugs was told.
"""

from __future__ import annotations

from edge.domain.field_devices import Operate
from edge.domain.garage.world import World
from edge.domain.kernel import Effect, EffectClass, Effects, Leave, Put, Row, Send, Stamp


def _stay(_send: Send) -> None:
    """Nobody takes cuts early: they are among the effects."""


class Turn:
    """``live``: the input is a device's fresh good word of an alarm (only then may water be asked for). ``struck``:
    zones in which a source spoke of an alarm just now; ``opened``: those whose contactors were told so already.
    ``ended``: ports that were switched off, and why, for their sessions to learn; ``review``: zones in which that
    happened outside of their evaluation.
    ``view_class``: what is shown of a person's act waits for the disk. ``leave`` takes a cut when it is decided."""

    __slots__ = (
        *("world", "stamp", "now_ns", "view_class", "live", "struck", "opened", "touched", "review", "ports", "ended"),
        *("leave", "first", "asks", "rest", "told"),
    )

    def __init__(
        self, world: World, stamp: Stamp, view_class: EffectClass = EffectClass.PREVIEW, *, leave: Leave = _stay
    ) -> None:
        # Written out: one is made for every reading, and factories of fields take three times as long.
        self.world, self.stamp, self.now_ns = world, stamp, stamp.mono_ns
        self.view_class, self.leave, self.live = view_class, leave, False
        self.struck: set[str] = set()
        self.opened: set[str] = set()
        self.review: set[str] = set()
        self.touched: dict[str, None] = {}
        self.ports: dict[str, None] = {}
        self.ended: list[tuple[str, str]] = []
        self.first: list[Send] = []
        self.asks: list[Send] = []
        self.rest: list[Effect] = []
        self.told: dict[tuple[str, str], Send] = {}

    @property
    def stirred(self) -> bool:
        """Whether anything was decided, changed or looked at."""
        return bool(self.touched or self.ports or self.rest or self.first or self.asks or self.review or self.ended)

    def send(self, sends: list[Send]) -> None:
        """Device commands. What switches toward safe leaves at once and is told before all others; what asks for proof
        comes after every cut. What an output was to be told before that in this turn is not told at all: it would leave
        after the cut."""
        for send in sends:
            command = send.command
            if send.effect_class is not EffectClass.SAFETY:
                self.rest.append(send)
                if isinstance(command, Operate):
                    self.told[send.device, command.point] = send
            elif isinstance(command, Operate):
                if self.told and (overtaken := self.told.pop((send.device, command.point), None)) is not None:
                    self.rest.remove(overtaken)
                self.first.append(send)
                self.leave(send)
            else:
                self.asks.append(send)

    def put(self, row: Row) -> None:
        self.rest.append(Put(row))

    def effects(self) -> Effects:
        return [*self.first, *self.asks, *self.rest]
