"""ANT pages that a gateway hears (``drivers.rawvalue`` with transport ``ant``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.ant_fec import pages
from drivers.ant_fec.readings import Interpreter
from drivers.buffer import Refusal
from drivers.rawvalue import RawValue
from edge.domain.devices import Reading


class PageSession:
    def __init__(self) -> None:
        self._interpreter = Interpreter()

    def take(self, value: RawValue, now_ns: int) -> list[Reading] | Refusal:
        page = pages.parse(value.data)
        return page if isinstance(page, Refusal) else self._interpreter.take(page, value.marks, now_ns)


def sessions() -> dict[str, Callable[[str], Any]]:
    """Channel -> maker of its session."""
    return {"ant": lambda _point: PageSession()}
