"""What became of a command: a code, plain data for the answer, and the rows to write. Decided before anything
leaves.
"""

from __future__ import annotations

from typing import Any

import msgspec

from edge.domain.kernel import Row


class Outcome(msgspec.Struct, frozen=True):
    """``code`` "ok" or a problem code. A refused command writes no rows."""

    code: str
    body: Any
    rows: list[Row] = []


def refused(code: str, **facts: Any) -> Outcome:
    """A refusal with the facts that its words need."""
    return Outcome(code, facts)
