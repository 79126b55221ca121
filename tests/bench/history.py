"""``kangle bench history``: how long a step of zooming takes, from a year to a second, among 2,000 channels.

The roll-ups of a year of 2,000 series at 1 Hz are put into ``samples.db`` (hours for all; minutes of the last month for
``DETAILED`` of them, samples of the last day for those), and four curves are asked for at each width, through the same
object that answers the page, cold (a new connection) and warm. The bar is the issue's: under 200 ms a step. Beside it
stands the processor's time, which says the same on a machine that has other work.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from _report import Result, publish, quantile, result

from edge.runtime.history_answers import Answerer
from edge.runtime.history_messages import AskLast, AskPlot, PlotPart
from edge.storage.bins import bins_of, pack_bins
from edge.storage.facts import FactsStore
from edge.storage.rollups import BLOCK_BINS, HOUR_NS, HOUR_S, MINUTE_S, NS
from edge.storage.sample_codec import crc
from edge.storage.sample_columns import Columns
from edge.storage.sample_db import put_meta
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_model import SeriesKind
from edge.storage.sealing import Sealer, Stretch

DAY_NS = 24 * HOUR_NS
#: The day at whose end the page is opened.
END_NS = 1_795_046_400 * NS
DETAILED = 8
PIXELS = 1600
CURVES = 4
STEPS = {"year": 366 * 86_400, "month": 31 * 86_400, "week": 7 * 86_400, "day": 86_400, "hour": 3600, "minute": 60}
STEPS["second"] = 1
#: The widest span that is still drawn from samples: one second less and more of it would come from minutes.
STEPS["samples at their most"] = MINUTE_S * PIXELS // 2 - 1
ROUNDS = 9


def fill(history: SampleHistory, series: int, days: int) -> None:
    """The year. Blocks of equal content have the checksums of their own places."""
    numbers = [history.names.series_id("field", f"p{n}", "power_w", "W", SeriesKind.NUMBER) or 0 for n in range(series)]
    rng = np.random.default_rng(6)
    with history.db.write() as connection:
        named = history.names.write(connection)
        put_meta(connection, "seal_wall_ns", END_NS)
        sql = "INSERT OR REPLACE INTO rollup (level, block, series, crc32, data) VALUES (?, ?, ?, ?, ?)"
        for level, blocks, members in ((HOUR_S, days // 32 + 2, numbers), (MINUTE_S, 32, numbers[:DETAILED])):
            width_ns = level * BLOCK_BINS[level] * NS
            last = END_NS // width_ns
            for block in range(last - blocks + 1, last + 1):
                time_ns = block * width_ns + np.arange(BLOCK_BINS[level] * 4) * (level * NS // 4)
                value = np.round(120 + 30 * rng.standard_normal(time_ns.size), 1)
                data = pack_bins(bins_of(time_ns, value, level * NS))
                rows = ((level, block, number, crc(data, level, block, number), data) for number in members)
                connection.executemany(sql, rows)
    history.names.written(named)
    seal_day(history, numbers[:DETAILED], rng)


def seal_day(history: SampleHistory, members: list[int], rng: np.random.Generator) -> None:
    """The samples of the last day, in slabs of ten minutes."""
    sealer, seq = Sealer(history.db, history.names), 0
    for begin_ns in range(END_NS - DAY_NS, END_NS, 600 * NS):
        time_ns = np.repeat(begin_ns + np.arange(600) * NS, len(members))
        series = np.tile(np.array(members, np.int32), 600)
        value = np.round(120 + 8 * rng.standard_normal(time_ns.size), 1)
        seqs = np.repeat(np.arange(seq + 1, seq + 601), len(members))
        sealer.seal(
            Stretch(
                seq + 1,
                seq + 600,
                begin_ns + 600 * NS,
                Columns(seqs, series, time_ns, value, seqs.astype(np.uint8) * 0),
            )
        )
        seq += 600
    with history.db.write() as connection:
        connection.execute("DELETE FROM due")


def measure(history: SampleHistory, out: list[Result]) -> None:
    """Four curves at each width."""
    answerer = Answerer({"canteen": history})
    for name, width_s in STEPS.items():
        ask = AskPlot("canteen", tuple(range(1, CURVES + 1)), END_NS - width_s * NS, END_NS, PIXELS)
        times, spent = [], []
        for _ in range(ROUNDS + 1):
            begun, used = time.perf_counter(), time.thread_time()
            part = answerer.answer(ask)
            times.append((time.perf_counter() - begun) * 1e3)
            spent.append((time.thread_time() - used) * 1e3)
            assert isinstance(part, PlotPart)
            assert all(curve.value for curve in part.curves), name
        out.append(result(f"{name}: {CURVES} curves, first", times[0], "ms", target=200.0))
        out.append(result(f"{name}: {CURVES} curves, median", quantile(times[1:], 0.5), "ms", target=200.0))
        out.append(result(f"{name}: {CURVES} curves, processor, median", quantile(spent[1:], 0.5), "ms"))
    times = []
    for _ in range(50):
        begun = time.perf_counter()
        answerer.answer(AskLast("canteen"))
        times.append((time.perf_counter() - begun) * 1e3)
    out.append(result("last values of all channels, as an answer", quantile(times, 0.5), "ms", target=1.0))
    answerer.close()


def main() -> int:
    """Run it; exit status 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="kangle bench history", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--days", type=int, default=366)
    options = parser.parse_args()
    out: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="kangle-bench-") as name:
        FactsStore.open(Path(name), (), vertical="canteen", ballast_bytes=0).close()
        history = SampleHistory(Path(name), "canteen")
        fill(history, options.series, options.days)
        out.append(result("samples.db", (Path(name) / "samples.db").stat().st_size / 2**20, "MiB"))
        measure(history, out)
        history.close()
    return publish("history", out, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
