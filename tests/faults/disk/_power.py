"""Power cuts on a disk that drops what was not synced (``_disk``): the stated loss window, proven both ways."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
from _case import Case
from _disk import OPTIONS, Disk, cuts
from _store import look
from _strace import LIMIT_S, ROOT, write_under

from edge.storage import facts, log_table
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord

INPUTS = 150


def _cut_often(
    case: Case, name: str, cuts_wanted: int, *options: str, planted: str = ""
) -> list[tuple[int, int, str]] | None:
    """Run the writer once and cut the power at ``cuts_wanted`` or so of its calls; gives what was broken: (promised,
    there, why); None when an injected error kept the store from opening."""
    directory, acks, trace = case.folder / name, case.folder / f"{name}-acks", case.folder / f"{name}-trace"
    directory.mkdir()
    ran = write_under(directory, acks, INPUTS, "-o", str(trace), *OPTIONS, *options, planted=planted)
    if ran.status == 4 and options:
        return None
    assert ran.status == 0, ran.told
    disk, broken = Disk(directory, acks), []
    for number, _ in cuts(trace, disk, lambda _number, total: case.rng.random() < cuts_wanted / total):
        image = case.folder / f"{name}-image"
        disk.cut(case.rng, image)
        got = look(image)
        if got.wrong or got.count < disk.promised or (got.error and disk.promised):
            broken.append((disk.promised, got.count, got.wrong or got.error or "promised and lost"))
            case.trace.event(number, "broken", promised=disk.promised, got=got)
        case.count("cuts")
        shutil.rmtree(image)
    assert disk.promised == INPUTS
    case.count("syncs", disk.syncs)
    shutil.rmtree(directory)
    trace.unlink()
    return broken


def power_cuts(case: Case) -> None:
    """Nothing acknowledged is lost, and what is there is whole, wherever the power goes."""
    for number in range(case.pick(1, 20)):
        broken = _cut_often(case, f"cut-{number}", case.pick(60, 200))
        assert broken == [], broken[:3]


def power_cuts_after_failed_syncs(case: Case) -> None:
    """The same when syncs failed before, and what they should have written is gone."""
    done = 0
    for number in range(100):
        first = case.rng.randrange(9, 40)
        inject = f"inject=fdatasync:error=EIO:when={first}..{first + case.rng.choice((0, 2, 9))}"
        broken = _cut_often(case, f"sync-{number}", case.pick(50, 200), "-e", inject)
        if broken is None:  # it hit the opening, which was refused in words
            case.count("refused")
            continue
        assert broken == [], broken[:3]
        done += 1
        if done == case.pick(1, 20):
            return
    raise AssertionError("no failed sync met a store that was open")


def the_disk_can_tell(case: Case) -> None:
    """A store that syncs less than it promises is found out on this disk, or the two above prove nothing."""
    for planted in ("NORMAL", "OFF"):
        broken = _cut_often(case, f"planted-{planted}", case.pick(30, 200), planted=planted)
        assert broken, f"synchronous = {planted} was not found out"
        case.count(f"found_{planted}", len(broken))


#: What the README promises of readings that nobody waits for.
WINDOW_S = 1.0


def readings(case: Case) -> None:
    """A daemon that only reads: at any cut, every reading that came more than 1 s before is on the disk. The machine's
    own slowness under strace (its longest pause between two calls, its longest sync) comes on top of the second."""
    toy = _toy()
    directory, given, trace = case.folder / "store", case.folder / "given", case.folder / "trace"
    directory.mkdir()
    count = case.pick(120, 250)
    command = ["strace", "-f", "--seccomp-bpf", "-qq", "-ttt", "-o", trace, *OPTIONS, "--", sys.executable]
    program = [Path(__file__).with_name("_reading_daemon.py"), directory, given, str(count)]
    ran = subprocess.run([*command, *program], capture_output=True, text=True, check=False, timeout=LIMIT_S, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr[-2000:]
    disk, worst_s, pause_s, before_s = Disk(directory, given), 0.0, 0.0, 0.0
    facts.CHECKPOINT_PAGES = 16
    wanted = case.pick(40, 300)
    share = 0.0

    def every(_number: int, total: int) -> bool:
        nonlocal share
        share = 3 * wanted / total
        return True

    for number, at_s in cuts(trace, disk, every):
        if 0 < disk.promised < count:
            pause_s = max(pause_s, at_s - before_s)
        before_s = at_s
        if not disk.promised or case.rng.random() > share:
            continue
        image = case.folder / "image"
        disk.cut(case.rng, image)
        there = _readings_of(image, toy)
        shutil.rmtree(image)
        assert there == list(range(1, len(there) + 1)), f"cut {number}: readings with a hole: {there[-5:]}"
        lost = [when_s for reading, when_s in disk.promised_s.items() if reading > len(there)]
        if lost:
            worst_s = max(worst_s, at_s - min(lost))
        case.count("cuts")
    case.numbers |= {"worst_loss_s": round(worst_s, 3), "longest_pause_s": round(pause_s, 3), "readings": disk.promised}
    assert disk.promised == count
    assert worst_s <= WINDOW_S + 2 * pause_s + 0.2, f"{worst_s:.3f} s of readings were lost"


def _toy():
    spec = importlib.util.spec_from_file_location("kangle_disk_toy", ROOT / "tests" / "runtime" / "toy.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _readings_of(image: Path, toy) -> list[int]:
    """The readings in the log of a disk image, by their number."""
    store = FactsStore.open(image, toy.KERNEL.row_types, schema=toy.schema(), ballast_bytes=0)
    try:
        found = []
        for record in log_table.read(store._reader, 1):
            assert isinstance(record, LogRecord), record
            told = msgspec.msgpack.decode(record.input) if record.input else {}
            body = told.get("body", {}) if isinstance(told, dict) else {}
            if body.get("type") == "plate_pass":
                found.append(body["status"])
        return found
    finally:
        store.close()
