"""The disk campaign: kills, torn and flipped files, a disk that is full, broken, slow or read-only, and power cuts on
one that drops what was not synced (docs/backup.md). Seeded, resumable, each case with a kept trace.

``python tests/faults/disk/campaign.py [--full] [--group NAME ...] [--seed N] [--results DIR]``. A case that is in DIR's
results.jsonl is not run again. Exit status 1 when a case failed.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "garage"))
sys.path.insert(0, str(Path(__file__).parent))

import _broken
import _damage
import _history_faults
import _power
import structlog
from _case import Case, Group
from _strace import why_not
from _trace import Results, Trace

GROUPS: dict[str, Group] = {
    "kills": _damage.kills,
    "torn-log": _damage.torn_log,
    "flipped-log": _damage.flipped_log,
    "torn-main": _damage.torn_main,
    "flipped-main": _damage.flipped_main,
    "read-only": _broken.read_only,
    "full": _broken.full,
    "broken-writes": _broken.broken_writes,
    "broken-syncs": _broken.broken_syncs,
    "broken-reads": _broken.broken_reads,
    "slow-syncs": _broken.slow_syncs,
    "power-cuts": _power.power_cuts,
    "power-cuts-after-failed-syncs": _power.power_cuts_after_failed_syncs,
    "readings": _power.readings,
    "the-disk-can-tell": _power.the_disk_can_tell,
    "samples-kills": _history_faults.kills,
    "samples-read-only": _history_faults.read_only,
    "samples-full": _history_faults.full,
    "samples-broken-writes": _history_faults.broken_writes,
    "samples-broken-syncs": _history_faults.broken_syncs,
    "samples-broken-reads": _history_faults.broken_reads,
    "samples-slow-syncs": _history_faults.slow_syncs,
    "samples-power-cuts": _history_faults.power_cuts,
    "samples-look": _history_faults.the_look_can_tell,
}
SCRATCH_BYTES = 1 << 30
#: What needs strace, and the right to use it.
UNTRACED = {"kills", "torn-log", "flipped-log", "torn-main", "flipped-main", "read-only"}
TRACED = frozenset(GROUPS) - UNTRACED - {"samples-kills", "samples-read-only", "samples-look"}


def scratch() -> str | None:
    """Where the stores are made: in memory where there is room, for every fault here is one of the calls to the disk,
    and a real disk under them only makes it slow; else wherever temporary files are."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < SCRATCH_BYTES:
        return None
    return str(memory)


def run_case(name: str, seed: int, results: Results, *, full: bool) -> str:
    """Run one case and keep its result and trace; "" when it passed, else what went wrong."""
    key = f"disk-{name}/{'full' if full else 'slice'}/{seed}"
    known = results.known.get(key)
    if known is not None and known["passed"]:
        return ""
    trace = Trace(results.folder / "traces" / f"{key.replace('/', '_')}.jsonl")
    folder = Path(tempfile.mkdtemp(prefix="kangle-disk-", dir=scratch()))
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


def main(words: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the long form: hours")
    parser.add_argument("--group", action="append", choices=sorted(GROUPS), help="only this group (may be repeated)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=Path("fault-results"))
    options = parser.parse_args(words)
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    results, failed = Results(options.results), 0
    names = options.group or sorted(GROUPS)
    for number, name in enumerate(names, 1):
        if name in TRACED and why_not():
            print(f"[{number}/{len(names)}] {name}: NOT RUN: {why_not()}", file=sys.stderr, flush=True)
            failed += 1
            continue
        detail = run_case(name, options.seed, results, full=options.full)
        failed += bool(detail)
        word = f"FAILED: {detail}" if detail else "passed"
        numbers = next((told["numbers"] for key, told in results.known.items() if key.startswith(f"disk-{name}/")), {})
        print(f"[{number}/{len(names)}] {name}: {word} {numbers}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
