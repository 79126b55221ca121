"""What a replay found, as data and as words."""

from __future__ import annotations

from typing import Any

import msgspec


class Span(msgspec.Struct, frozen=True):
    """Inputs ``seq_first`` to ``seq_last`` were not compared, and why."""

    seq_first: int
    seq_last: int
    reason: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where a replay left the log. ``what``: effect, raised, did not raise, world. ``effect`` is the new effect as
    plain data (None when there is none any more); of the old one only the digest is kept."""

    seq: int
    what: str
    detail: str
    input: Any = None
    effect: Any = None
    kept_digest: str = ""
    new_digest: str = ""


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """``inputs`` were compared with ``effects`` effects; ``differing`` of them (or of the ``copies`` of the world that
    were compared) did not agree. ``starts`` counts worlds loaded anew, ``raised`` inputs that raised. ``builds`` are
    the releases that made the snapshots. ``chain`` is a digest over all effects: equal chains, equal effects."""

    store: str
    kernel: str
    builds: tuple[str, ...]
    first_seq: int
    last_seq: int
    inputs: int
    effects: int
    differing: int
    raised: int
    starts: int
    copies: int
    first_difference: Difference | None
    unreadable: tuple[Span, ...]
    more_unreadable: int
    chain: str
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 all effects are the same, 1 some differ, 4 something could not be read."""
        if self.differing:
            return 1
        return 4 if self.unreadable else 0


def words(report: ReplayReport) -> str:
    """A few lines for people."""
    counts = f"{report.starts} starts, {report.raised} raised, {report.copies} copies of the world compared"
    span = f"seq {report.first_seq} to {report.last_seq}, {report.seconds:.1f} s"
    lines = [f"{report.kernel}: {report.inputs} inputs, {report.effects} effects, {span}; {counts}"]
    lines += [f"not compared: seq {lost.seq_first} to {lost.seq_last}: {lost.reason}" for lost in report.unreadable]
    if report.more_unreadable:
        lines.append(f"not compared: {report.more_unreadable} more spans")
    found = report.first_difference
    if found is not None:
        lines.append(f"{report.differing} differ; first at seq {found.seq} ({found.what}): {found.detail}")
    elif not report.unreadable:
        lines.append("identical: every effect is the one that was logged")
    if report.differing and report.builds:
        lines.append(f"the log was made by build {', '.join(map(repr, report.builds))}")
    return "\n".join(lines)
