"""The garage's fault campaign: 17 groups of faults (docs/fault-campaign.md), seeded, resumable, each case with a kept
trace.

``python tests/faults/garage/campaign.py [--full] [--group NAME ...] [--seed N] [--results DIR]``. A case that is in
DIR's results.jsonl is not run again. Exit status 1 when a case failed.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
sys.path.insert(0, str(Path(__file__).parent))

import _groups_real
import structlog
from _case import Case, Group
from _groups_power import cloud, contacts, kills, power, same_instant, two_fires
from _groups_signals import clocks, coordinator, detectors, junk, order_and_age, wrong_description
from _long_run import long_run
from _trace import Results, Trace

#: Group (as garage-domain.md 7.5 numbers them) -> what plays it. Some groups have several cases.
GROUPS: dict[str, Group] = {
    "01-broker": _groups_real.broker,
    "02-stale-broker": _groups_real.stale_broker,
    "04-floods": _groups_real.floods,
    "08-disk": _groups_real.disk,
    "09-kills": _groups_real.kills,
    "09-starved": _groups_real.starved,
    "14-reload": _groups_real.reload,
    "03-order-and-age": order_and_age,
    "05-junk": junk,
    "07-clocks": clocks,
    "09-kills-simulated": kills,
    "10-power": power,
    "11-contacts": contacts,
    "12-detectors": detectors,
    "13-coordinator": coordinator,
    "14-same-instant": same_instant,
    "15-two-fires": two_fires,
    "16-cloud": cloud,
    "17-wrong-description": wrong_description,
    "30-days": long_run,
}


def run_case(name: str, seed: int, results: Results, *, full: bool) -> str:
    """Run one case and keep its result and trace; "" when it passed, else what went wrong."""
    key = f"{name}/{'full' if full else 'slice'}/{seed}"
    known = results.known.get(key)
    if known is not None and known["passed"]:
        return ""
    trace = Trace(results.folder / "traces" / f"{key.replace('/', '_')}.jsonl")
    folder = Path(tempfile.mkdtemp(prefix="kangle-faults-"))
    case = Case(name, seed, full, folder, trace)
    begun_s, detail = time.perf_counter(), ""
    try:
        GROUPS[name](case)
    except AssertionError as error:
        detail = str(error) or repr(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        trace.close()
    case.numbers["seconds"] = round(time.perf_counter() - begun_s, 1)
    results.add(key, passed=not detail, detail=detail, numbers=case.numbers)
    return detail


def quiet_logs() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def main(words: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the long form: hours")
    parser.add_argument("--group", action="append", choices=sorted(GROUPS), help="only this group (may be repeated)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=Path("fault-results"))
    options = parser.parse_args(words)
    quiet_logs()
    results, failed = Results(options.results), 0
    names = options.group or sorted(GROUPS)
    for number, name in enumerate(names, 1):
        detail = run_case(name, options.seed, results, full=options.full)
        failed += bool(detail)
        word = f"FAILED: {detail}" if detail else "passed"
        numbers = next((told["numbers"] for key, told in results.known.items() if key.startswith(name)), {})
        print(f"[{number}/{len(names)}] {name}: {word} {numbers}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
