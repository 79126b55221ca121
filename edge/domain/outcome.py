"""What became of a command: a code and plain data for the answer. Effects are gathered by the turn."""

from __future__ import annotations

from typing import Any

import msgspec


class Outcome(msgspec.Struct, frozen=True):
    """``code`` "ok" or a problem code (docs/architecture.md)."""

    code: str
    body: Any


def refused(code: str, **facts: Any) -> Outcome:
    """A refusal with the facts that its words need."""
    return Outcome(code, facts)
