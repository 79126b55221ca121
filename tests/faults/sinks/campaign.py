"""The campaign of the sinks: real processes, killed; what the servers hold is read back and compared key by key.

``python tests/faults/sinks/campaign.py [--rounds N] [--series N] [--hours N] [--seed N ...] [--results DIR]``. One box
(the history process on a real log and samples.db) feeds the strict fake InfluxDB, real VictoriaMetrics and a third
sink that is dead throughout. An outage of ``--hours`` (of log time) comes first, then ``--rounds`` of: more readings, a
clock step, a kill -9 of the box or of a server, a server that answers 429, 503, 413, hangs or cuts.

Every sixth round the servers are left alone until what they have counts as settled. Every rewind goes back to there: a
server that dies every few seconds would be sent everything again each time, which takes hours and proves nothing more.
Prints one JSON line for each seed and adds it to DIR/results.jsonl; a seed that passed there in the same size is not
run again. Exit status 1 when a key is missing, stands twice or holds another value.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "garage"))
sys.path.insert(0, str(Path(__file__).parent))

from _sink_box import Box
from _sink_servers import Fake, Victoria
from _trace import Results

from edge.demo_garage import free_ports

FAULTS = (
    {"do": "503", "retry_after": "1"},
    {"do": "429", "retry_after": "1"},
    {"do": "500"},
    {"do": "413"},
    {"do": "cut_request"},
    {"do": "cut_unanswered"},
    {"do": "cut_response"},
    {"do": "close"},
    {"do": "slow", "seconds": 0.5},
    {"do": "hang"},
)
#: Shorter than in the field, so that a server that hangs costs seconds; and requests so small that the fake, which
#: takes 20 ms of the processor for a thousand lines, answers in time also on a machine that has other work.
TIMEOUT_S = 8
BATCH_SAMPLES = 1000
SETTLED_EVERY = 6


def sink_text(name, url, token_file, timeout_s):
    lines = ("[[sinks]]", f'sink = "{name}"', 'kind = "influx"', f'url = "{url}"', 'org = "kangle"', 'bucket = "edge"')
    return "\n".join(
        (*lines, f'token_file = "{token_file}"', f"timeout_s = {timeout_s}", f"batch_samples = {BATCH_SAMPLES}", "")
    )


def run(folder, *, rounds, hours, series, seed, victoria, timeout_s=TIMEOUT_S, tell=lambda _text: None):
    """One campaign in ``folder``; gives its numbers. ``timeout_s``: how long a box waits for a server's answer."""
    rng = random.Random(seed)
    fake = Fake(folder / "fake")
    vm = Victoria(folder / "vm") if victoria else None
    live = {"fake": fake, **({"vm": vm} if vm is not None else {})}
    urls = {**{name: server.url for name, server in live.items()}, "dead": f"http://127.0.0.1:{free_ports(1)[0]}"}
    box = Box(folder, [sink_text(name, url, fake.token, timeout_s) for name, url in urls.items()], series)
    try:
        _outage(box, live, hours)
        for number in range(rounds):
            if rounds > SETTLED_EVERY and number % SETTLED_EVERY == 0:
                fake.script()
                box.until_settled(live)
            _round(box, fake, vm, rng, number)
            tell(f"round {number + 1} of {rounds}, {box.seq} inputs")
        return _end(box, fake, vm, live, rounds=rounds, hours=hours)
    finally:
        box.close()
        for server in live.values():
            server.kill()


def _outage(box, live, hours):
    """Some readings arrive, then every server is away for ``hours`` while the box goes on and is even restarted."""
    for server in live.values():
        server.start()
    box.start()
    box.say(60)
    box.until_sent(live)
    for server in live.values():
        server.kill()
    box.say(hours * 30, every_ms=60_000)
    box.kill()
    box.start()
    box.say(hours * 30, every_ms=60_000)
    for server in live.values():
        server.start()
    box.until_sent(live)


def _round(box, fake, vm, rng, number):
    if number % 3 == 1:
        box.step_clock(rng.choice((-3600, -7, 5, 1800)))
    if rng.random() < 0.6:
        fake.script(*({**rng.choice(FAULTS), "count": rng.randrange(1, 3)} for _ in range(3)))
    for _ in range(3):
        box.say(rng.randrange(5, 60))
        time.sleep(rng.uniform(0.0, 0.6))
    # Most kills hit a server that has just acknowledged something.
    if rng.random() < 0.8:
        box.until_sent(("vm",) if _victim_is_vm(number, vm) else ("fake",))
    victim = (box, fake, vm)[number % 3] or fake
    victim.kill()
    if rng.random() < 0.5:
        box.say(rng.randrange(5, 60))
    victim.start()


def _victim_is_vm(number, vm):
    return number % 3 == 2 and vm is not None


def _end(box, fake, vm, live, *, rounds, hours):
    fake.script()
    box.say(20)
    known = box.until_sent(live)
    assert known["dead"].health.value == "unreachable", known["dead"]
    missing, more = box.compare_strict(fake.held())
    stats = fake.stats()
    numbers = {
        "rounds": rounds,
        "hours": hours,
        "samples": sum(points.total() for points in box.told.values()),
        "hangs": box.hangs,
        "kills": {"box": box.kills, **{name: server.kills for name, server in live.items()}},
        "fake": {"missing": missing, "more": more, "changed": stats["changed"], "answers": stats["counts"]},
        "sinks": {name: _told(status) for name, status in known.items()},
    }
    if vm is not None:
        lacking, extra, other = box.compare_ms(vm.held())
        numbers["vm"] = {"missing": lacking, "more": extra, "other": other}
    numbers["passed"] = missing == more == stats["changed"] == 0 and not any(numbers.get("vm", {}).values())
    return numbers


def _told(status):
    names = ("samples_sent", "requests", "failures", "rewinds", "quarantined", "lost_inputs", "lag_inputs", "lag_s")
    return {"health": status.health.value, **{name: getattr(status, name) for name in names}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--series", type=int, default=50)
    parser.add_argument("--seed", type=int, action="append", help="may be repeated; default 1")
    parser.add_argument("--scratch", type=Path, help="where a folder is made that is removed at the end")
    parser.add_argument("--results", type=Path, default=Path("fault-results"))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended too
    if Victoria.PROGRAM is None:
        sys.stderr.write("victoria-metrics is not installed: only the fake server is tried\n")
    results, passed = Results(options.results), True
    for seed in options.seed or [1]:
        told = {name: getattr(options, name) for name in ("rounds", "hours", "series")} | {"seed": seed}
        key = "sinks/" + "/".join(f"{name}={value}" for name, value in told.items())
        known = results.known.get(key)
        if known is None or not known["passed"]:
            known = _one(options.scratch, told)
            results.add(key, passed=known["passed"], detail="", numbers=known)
            print(json.dumps(known), flush=True)
        passed = passed and known["passed"]
    return 0 if passed else 1


def _one(scratch, told):
    def tell(text):
        sys.stderr.write(f"seed {told['seed']}: {text}, {time.monotonic() - began_s:.0f} s\n")
        sys.stderr.flush()

    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kangle-sinks-", dir=scratch and scratch.resolve()) as folder:
        numbers = run(Path(folder), victoria=Victoria.PROGRAM is not None, tell=tell, **told)
        return {**told, **numbers, "seconds": round(time.monotonic() - began_s, 1)}


if __name__ == "__main__":
    raise SystemExit(main())
