"""What a rule of ``store verify`` is."""

from __future__ import annotations

from typing import NamedTuple

MONEY = "stop the daemon, keep a copy, restore the last backup and enter what is missing by hand"


class Rule(NamedTuple):
    """``sql`` gives one text per offender, a few at most."""

    name: str
    sql: str
    remedy: str = MONEY
