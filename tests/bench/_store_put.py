"""How long a commit of facts takes beside the history that seals a backlog: on the disk as it is, and with each sync
slowed to ``SLOW_MS`` by strace, in a process of its own.

The hard part is a machine that others use too: each put is followed by a write and sync of as many bytes through a
thread that must be woken, as the store's writer must; what that takes is no fault of the store. How long both threads
of a put waited for a processor, of this machine or of its host, is taken off in a line of its own, without a bar: the
waits may overlap.

With slow syncs the syncs of each put are taken off, as strace saw them: what is left is the store's own. But strace
holds a thread until it has a processor itself, behind the history and all that runs beside: seen as up to 20 ms a sync
which the store then seemed to dawdle, and up to 30 where the host takes strace's own processor away. So it goes ahead
of all others where that is allowed, how long it waited nevertheless is told, and a sync ends when the writer says so.
What a bare write and sync take beyond their own sync on the same slow disk is told as well.

The history runs as its unit file has it, behind everybody; the puts are those of any daemon."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from _report import Result, quantile, result
from _store_data import Sensors
from _store_ours import Follower, Ours
from _syncs import Moments, beyond, syncs_of

SLOW_MS = 50.0
#: Puts a second while the disk is as it is.
PACE_S = 0.02
#: Of so many puts on the slow disk one is followed by a bare write and sync.
BARE_EVERY = 4
#: About what the log of one batch writes.
RECORD = bytes(12_288)
BAR_MS = 20.0


class Load(NamedTuple):
    """``series`` in a batch; ``backlog`` batches wait to be sealed; puts on the disk as it is, and on the slow one."""

    series: int
    backlog: int
    puts: int
    slow_puts: int


class _Slow(NamedTuple):
    """What strace told: when each sync of the store's writer, and of the bare thread, began, and how long it took."""

    syncs: list[tuple[float, float]]
    bare: list[tuple[float, float]]


class _Bare(threading.Thread):
    """Writes and syncs when it is asked to."""

    def __init__(self, path: Path) -> None:
        super().__init__(name="bare", daemon=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT)
        os.pwrite(self._fd, RECORD, 0)
        os.fsync(self._fd)
        self._asked, self._done = threading.Event(), threading.Event()
        self.synced_s = 0.0

    def run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            os.pwrite(self._fd, RECORD, 0)
            os.fdatasync(self._fd)
            self.synced_s = time.time()
            self._done.set()

    def put(self) -> None:
        self._done.clear()
        self._asked.set()
        self._done.wait()


def child(folder: Path, puts: int, series: int, *, slow: bool) -> None:
    """Time ``puts`` while the history seals what is there; the moments as JSON on stdout."""
    follower = Follower(folder / "ours", installed=True)
    store, bare = Ours(folder / "ours", series), _Bare(folder / "bare")
    bare.start()
    writer = next(thread.native_id for thread in threading.enumerate() if thread.name == "facts-writer")
    threads = (f"self/task/{writer}", f"self/task/{threading.get_native_id()}")
    tracer = _tracer()
    moments, floors, queued_ms, held_ms = [], [], [], []
    for number, values in enumerate(Sensors(series, 7).ticks(puts)):
        before_ms, held_before_ms = sum(map(_queued_ms, threads)) + _stolen_ms(), _queued_ms(tracer)
        begun = time.time()
        store.put(number + 100_000, values)
        end = time.time()
        moments.append((begun, store.synced_s, end))
        queued_ms.append(sum(map(_queued_ms, threads)) + _stolen_ms() - before_ms)
        held_ms.append(_queued_ms(tracer) - held_before_ms)
        if not slow or number % BARE_EVERY == 0:
            begun = time.time()
            bare.put()
            end = time.time()
            floors.append((begun, bare.synced_s, end))
        if not slow:
            time.sleep(max(0.0, PACE_S - (time.time() - moments[-1][0])))
    told = follower.finish(store.seq)
    store.close()
    said = {"writer": writer, "bare": bare.native_id, "moments": moments, "floors": floors, "slabs": told["slabs"]}
    print(json.dumps({**said, "queued_ms": queued_ms, "held_ms": held_ms}))


def _tracer() -> str:
    """Who traces this process, as a folder of /proc; "" nobody."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    pid = next(line.split()[1] for line in lines if line.startswith("TracerPid:"))
    return pid if pid != "0" else ""


def _stolen_ms() -> float:
    """How long the host of a virtual machine kept its processors for others (/proc/stat, steal, in steps of 10 ms)."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=9)
    return int(fields[8]) * 1e3 / os.sysconf("SC_CLK_TCK")


def _queued_ms(task: str) -> float:
    """How long a thread that could run has waited for a processor (/proc/<pid>/schedstat, second number)."""
    return int(Path(f"/proc/{task}/schedstat").read_text(encoding="ascii").split()[1]) / 1e6 if task else 0.0


def put_beside_sealing(folder: Path, out: list[Result], load: Load) -> None:
    """Both runs; the slow one only where there is strace."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        told, _ = _run(Path(name), load, load.puts, slow=False)
        times = [(end - begun) * 1e3 for begun, _, end in told["moments"]]
        own = [took - queued for took, queued in zip(times, told["queued_ms"], strict=True)]
        out.append(result("put beside sealing, p50", quantile(times, 0.5), "ms"))
        out.append(result("put beside sealing, p99", quantile(times, 0.99), "ms"))
        out.append(result("put beside sealing, p99.9", quantile(times, 0.999), "ms", target=BAR_MS))
        out.append(result("  of it not waiting for a processor or the host, p99.9", quantile(own, 0.999), "ms"))
        floor = [(end - begun) * 1e3 for begun, _, end in told["floors"]]
        out.append(result("bare write and sync then, p99.9", quantile(floor, 0.999), "ms"))
        out.append(result("slabs sealed meanwhile", told["slabs"], ""))
    if shutil.which("strace") is None:
        return
    with tempfile.TemporaryDirectory(dir=folder) as name:
        told, (syncs, bare) = _run(Path(name), load, load.slow_puts, slow=True)
        times = [(end - begun) * 1e3 for begun, _, end in told["moments"]]
        own = [beyond(Moments(*each), syncs, SLOW_MS) for each in told["moments"]]
        floor = [beyond(Moments(*each), bare, SLOW_MS) for each in told["floors"]]
        running = [took - queued for took, queued in zip(own, told["queued_ms"], strict=True)]
        out.append(result(f"put, syncs slowed to {SLOW_MS:g} ms, p50", quantile(times, 0.5), "ms"))
        out.append(result(f"put, syncs slowed to {SLOW_MS:g} ms, p99.9", quantile(times, 0.999), "ms"))
        out.append(result("  of it beyond its own syncs, p50", quantile(own, 0.5), "ms"))
        out.append(result("  of it beyond its own syncs, p99.9", quantile(own, 0.999), "ms", target=BAR_MS))
        out.append(result("  of that not waiting for a processor or the host, p99.9", quantile(running, 0.999), "ms"))
        out.append(result("bare write and sync then, beyond its sync, p99.9", quantile(floor, 0.999), "ms"))
        out.append(result("  strace held up for a processor, p99.9", quantile(told["held_ms"], 0.999), "ms"))
        out.append(result("  syncs a put, the slow disk", len(syncs) / len(own), ""))


def _run(folder: Path, load: Load, puts: int, *, slow: bool) -> tuple[dict[str, Any], _Slow]:
    store = Ours(folder / "ours", load.series)
    for second, values in enumerate(Sensors(load.series, 6).ticks(load.backlog)):
        store.put(second, values)
    store.close()
    command = [sys.executable, "-P", __file__, str(folder), str(puts), str(load.series), "slow" if slow else ""]
    log = folder / "trace"
    if slow:
        what = ["-f", "-qq", "--seccomp-bpf", "-ttt", "-T", "-e", "trace=fsync,fdatasync", "-e", "signal=none"]
        inject = f"inject=fsync,fdatasync:delay_exit={int(SLOW_MS * 1000)}"
        command = ["strace", *what, "-e", inject, "-o", str(log), *command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        if slow:
            _ahead_of_others(running.pid)
        try:
            said, _ = running.communicate(timeout=900)
        except BaseException:
            running.kill()
            raise
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command)
    told = json.loads(said.splitlines()[-1])
    if not slow:
        return told, _Slow([], [])
    trace = log.read_text()
    return told, _Slow(syncs_of(told["writer"], trace), syncs_of(told["bare"], trace))


def _ahead_of_others(pid: int) -> None:
    """Let strace, and not what it traces, have a processor as soon as it wants one; only root may."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))


if __name__ == "__main__":
    child(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), slow=sys.argv[4] == "slow")
