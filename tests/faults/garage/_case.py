"""A case of the campaign: its group, its seed, its size, where it keeps what."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _trace import Trace


@dataclass
class Case:
    """``full``: the long form. ``numbers`` go into the result."""

    name: str
    seed: int
    full: bool
    folder: Path
    trace: Trace
    numbers: dict[str, Any] = field(default_factory=dict)
    rng: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.name}/{self.seed}")

    def pick(self, short: int, long: int) -> int:
        """How often: ``short`` in the tests, ``long`` in the campaign."""
        return long if self.full else short

    def count(self, name: str, more: int = 1) -> None:
        self.numbers[name] = self.numbers.get(name, 0) + more


Group = Callable[[Case], None]
