"""What a CSAFE master asks next: groups of commands in rotation, each command asked alone once it failed in company.

The hard part is that a machine answers what it does not know with a bare "ok", and that some machines know a command
only alone in its frame. So what is missing in a group is asked alone, and what is missing alone is left out for a long
while, for a machine may learn (its service menu was opened). A user would notice a mistake as a machine without a
distance, or as a poll that takes five seconds. Pure data; times are monotonic ns.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MISSING_MAX = 2
"""So many bare answers to a command asked alone: this machine does not know it."""
AGAIN_NS = 1_000_000_000
ASK_AGAIN_NS = 600 * 1_000_000_000


class Group(NamedTuple):
    """Commands that are asked together every ``period_ns``."""

    commands: tuple[int, ...]
    period_ns: int


@dataclass(slots=True)
class _Command:
    command: int
    group: int
    period_ns: int
    due_ns: int = 0
    alone: bool = False
    missing: int = 0


class Plan:
    """``batch``: most commands in one frame."""

    def __init__(self, groups: Sequence[Group], batch: int) -> None:
        self._batch = batch
        self._commands = [
            _Command(command, number, group.period_ns)
            for number, group in enumerate(groups)
            for command in group.commands
        ]

    @property
    def unsupported(self) -> list[int]:
        return [each.command for each in self._commands if each.missing >= MISSING_MAX]

    def begin(self, now_ns: int) -> None:
        """The link is open (again): perhaps another machine is plugged in."""
        for each in self._commands:
            each.due_ns, each.alone, each.missing = now_ns, False, 0

    def hurry(self, now_ns: int) -> None:
        """Ask all that is not known to be unsupported at once."""
        for each in self._commands:
            if each.missing < MISSING_MAX:
                each.due_ns = min(each.due_ns, now_ns)

    def next(self, now_ns: int) -> tuple[int, ...]:
        """The commands of the next frame, () when nothing is due: the one that has waited longest, and what else of its
        group is due."""
        due = [each for each in self._commands if each.due_ns <= now_ns]
        if not due:
            return ()
        first = min(due, key=lambda each: each.due_ns)
        if first.alone or self._batch == 1:
            return (first.command,)
        company = [each.command for each in due if each.group == first.group and not each.alone]
        return tuple(company[: self._batch])

    def next_due_ns(self) -> int | None:
        return min((each.due_ns for each in self._commands), default=None)

    def answered(self, asked: Collection[int], told: Collection[int], now_ns: int) -> None:
        """A good frame answered ``asked`` with items for ``told``."""
        for each in self._commands:
            if each.command not in asked:
                continue
            each.due_ns = max(each.due_ns, now_ns - each.period_ns) + each.period_ns
            if each.command in told:
                each.missing = 0
            elif len(asked) > 1:
                each.alone, each.due_ns = True, now_ns
            else:
                each.missing += 1
                each.due_ns = now_ns + (ASK_AGAIN_NS if each.missing >= MISSING_MAX else AGAIN_NS)

    def missed(self, asked: Collection[int], now_ns: int) -> None:
        """No good frame came. Whose turn it was goes to the end of the rotation."""
        for each in self._commands:
            if each.command in asked:
                each.due_ns = now_ns + each.period_ns
