"""The gym's fault campaign (docs/gym.md), as the garage's: seeded, resumable, each case with a kept trace.

``python tests/faults/gym/campaign.py [--size N] [--group NAME ...] [--seed N] [--results DIR]``: N afternoons of each
group (1, the slice that the tests play, unless told), each from its own seed. A case that passed is in DIR's
results.jsonl and is not run again. Exit status 1 when a case failed.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "garage"))
sys.path.insert(0, str(Path(__file__).parent))

import structlog
from _case import Case
from _gym_groups import GROUPS
from _trace import Results, Trace


def run_case(name: str, seed: int, results: Results) -> str:
    """Run one afternoon and keep its result and trace; "" when it passed, else what went wrong."""
    key = f"gym-{name}/{seed}"
    known = results.known.get(key)
    if known is not None and known["passed"]:
        return ""
    trace = Trace(results.folder / "traces" / f"{key.replace('/', '_')}.jsonl")
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # the disk's own faults are another campaign's
    folder = Path(tempfile.mkdtemp(prefix="kangle-faults-", dir=memory))
    case, begun_s, detail = Case(name, seed, full=False, folder=folder, trace=trace), time.perf_counter(), ""
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1, help="afternoons of each group")
    parser.add_argument("--group", action="append", choices=sorted(GROUPS), help="only this group (may be repeated)")
    parser.add_argument("--seed", type=int, default=1, help="of the first afternoon")
    parser.add_argument("--results", type=Path, default=Path("fault-results"))
    options = parser.parse_args(words)
    quiet_logs()
    results, failed, sums = Results(options.results), 0, Counter[str]()
    for seed in range(options.seed, options.seed + options.size):
        for name in options.group or sorted(GROUPS):
            detail = run_case(name, seed, results)
            failed += bool(detail)
            numbers = results.known[f"gym-{name}/{seed}"]["numbers"]
            sums.update({"cases": 1, **numbers})
            word = f"FAILED: {detail}" if detail else "passed"
            print(f"[{name} seed {seed}] {word} {numbers}", file=sys.stderr, flush=True)
    print(f"{failed} failed; {dict(sums)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
