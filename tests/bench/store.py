"""``kangle bench store``: our store against SQLite rows and DuckDB, in one run, on one disk, fed with arrays.

``--samples N`` for ours (default 5 million, batches of 2,000); the others are stopped after ``LIMIT_S``. Printed: rate,
bytes sealed and written, syncs a batch (with strace), latency of a put while the history seals in its own process,
queries, what 7 days without a server take, how fast they go out, memory; facts with group commit against one commit
each; the whole path of 2,000 devices (``edge.bench.whole_path``). The bars are those of issue 4.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

sys.path.insert(0, str(Path(__file__).parent))

from _report import Result, publish, quantile, result
from _store_data import SERIES, Sensors, days
from _store_others import others
from _store_ours import Follower, Ours, Questions, rss_mib, written_bytes

from edge.domain.canteen.rows import ROW_TYPES
from edge.domain.kernel import Stamp
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord

LIMIT_S = 12.0
ASKED = 9
SYNC_BATCHES = 200
#: Samples a second of the site that the bars speak of.
SITE_RATE = 2000.0
#: Bytes of a sample as line-protocol text, the shorter tags of the trial (reference/storage.md §5); our sink's lines,
#: which also name site and vertical, are longer.
LINE_BYTES = 42.7


#: Samples/s, and ms by question.
Outcome = tuple[float, dict[str, float]]


def put_all(store: Any, ticks: int, limit_s: float) -> tuple[int, float, list[float]]:
    """Batches until ``limit_s``: how many, seconds spent in the store, ms of each."""
    times: list[float] = []
    spent = 0.0
    for second, values in enumerate(Sensors(SERIES, 4).ticks(ticks)):
        begun = time.perf_counter()
        store.put(second, values)
        took = time.perf_counter() - begun
        times.append(took * 1e3)
        spent += took
        if spent > limit_s:
            break
    return len(times), spent, times


def ask(questions: dict[str, Callable[[], int]]) -> dict[str, float]:
    """The median of ``ASKED``, ms, warm."""
    found = {}
    for name, question in questions.items():
        times = []
        for _ in range(ASKED + 1):
            begun = time.perf_counter()
            assert question() > 0, name
            times.append((time.perf_counter() - begun) * 1e3)
        found[name] = quantile(times[1:], 0.5)
    return found


def bench_ours(folder: Path, ticks: int, out: list[Result], whole_days: Any) -> Outcome:
    """Our store; gives samples/s sealed included, and ms by question."""
    store = Ours(folder / "ours")
    follower = Follower(folder / "ours")
    before, begun = written_bytes(), time.perf_counter()
    count, spent, times = put_all(store, ticks, float("inf"))
    told_behind = follower.finish(store.seq)
    wall_s = time.perf_counter() - begun
    samples = count * SERIES
    written = written_bytes() - before + told_behind["written"]
    rate = samples / spent
    out.append(result("ours: samples/s, acknowledged", rate, "1/s"))
    out.append(result("ours: samples/s until all is sealed", samples / wall_s, "1/s"))
    out.append(result("ours: put p50, sealing beside", quantile(times, 0.5), "ms"))
    out.append(result("ours: put p99, sealing beside", quantile(times, 0.99), "ms"))
    out.append(result("ours: put p99.9, sealing beside", quantile(times, 0.999), "ms", target=20.0))
    out.append(result("ours: written per sample", written / samples, "B", target=30.0))
    out.append(result("ours: memory, writer", rss_mib(), "MiB"))
    out.append(result("ours: memory, history process", told_behind["rss"], "MiB"))
    store.load_days(whole_days)
    store.close()
    questions = Questions(folder / "ours")
    n, sealed, rolled = questions.sealed_bytes()
    out.append(result("ours: sealed per sample", sealed / n, "B", target=0.6))
    out.append(result("ours: roll-ups per sample, more", rolled / n, "B"))
    out.append(
        result("backlog of 7 days: line text / sealed", LINE_BYTES / (sealed / n), "x", target=50, at_least=True)
    )
    asked = ask(questions.asked())
    drained, took_s = questions.drain()
    out.append(result("drain to a sink, times real time", drained / took_s / SITE_RATE, "x", target=100, at_least=True))
    questions.close()
    return rate, asked


def bench_other(
    kind: Any, folder: Path, ticks: int, out: list[Result], whole_days: Any
) -> tuple[float, dict[str, float]]:
    """One of the others; gives samples/s and ms by question."""
    store = kind(folder / kind.__name__)
    before = written_bytes()
    count, spent, times = put_all(store, ticks, LIMIT_S)
    rate = count * SERIES / spent
    out.append(result(f"{kind.name}: samples/s", rate, "1/s"))
    out.append(result(f"{kind.name}: put p50", quantile(times, 0.5), "ms"))
    out.append(result(f"{kind.name}: put p99", quantile(times, 0.99), "ms"))
    store.load_days(whole_days)
    asked = ask(store.asked())
    store.close()
    out.append(result(f"{kind.name}: written per sample", (written_bytes() - before) / (count * SERIES), "B"))
    return rate, asked


def syncs(name: str) -> float | None:
    """Sync calls a batch under strace; None without strace."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    with tempfile.TemporaryDirectory(prefix="kangle-bench-") as folder:
        found = {}
        for batches in (SYNC_BATCHES, 2 * SYNC_BATCHES):
            log = Path(folder) / f"trace{batches}"
            command = [strace, "-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-o", str(log)]
            child = [sys.executable, "-P", __file__, "--feed", name, str(Path(folder) / str(batches)), str(batches)]
            subprocess.run([*command, *child], check=True, timeout=300)
            found[batches] = len(re.findall(r"\b(?:fsync|fdatasync|sync_file_range|msync)\(", log.read_text()))
        return (found[2 * SYNC_BATCHES] - found[SYNC_BATCHES]) / SYNC_BATCHES


def feed(name: str, folder: Path, batches: int) -> None:
    """What strace watches: one store and its batches."""
    kinds: dict[str, Any] = {kind.name: kind for kind in (Ours, *others())}
    store = kinds[name](folder)
    put_all(store, batches, float("inf"))
    store.close()


def facts(folder: Path, out: list[Result]) -> None:
    """Records of 300 bytes: one commit each, against 32 that wait together."""
    store = FactsStore.open(folder / "facts", ROW_TYPES, ballast_bytes=0)
    seq = 0
    left = threading.Semaphore(0)

    def run(waiting: int, rounds: int) -> float:
        nonlocal seq
        begun = time.perf_counter()
        for _ in range(rounds):
            for _ in range(waiting):
                seq += 1
                record = LogRecord(Stamp(seq, "b", seq, seq, wall_trusted=True), os.urandom(300))
                store.submit(Batch(records=[record]), lambda _error: left.release())
            for _ in range(waiting):
                left.acquire()
        return waiting * rounds / (time.perf_counter() - begun)

    run(1, 50)
    single, grouped = run(1, 300), run(32, 150)
    store.close()
    out.append(result("facts: commits/s one by one", single, "1/s"))
    out.append(result("facts: commits/s, 32 waiting", grouped, "1/s", floor=single, target=10, at_least=True))


def compare(mine: Outcome, theirs: Outcome, kind: Any) -> list[Result]:
    """Ours beside one of the others, with the bars."""
    duck = kind.name == "DuckDB"
    found = [
        result(f"ingest, ours / {kind.name}", mine[0], "1/s", floor=theirs[0], target=2 if duck else 15, at_least=True)
    ]
    for name, took_ms in mine[1].items():
        target = {"raw hour": 0.2, "24-h 1-min mean": 0.5}.get(name) if duck else None
        found.append(result(f"{name}, ours / {kind.name}", took_ms, "ms", floor=theirs[1][name], target=target))
    return found


def whole(folder: Path, out: list[Result], seconds: float) -> None:
    """2,000 devices at 1 Hz through driver, loop, kernel and log."""
    from edge.bench.whole_path import whole_path

    found = whole_path(folder / "whole", devices=2000, rate_hz=1.0, seconds=seconds)
    share = found.cpu_us_per_message * 2000 / 1e6
    out.append(result("whole path: 2,000 devices at 1 Hz", share * 100, "% core", target=35))
    out.append(result("whole path: CPU a message", found.cpu_us_per_message, "us"))


def main() -> int:
    """Run it; exit status 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="kangle bench store", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--samples", type=int, default=5_000_000)
    parser.add_argument("--quick", action="store_true", help="a small slice: does every part work?")
    parser.add_argument("--feed", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # stdout is for the numbers
    if options.feed:
        feed(options.feed[0], Path(options.feed[1]), int(options.feed[2]))
        return 0
    ticks = max(1, (100_000 if options.quick else options.samples) // SERIES)
    out: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="kangle-bench-") as name:
        folder, whole_days = Path(name), days()
        mine = bench_ours(folder, ticks, out, whole_days)
        out.append(result("last values of all channels", mine[1]["last values"], "ms", target=1.0))
        for kind in others():
            out += compare(mine, bench_other(kind, folder, ticks, out, whole_days), kind)
        facts(folder, out)
        for kind in () if options.quick else (Ours, *others()):
            count = syncs(kind.name)
            if count is not None:
                out.append(result(f"{kind.name}: syncs a batch", count, "", target=1.1 if kind is Ours else None))
        whole(folder, out, 2.0 if options.quick else 10.0)
    return publish("store", out, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
