"""What the fake server does wrong next: a queue of steps, each for a number of writes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Steps that are no status code. ``cut_*`` store or not as their name says, then reset the connection.
WORDS = ("ok", "slow", "hang", "trickle", "cut_request", "cut_unanswered", "cut_response", "close")


class ScriptError(ValueError):
    """A step that the server does not know."""


@dataclass(frozen=True, slots=True)
class Step:
    """``do`` is a word of ``WORDS`` or a status code. ``body``: the answer's message."""

    do: str
    count: int = 1
    seconds: float = 0.0
    retry_after: str = ""
    body: str = ""


class Script:
    """Steps wait in order; with none left every write is treated as it deserves."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque()
        self._left = 0

    def set(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """Replace what is left. Raises ScriptError."""
        made = []
        for raw in steps:
            do = str(raw.get("do", ""))
            if do not in WORDS and not (do.isdigit() and 200 <= int(do) < 600):
                raise ScriptError(f"unknown step {do!r}: a status code or one of {', '.join(WORDS)}")
            try:
                count, seconds = int(raw.get("count", 1)), float(raw.get("seconds", 0))
            except (TypeError, ValueError) as error:
                raise ScriptError(f"count and seconds must be numbers: {error}") from error
            made.append(Step(do, count, seconds, str(raw.get("retry_after", "")), str(raw.get("body", ""))))
        self._steps = deque(made)
        self._left = made[0].count if made else 0

    def next(self) -> Step | None:
        """The step for the write that just came."""
        while self._steps and self._left <= 0:
            self._steps.popleft()
            self._left = self._steps[0].count if self._steps else 0
        if not self._steps:
            return None
        self._left -= 1
        return self._steps[0]
