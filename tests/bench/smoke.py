"""``kangle bench smoke``: from a smoke message to the cuts of a garage, beside the floors of the same run.

200 smoke heads, 400 outlets and 8 zone contactors on Mosquitto (set_tcp_nodelay true); the garage daemon and the API
as processes; heads, relays and plugs are scripted processes of the bench. Measured at the sockets of the field:
message sent -> first cut command (the zone's contactor), last outlet's cut, contactor proven open; all of it idle and
under 5,000 messages a second with load on the API; a charger's overload -> its cut; kill -9 -> protecting again; the
same smoke through wires without a broker (Modbus TCP or GB/T 26875.3 in, Modbus TCP out). Floors: two hops through
the same broker, and a bare fdatasync.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _ears import kept_awake, may_run_first
from _fdatasync import bare_fdatasync
from _garage_site import GarageFolder, Layout
from _report import Result, publish, quantile, result
from _smoke_load import ApiLoad
from _smoke_rounds import NEVER_MS, VIEW_S, Bench, Times
from _smoke_wired import wired_results

BACKGROUND = 5000
QUICK = Layout(zones=2, heads=3, ports=4)


class Plan:
    """How much of everything; ``--quick`` proves only that every cut comes."""

    def __init__(self, *, quick: bool, rounds: int) -> None:
        self.layout = QUICK if quick else Layout()
        self.cycles = 1 if quick else max(1, rounds // self.layout.zones)
        self.at_once = 1 if quick else 12
        self.echoes = 20 if quick else 300
        self.anomalies = 1 if quick else 5
        self.background = 200 if quick else BACKGROUND
        self.pause_s = 0.0 if quick else 0.5  # the last answers of the zone before have been taken in
        self.pulse_s = 0.0 if quick else 1.1  # until the counters of what was done are told
        self.syncs = 5 if quick else 60


async def measure(root: Path, plan: Plan) -> list[Result]:
    load = ApiLoad(root)
    bench = Bench(root, plan.layout, GarageFolder(root, api_port=load.port))
    try:
        await bench.start()
        assert await bench.until(lambda: bool(bench.counters()), VIEW_S)
        await asyncio.sleep(plan.pulse_s)
        with kept_awake() as awake:
            floor = bench.echo(plan.echoes, plan.pause_s / 50)
            before = bench.counters()
            idle = Times()
            for cycle in range(plan.cycles):
                await bench.smoke_in_all_zones(idle, cycle, plan.pause_s)
            await asyncio.sleep(plan.pulse_s)
            stalls_idle = bench.counters().get("loop_stalls", 0) - before.get("loop_stalls", 0)
        asleep_floor, asleep = bench.echo(plan.echoes, plan.pause_s / 50), Times()
        for cycle in range(-(-plan.cycles // 2)):
            await bench.smoke_in_all_zones(asleep, cycle, plan.pause_s)
        at_once = [await bench.everything_at_once() for _ in range(plan.at_once)]
        anomalies: list[float] = []
        for number, port in enumerate(plan.layout.port_names("z2")[: plan.anomalies]):
            if not anomalies or anomalies[-1] < NEVER_MS:
                anomalies.append(await bench.anomaly(port, number))
        loaded, stalls, rate, answered = await under_load(bench, load, plan)
        restart_s = [await restarted(bench) for _ in range(1 if plan.pause_s == 0 else 3)]
        memory = bench.daemon.rss_mib() if bench.daemon is not None else 0.0
    finally:
        load.stop()
        await bench.stop()
    sync = bare_fdatasync(root / "floor.dat", plan.syncs)
    echo_p50, echo_p99 = quantile(floor, 0.5), quantile(floor, 0.99)
    first_p50, ports = quantile(idle.first, 0.5), plan.layout.ports
    everything = plan.layout.zones * ports
    return [
        result("daemon and broker run first, as docs/systemd has it (SCHED_RR)", may_run_first(), ""),
        result("no processor sleeps while it is idle, as docs/systemd has it", awake, ""),
        result("whoever measures may run first (SCHED_FIFO)", may_run_first(), ""),
        result("floor: two hops through the broker, idle p50", echo_p50, "ms"),
        result("floor: two hops through the broker, idle p99", echo_p99, "ms"),
        result("floor: bare fdatasync after idle p50", quantile(sync, 0.5), "ms"),
        result("smoke -> first cut (contactor), idle p50", first_p50, "ms", target=1.0),
        result("  the same beside the two hops", first_p50, "ms", floor=echo_p50),
        result("smoke -> first cut (contactor), idle p99", quantile(idle.first, 0.99), "ms", target=10.0),
        result("  where processors may sleep: two hops p50", quantile(asleep_floor, 0.5), "ms"),
        result("  where processors may sleep: first cut p50", quantile(asleep.first, 0.5), "ms"),
        result("  where processors may sleep: first cut p99", quantile(asleep.first, 0.99), "ms"),
        result("rounds with an outlet cut before its contactor", bench.outlets_ahead, ""),
        result(f"smoke -> last of {ports} cuts, idle p50", quantile(idle.last, 0.5), "ms", target=2.0 + 0.2 * ports),
        result(f"call point -> last of {everything} cuts p50", quantile(at_once, 0.5), "ms",
               target=2.0 + 0.2 * everything),
        result("smoke -> contactor proven open, worst", max(idle.proven), "ms", target=1000.0),
        result("overload of a charger -> its cut, worst", max(anomalies), "ms", target=2000.0),
        result("background reached", rate, "msg/s"),
        result("API answers during it", answered, "1/s"),
        result("under load: smoke -> first cut p50 / idle p50", quantile(loaded.first, 0.5), "ms", floor=first_p50,
               target=1.5),
        result("under load: smoke -> first cut p99", quantile(loaded.first, 0.99), "ms", target=50.0),
        result(f"under load: smoke -> last of {ports} cuts p50", quantile(loaded.last, 0.5), "ms"),
        result("under load: contactor proven open, worst", max(loaded.proven), "ms", target=1000.0),
        result("kill -9 -> first cut after the start, worst", max(restart_s), "s", target=2.0),
        result("turns of the loop over 5 ms, idle rounds", stalls_idle, ""),
        result("turns of the loop over 5 ms, under load", stalls, ""),
        result("garage daemon memory", memory, "MiB", target=80.0),
        *await asyncio.to_thread(wired_results, root, plan.cycles * plan.layout.zones, echo_p50, echo_p99),
    ]  # fmt: skip


async def under_load(bench: Bench, load: ApiLoad, plan: Plan) -> tuple[Times, int, float, float]:
    """(times, loop stalls, messages a second that reached the kernel, API answers a second)."""
    layout = plan.layout
    load.start(bench.folder)
    flood = bench.help("flood", bench.broker.port, plan.background, layout.zones, layout.ports, layout.heads)
    quiet = bench.counters()["inputs"]
    assert await bench.until(lambda: load.answered > 0 and bench.counters()["inputs"] > quiet + 20, VIEW_S)
    await asyncio.sleep(plan.pulse_s)
    before, begun_s, answered = bench.counters(), asyncio.get_running_loop().time(), load.answered
    times = Times()
    for cycle in range(plan.cycles):
        await bench.smoke_in_all_zones(times, cycle, plan.pause_s)
    await asyncio.sleep(plan.pulse_s)
    took_s = asyncio.get_running_loop().time() - begun_s
    after = bench.counters()
    bench.end_helper(flood)
    load.stop()
    stalls = after.get("loop_stalls", 0) - before.get("loop_stalls", 0)
    return times, stalls, (after["inputs"] - before["inputs"]) / took_s, (load.answered - answered) / took_s


async def restarted(bench: Bench) -> float:
    """One kill and start; the garage is brought back to normal."""
    took_s = await asyncio.to_thread(bench.restart, "z2")
    assert await bench.until(lambda: bench.state("z2") in {"pre_alarm", "latched"}, 60.0)
    zones = [zone for zone in bench.layout.zone_names() if bench.state(zone) not in {"normal", "watch"}]
    await bench.reset_all(zones)
    return took_s


def main() -> int:
    parser = argparse.ArgumentParser(prog="kangle bench smoke", description=__doc__)
    parser.add_argument("--json", action="store_true", help="results as JSON on stdout")
    parser.add_argument("--quick", action="store_true", help="a small garage and few rounds: proves that all cuts come")
    parser.add_argument("--rounds", type=int, default=200, help="smoke messages idle, and as many under load")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="kangle-smoke-"))
    try:
        plan = Plan(quick=options.quick, rounds=options.rounds)
        return publish("smoke", asyncio.run(measure(root, plan)), as_json=options.json)
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
