"""What every bench reports: results beside the floor of the same run, as a table for people or JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Result:
    """``floor`` is what the same machine did at best in the same run (None: there is none); ``ratio`` = value /
    floor; ``target`` bounds the ratio where there is a floor and the value elsewhere; ``ok`` None: a number without a
    target."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    target: float | None = None
    ok: bool | None = None


def result(
    name: str,
    value: float,
    unit: str,
    *,
    floor: float | None = None,
    target: float | None = None,
    at_least: bool = False,
) -> Result:
    """Judge ``value`` against ``target``: the ratio to ``floor`` if there is one, else the value itself."""
    ratio = value / floor if floor else None
    judged = value if ratio is None else ratio
    ok = None if target is None else (judged >= target if at_least else judged <= target)
    return Result(name, round(value, 3), unit, floor, None if ratio is None else round(ratio, 2), target, ok)


def quantile(values: Sequence[float], q: float) -> float:
    """The nearest-rank quantile of unsorted values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def machine() -> dict[str, str | int]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count() or 0,
        "load_1min": int(os.getloadavg()[0] * 100) / 100,
    }


def publish(bench: str, results: Sequence[Result], *, as_json: bool) -> int:
    """JSON on stdout, or a table on stderr. Exit status 1 when a target is missed."""
    if as_json:
        print(json.dumps({"bench": bench, "machine": machine(), "results": [asdict(r) for r in results]}))
    else:
        print(f"{bench}: {machine()}", file=sys.stderr)
        for r in results:
            floor = f"floor {r.floor:.3g} -> {r.ratio:.2f} x" if r.floor and r.ratio is not None else ""
            target = "" if r.target is None else f"target {r.target:g}: {'ok' if r.ok else 'MISSED'}"
            print(f"  {r.name:<46}{r.value:>12.3f} {r.unit:<10}{floor:<26}{target}", file=sys.stderr)
    return 1 if any(r.ok is False for r in results) else 0
