"""The tables of docs/charging.md: ours beside the field default, worst case first."""

from __future__ import annotations

from _charging_campaign import Table
from _charging_rules import FIELD_DEFAULT
from _charging_score import OURS, Score

from firmware_sim.battery_cases import Case


def markdown(cases: list[Case], table: Table) -> str:
    """Charges by false cuts, then missed fulls, then over-stay; faults by the longest delay."""
    pairs = [(case, table[case.name][OURS], table[case.name][FIELD_DEFAULT]) for case in cases]
    charges = [pair for pair in pairs if pair[0].kind == "charge"]
    charges.sort(
        key=lambda pair: (_share(pair[1], "false"), _share(pair[1], "missed"), pair[1].over(0.99)), reverse=True
    )
    faults = [pair for pair in pairs if pair[0].kind == "fault"]
    faults.sort(key=lambda pair: max(pair[1].delays_s, default=0.0), reverse=True)
    lines = [
        "| case | n | false cut | missed full | over-stay median | p99 | past cap | capped |",
        "|---|---|---|---|---|---|---|---|",
        *(_charge(case.name, ours, field) for case, ours, field in charges),
        "",
        "| fault | n | longest from provable to cut, min | cut before it began | past cap |",
        "|---|---|---|---|---|",
        *(_fault(case.name, ours, field) for case, ours, field in faults),
    ]
    return "\n".join(lines)


def _share(score: Score, name: str) -> float:
    return score.share(getattr(score, name))


def _charge(name: str, ours: Score, field: Score) -> str:
    def both(what: str, digits: int) -> str:
        return f"{_share(ours, what):.{digits}f} / {_share(field, what):.{digits}f}"

    over = [f"{ours.over(q):.1f} / {field.over(q):.1f}" for q in (0.5, 0.99)]
    cells = [name, str(ours.sessions), both("false", 2), both("missed", 2), *over, both("past_cap", 1)]
    return "| " + " | ".join([*cells, f"{_share(ours, 'capped'):.2f}"]) + " |"


def _fault(name: str, ours: Score, field: Score) -> str:
    longest = [max(score.delays_s, default=0.0) / 60 for score in (ours, field)]
    early = f"{_share(ours, 'early'):.2f} / {_share(field, 'early'):.2f}"
    past = f"{_share(ours, 'past_cap'):.1f} / {_share(field, 'past_cap'):.1f}"
    return f"| {name} | {ours.sessions} | {longest[0]:.1f} / {longest[1]:.1f} | {early} | {past} |"
