"""``kangle bench charging``: does the port stop when the battery is full, and when it is not well?

Simulated sessions of many kinds (``firmware_sim/battery*.py``) are read through simulated meters by the production
detector and, beside it, by the rules that are used in the field. Scored on the ``held_out`` family of packs and
chargers; the detector was tuned on the ``tuning`` family only (``--family tuning``). Worst case first.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _charging_campaign import Table, kept_so_far, run
from _charging_rules import FIELD_DEFAULT, REFERENCE, THRESHOLDS
from _charging_score import OURS, Score
from _charging_table import markdown
from _charging_trace import trace
from _report import Result, machine, quantile, result

from firmware_sim.battery import FAMILIES
from firmware_sim.battery_cases import CASES, Case

FALSE_PCT, MISSED_PCT, OVER_MEDIAN_MIN, OVER_P99_MIN, PROVEN_CUT_MIN = 0.5, 1.0, 30.0, 120.0, 10.0


def errors(score: Score) -> float:
    """False cuts and missed fulls together, in per cent: what one rule is compared to another by. What a cut is called
    is left out: the field's rules have no word for it."""
    return score.share(score.false - score.mislabelled + score.missed)


def results(cases: list[Case], table: Table) -> list[Result]:
    """One number per case and bar, worst first; a case is worse than the field when its errors are more."""
    found: list[Result] = []
    for case in cases:
        ours, field = table[case.name][OURS], table[case.name][FIELD_DEFAULT]
        if case.kind == "fault":
            worst = max(ours.delays_s, default=0.0) / 60
            found += [
                result(f"{case.name}: provable -> cut, longest", worst, "min", target=PROVEN_CUT_MIN),
                result(f"{case.name}: cut before provable", ours.share(ours.early), "%", target=FALSE_PCT),
            ]
        else:
            found += [
                result(f"{case.name}: false cut", ours.share(ours.false), "%", target=FALSE_PCT),
                result(f"{case.name}: missed full", ours.share(ours.missed), "%", target=MISSED_PCT),
                result(f"{case.name}: over-stay median", ours.over(0.5), "min", target=OVER_MEDIAN_MIN),
                result(f"{case.name}: over-stay p99", ours.over(0.99), "min", target=OVER_P99_MIN),
                result(f"{case.name}: errors above the field default", errors(ours) - errors(field), "%", target=0.0),
            ]
        found.append(result(f"{case.name}: past the hard cap", ours.share(ours.past_cap), "%", target=0.0))
    return sorted(found, key=badness, reverse=True)


def badness(item: Result) -> float:
    """How near a number is to its bar, or how far past it."""
    target = item.target or 0.0
    return item.value / target if target else (1e6 + item.value if item.value > 0 else 0.0)


def tell(cases: list[Case], table: Table) -> None:
    """The table for people on stderr, worst case of ours first."""

    def key(case: Case) -> float:
        return max(badness(item) for item in results([case], table))

    head = f"{'case':<18}{'rule':<21}{'n':>5}{'false %':>9}{'missed %':>9}{'over med':>9}{'p99 min':>9}"
    print(f"{head}{'past cap %':>11}{'capped %':>9}", file=sys.stderr)
    charges = sorted((c for c in cases if c.kind == "charge"), key=key, reverse=True)
    for case in charges:
        for name in (OURS, *THRESHOLDS, REFERENCE):
            s = table[case.name][name]
            print(
                f"{case.name if name == OURS else '':<18}{name:<21}{s.sessions:>5}{s.share(s.false):>9.2f}"
                f"{s.share(s.missed):>9.2f}{s.over(0.5):>9.1f}{s.over(0.99):>9.1f}{s.share(s.past_cap):>11.1f}"
                f"{s.share(s.capped):>9.2f}",
                file=sys.stderr,
            )
    faults = sorted((c for c in cases if c.kind == "fault"), key=key, reverse=True)
    head = f"{'fault':<18}{'rule':<21}{'n':>5}{'proven':>8}{'early %':>9}{'uncut %':>9}{'med min':>9}{'max min':>9}"
    print(f"\n{head}{'past cap %':>11}", file=sys.stderr)
    for case in faults:
        for name in (OURS, FIELD_DEFAULT, REFERENCE):
            s = table[case.name][name]
            delays = [delay / 60 for delay in s.delays_s] or [0.0]
            print(
                f"{case.name if name == OURS else '':<18}{name:<21}{s.sessions:>5}{len(s.delays_s):>8}"
                f"{s.share(s.early):>9.2f}{s.share(s.uncut):>9.2f}{quantile(delays, 0.5):>9.1f}{max(delays):>9.1f}"
                f"{s.share(s.past_cap):>11.1f}",
                file=sys.stderr,
            )


def details(cases: list[Case], table: Table) -> None:
    """Why sessions ended, and which went wrong (``--trace`` shows one of them)."""
    for case in cases:
        ours = table[case.name][OURS]
        print(case.name, dict(sorted(ours.reasons.items())), file=sys.stderr)
        for piece, j, what, at_s, kind in ours.bad[:20]:
            told = f"{what}, cut after {at_s / 60:.0f} min, {kind}"
            print(f"    --trace {case.name}:{piece}:{j}  {told}", file=sys.stderr)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kangle bench charging", description=__doc__)
    parser.add_argument("--json", action="store_true", help="results as JSON on stdout")
    parser.add_argument("--sessions", type=int, default=400, help="sessions per case (the statement: 1000)")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--family", choices=FAMILIES, default="held_out", help="packs and chargers to score on")
    parser.add_argument("--case", action="append", help="only this case (repeatable)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep finished pieces there, go on from there")
    parser.add_argument("--kept", action="store_true", help="run nothing, tell what FILE has")
    parser.add_argument("--markdown", action="store_true", help="the tables of docs/charging.md on stdout")
    parser.add_argument("--details", action="store_true", help="reasons, and the sessions that went wrong")
    parser.add_argument("--trace", metavar="CASE:PIECE:SESSION", help="show one session, watts beside decisions")
    options = parser.parse_args()
    known = [case.name for case in CASES]
    options.case = options.case or known
    if options.kept and not options.keep:
        parser.error("--kept needs --keep FILE")
    if unknown := set(options.case) - set(known):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    return options


def main() -> int:
    options = parsed()
    if options.trace:
        return trace(options.trace, options.family, options.sessions, options.seed)
    cases = [case for case in CASES if case.name in options.case]
    which = (cases, options.family, options.sessions, options.seed)
    table = kept_so_far(*which, options.keep) if options.kept else run(*which, options.jobs, options.keep)
    cases = [case for case in cases if case.name in table]
    found = results(cases, table)
    if options.json:
        body = {"bench": "charging", "machine": machine(), "results": [asdict(item) for item in found]}
        print(json.dumps(body | {"family": options.family, "seed": options.seed, "sessions": options.sessions}))
    elif options.markdown:
        print(markdown(cases, table))
    else:
        tell(cases, table)
        missed = [item for item in found if item.ok is False]
        print(f"\n{len(found) - len(missed)} of {len(found)} bars hold", file=sys.stderr)
        for item in missed:
            print(f"  MISSED {item.name}: {item.value:g} {item.unit} (bar {item.target:g})", file=sys.stderr)
    if options.details:
        details(cases, table)
    return 1 if any(item.ok is False for item in found) else 0


if __name__ == "__main__":
    sys.exit(main())
