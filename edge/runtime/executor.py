"""Lets effects out of the box, each when its class allows it (the head of ``edge.domain.kernel`` is the rule).

The hard part is the preview. It may leave before the commit of its own input, but while any earlier urgent input is
still being written the world in memory knows more than the disk, so a preview made from it waits in line behind that
commit, whatever it shows: one line for the whole daemon is the simplest rule that is strictly right. SAFETY effects
pass everybody. A user would notice a mistake as a screen that says "paid" for a sale which a power cut then undoes.

Order within the line is the order in which the kernel gave the effects; only SAFETY overtakes. A view that was
overtaken by a newer one of its key is not shown any more, and what an output was to be told before a SAFETY command to
it left is not told at all: a charger's "on" that waits for a slow disk must not follow the smoke's "off".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from edge.domain.field_devices import Operate
from edge.domain.kernel import Effect, EffectClass, Put, Reply, Send, Show, effect_class
from edge.log import structlog

_log = structlog.get_logger("executor")


class Outlets(Protocol):
    """Where effects go. None of these may wait."""

    def show(self, key: str, view: Any) -> None: ...

    def send(self, device: str, command: Any) -> bool:
        """False when there is no such device."""
        ...

    def reply(self, command_id: str, code: str, body: Any, *, replayed: bool = False) -> None: ...


class _Held(NamedTuple):
    """An effect in line. ``order`` counts all effects that ever entered."""

    seq: int
    order: int
    effect: Send | Show | Reply


def _go_on() -> None:
    """Nobody waits for our processor."""


class Executor:
    """Give it each input's effects once (``run``), tell it what is on disk (``committed``) and what never will be
    (``drop``). ``give_way`` is called when the first cut of an input has left and the rest is still to be decided."""

    def __init__(self, outlets: Outlets, give_way: Callable[[], None] = _go_on) -> None:
        self._outlets = outlets
        self._give_way = give_way
        self._line: deque[_Held] = deque()
        self._uncommitted_urgent: deque[int] = deque()
        self._committed_seq = 0
        self._order = 0
        self._overtaken: dict[str, int] = {}
        self._operated: dict[tuple[str, str], int] = {}
        self._left: dict[int, Send] = {}
        names = ("effects_held", "effects_dropped", "effects_failed", "effects_overtaken", "unknown_device")
        self.counters = dict.fromkeys(names, 0)

    @property
    def held(self) -> int:
        return len(self._line)

    def leave(self, send: Send) -> None:
        """Let a safety command out while its input is still being decided; ``run`` will not let it out again."""
        is_first = not self._left
        self._left[id(send)] = send  # kept, so that no other object can come to have its id
        self._let_out(self._order, send)
        if is_first:
            self._give_way()

    def gave_up(self) -> None:
        """The decision was not finished: what has left has left, and nothing is owed."""
        self._left.clear()

    def run(self, seq: int, effects: Sequence[Effect], *, urgent: bool) -> None:
        """Take the effects of input ``seq``: safety ones leave now, previews now if nothing urgent is being written,
        the rest waits in line. ``urgent`` inputs bar later previews until they are committed."""
        first_order = self.run_safety(effects)
        for order, effect in enumerate(effects, first_order):
            cls = effect_class(effect)
            if isinstance(effect, Put) or cls is EffectClass.SAFETY:
                continue
            if cls is EffectClass.PREVIEW and not self._line and not self._uncommitted_urgent:
                self._let_out(order, effect)
            else:
                self._line.append(_Held(seq, order, effect))
                self.counters["effects_held"] += 1
        if urgent:
            self._uncommitted_urgent.append(seq)

    def run_safety(self, effects: Sequence[Effect]) -> int:
        """Let only the safety effects out (all that may be done while the store is away). Gives the number of the
        first effect."""
        first_order = self._order
        self._order += len(effects)
        for order, effect in enumerate(effects, first_order):
            if (
                effect_class(effect) is EffectClass.SAFETY
                and not isinstance(effect, Put)
                and id(effect) not in self._left
            ):
                self._let_out(order, effect)
        self._left.clear()
        return first_order

    def committed(self, seq: int) -> None:
        """All inputs up to ``seq`` are on disk: let out what waited for that, in order."""
        self._committed_seq = seq
        while self._uncommitted_urgent and self._uncommitted_urgent[0] <= seq:
            self._uncommitted_urgent.popleft()
        while self._line and self._may_leave(self._line[0]):
            held = self._line.popleft()
            self._let_out(held.order, held.effect)
        if not self._line:
            self._overtaken.clear()
            self._operated.clear()

    def drop(self) -> None:
        """A commit failed: nothing that waits may ever leave, for it speaks of a world that is gone."""
        self.counters["effects_dropped"] += len(self._line)
        self._line.clear()
        self._overtaken.clear()
        self._operated.clear()
        self._uncommitted_urgent.clear()

    def _may_leave(self, held: _Held) -> bool:
        if effect_class(held.effect) is EffectClass.PREVIEW:
            return not self._uncommitted_urgent or held.seq <= self._uncommitted_urgent[0]
        return held.seq <= self._committed_seq

    def _let_out(self, order: int, effect: Send | Show | Reply) -> None:
        try:
            match effect:
                case Show(key=key, view=view, effect_class=cls):
                    if cls is EffectClass.SAFETY and self._line:
                        self._overtaken[key] = order
                    if order >= self._overtaken.get(key, 0):
                        self._outlets.show(key, view)
                case Send(device=device, command=command):
                    if self._is_overtaken(order, effect):
                        self.counters["effects_overtaken"] += 1
                    elif not self._outlets.send(device, command):
                        self.counters["unknown_device"] += 1
                        _log.warning("command for a device that the site file does not name", device=device)
                case Reply(command_id=command_id, code=code, body=body, replayed=replayed):
                    self._outlets.reply(command_id, code, body, replayed=replayed)
        except Exception:  # noqa: BLE001 - one effect that cannot leave must not hold up the next, least a safety one
            self.counters["effects_failed"] += 1
            _log.exception("an effect could not leave", effect=type(effect).__name__)

    def _is_overtaken(self, order: int, send: Send) -> bool:
        """Whether the output was told something by a SAFETY command that was decided after this one."""
        if not self._line and not self._operated:
            return False
        command = send.command
        if not isinstance(command, Operate):
            return False
        place = (send.device, command.point)
        if send.effect_class is EffectClass.SAFETY:
            self._operated[place] = order
            return False
        return order < self._operated.get(place, 0)
