"""``kangle bench store``: our store against SQLite rows and DuckDB, in one run, on one disk, fed with arrays.

``--samples N`` for ours (default 5 million, batches of 2,000); the others are stopped after ``LIMIT_S``. Printed: rate,
processor time beside wall time, bytes sealed and written, syncs a batch (with strace), latency of a put while the
history seals in its own process, also on a disk whose syncs take 50 ms (``_store_put``), queries asked of all stores in
turn, what 7 days without a server take, how fast they go out, memory; facts with group commit against one commit each;
the whole path of 2,000 devices (``edge.bench.whole_path``). The bars are those of issue 4.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import structlog

sys.path.insert(0, str(Path(__file__).parent))

from _report import Result, publish, quantile, result
from _store_ask import ASKED, Took, ask_in_turn
from _store_data import DAY_S, SERIES, Sensors, days
from _store_facts import facts
from _store_others import others
from _store_ours import Follower, Ours, Questions, rss_mib, written_bytes
from _store_put import Load, put_beside_sealing

LIMIT_S = 12.0
SYNC_BATCHES = 200
#: Samples a second of the site that the bars speak of.
SITE_RATE = 2000.0
#: Bytes of a sample as line-protocol text, the shorter tags of the trial (reference/storage.md §5); our sink's lines,
#: which also name site and vertical, are longer.
LINE_BYTES = 42.7


class Size(NamedTuple):
    """How much of everything: batches of ``series``; seconds of the days that questions are asked about, and how often
    each is asked; puts beside sealing; devices, seconds and rounds of the whole path."""

    ticks: int
    series: int = SERIES
    day_s: int = DAY_S
    asked: int = ASKED
    load: Load = Load(SERIES, backlog=1800, puts=1500, slow_puts=1200)
    devices: int = 2000
    whole_s: float = 4.0
    rounds: int = 5


#: Proves only that every part works. Enough that what a chunk costs beside its samples is spread over about as many as
#: in an hour of a site: the bytes of a sample are held against their bar.
QUICK = Size(
    200, series=100, day_s=10_800, asked=1, load=Load(200, backlog=20, puts=10, slow_puts=3), devices=200, whole_s=1.0,
    rounds=1,
)  # fmt: skip


class Ingest(NamedTuple):
    """Samples/s while the store was busy, and what a sample cost all threads of its process, us."""

    rate: float
    cpu_us: float


def put_all(store: Any, ticks: int, limit_s: float, series: int = SERIES) -> tuple[Ingest, list[float]]:
    """Batches until ``limit_s``: how fast, and ms of each."""
    times: list[float] = []
    spent = cpu = 0.0
    for second, values in enumerate(Sensors(series, 4).ticks(ticks)):
        begun, begun_cpu = time.perf_counter(), time.process_time()
        store.put(second, values)
        took = time.perf_counter() - begun
        cpu += time.process_time() - begun_cpu
        times.append(took * 1e3)
        spent += took
        if spent > limit_s:
            break
    samples = len(times) * series
    return Ingest(samples / spent, cpu / samples * 1e6), times


def bench_ours(folder: Path, size: Size, out: list[Result], whole_days: Any) -> tuple[Ingest, Questions]:
    """Our store, with whom to ask."""
    store = Ours(folder / "ours", size.series)
    follower = Follower(folder / "ours")
    before, begun = written_bytes(), time.perf_counter()
    ingest, times = put_all(store, size.ticks, float("inf"), size.series)
    told_behind = follower.finish(store.seq)
    wall_s = time.perf_counter() - begun
    samples = len(times) * size.series
    written = written_bytes() - before + told_behind["written"]
    out.append(result("ours: samples/s, acknowledged", ingest.rate, "1/s"))
    out.append(result("ours: CPU a sample, acknowledged", ingest.cpu_us, "us"))
    out.append(result("ours: samples/s until all is sealed", samples / wall_s, "1/s"))
    out.append(result("ours: put p50 at full speed", quantile(times, 0.5), "ms"))
    out.append(result("ours: put p99.9 at full speed", quantile(times, 0.999), "ms"))
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
    drained, took_s = questions.drain()
    out.append(result("drain to a sink, times real time", drained / took_s / SITE_RATE, "x", target=100, at_least=True))
    return ingest, questions


def bench_other(kind: Any, folder: Path, size: Size, out: list[Result], whole_days: Any) -> tuple[Ingest, Any]:
    """One of the others, with whom to ask."""
    store = kind(folder / kind.__name__)
    before = written_bytes()
    ingest, times = put_all(store, size.ticks, LIMIT_S, size.series)
    written = (written_bytes() - before) / (len(times) * size.series)
    out.append(result(f"{kind.name}: samples/s", ingest.rate, "1/s"))
    out.append(result(f"{kind.name}: CPU a sample", ingest.cpu_us, "us"))
    out.append(result(f"{kind.name}: put p50", quantile(times, 0.5), "ms"))
    out.append(result(f"{kind.name}: put p99", quantile(times, 0.99), "ms"))
    out.append(result(f"{kind.name}: written per sample", written, "B"))
    store.load_days(whole_days)
    return ingest, store


def syncs(name: str) -> float | None:
    """Sync calls a batch under strace; None without strace."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    with tempfile.TemporaryDirectory(prefix="kangle-bench-") as folder:
        found = {}
        for batches in (SYNC_BATCHES, 2 * SYNC_BATCHES):
            log = Path(folder) / f"trace{batches}"
            calls = "trace=fsync,fdatasync,sync_file_range,msync"
            command = [strace, "-f", "--seccomp-bpf", "-qq", "-e", calls, "-o", str(log)]
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


def compare(mine: Ingest, theirs: Ingest, asked: dict[str, dict[str, Took]], kind: Any) -> list[Result]:
    """Ours beside one of the others, with the bars: wall and processor time."""
    duck, name = kind.name == "DuckDB", kind.name
    bar = 2 if duck else 15
    found = [
        result(f"ingest, ours / {name}", mine.rate, "1/s", floor=theirs.rate, target=bar, at_least=True),
        result(f"ingest, CPU, ours / {name}", mine.cpu_us, "us", floor=theirs.cpu_us),
    ]
    for question, took in asked.items():
        target = {"raw hour": 0.2, "24-h 1-min mean": 0.5}.get(question) if duck else None
        ours, other = took[Ours.name], took[name]
        found.append(result(f"{question}, ours / {name}", ours.wall_ms, "ms", floor=other.wall_ms, target=target))
        found.append(result(f"{question}, CPU, ours / {name}", ours.cpu_ms, "ms", floor=other.cpu_ms, target=target))
    return found


def whole(folder: Path, out: list[Result], size: Size) -> None:
    """2,000 devices at 1 Hz through driver, loop, kernel and log; the median of the rounds, and the least: neighbours
    that share the caches make the same work dearer, never cheaper."""
    from edge.bench.whole_path import whole_path

    runs = [folder / f"whole{n}" for n in range(size.rounds)]
    costs = [whole_path(run, devices=size.devices, seconds=size.whole_s).cpu_us_per_message for run in runs]
    middle, least = quantile(costs, 0.5), min(costs)
    out.append(result("whole path: 2,000 devices at 1 Hz", middle * 2000 / 1e4, "% core", target=35))
    out.append(result("whole path: CPU a message", middle, "us"))
    out.append(result("whole path: CPU a message, least", least, "us"))


def stores(folder: Path, size: Size, out: list[Result]) -> None:
    """Ours and the others: fed one after another, asked in turn."""
    whole_days = days(size.day_s)
    mine, questions = bench_ours(folder, size, out, whole_days)
    theirs = [(kind, *bench_other(kind, folder, size, out, whole_days)) for kind in others()]
    everyone = {Ours.name: questions, **{kind.name: store for kind, _, store in theirs}}
    asked = ask_in_turn({name: store.asked(size.day_s) for name, store in everyone.items()}, size.asked)
    last = asked["last values"][Ours.name]
    out.append(result("last values of all channels", last.wall_ms, "ms", target=1.0))
    for kind, ingest, store in theirs:
        out += compare(mine, ingest, asked, kind)
        store.close()
    questions.close()


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
    size = QUICK if options.quick else Size(ticks=max(1, options.samples // SERIES))
    out: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="kangle-bench-") as name:
        folder = Path(name)
        stores(folder, size, out)
        put_beside_sealing(folder, out, size.load)
        facts(folder, out)
        for kind in () if options.quick else (Ours, *others()):
            count = syncs(kind.name)
            if count is not None:
                out.append(result(f"{kind.name}: syncs a batch", count, "", target=1.1 if kind is Ours else None))
        whole(folder, out, size)
    return publish("store", out, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
