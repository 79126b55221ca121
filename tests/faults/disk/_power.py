"""Power cuts on a disk that drops what was not synced (``_disk``): the stated loss window, proven both ways."""

from __future__ import annotations

import shutil

from _case import Case
from _disk import OPTIONS, Disk, cuts
from _store import look
from _strace import write_under

INPUTS = 150


def _cut_often(case: Case, name: str, cuts_wanted: int, *options: str, planted: str = "") -> list[tuple[int, int, str]]:
    """Run the writer once and cut the power at ``cuts_wanted`` or so of its calls; gives what was broken: (promised,
    there, why)."""
    directory, acks, trace = case.folder / name, case.folder / f"{name}-acks", case.folder / f"{name}-trace"
    directory.mkdir()
    ran = write_under(directory, acks, INPUTS, "-o", str(trace), *OPTIONS, *options, planted=planted)
    assert ran.status == 0, ran.told
    disk, broken = Disk(directory, acks), []
    for number in cuts(trace, disk, lambda _number, total: case.rng.random() < cuts_wanted / total):
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
    for number in range(case.pick(1, 20)):
        first = case.rng.randrange(9, 40)
        inject = f"inject=fdatasync:error=EIO:when={first}..{first + case.rng.choice((0, 2, 9))}"
        broken = _cut_often(case, f"sync-{number}", case.pick(50, 200), "-e", inject)
        assert broken == [], broken[:3]


def the_disk_can_tell(case: Case) -> None:
    """A store that syncs less than it promises is found out on this disk, or the two above prove nothing."""
    for planted in ("NORMAL", "OFF"):
        broken = _cut_often(case, f"planted-{planted}", case.pick(30, 200), planted=planted)
        assert broken, f"synchronous = {planted} was not found out"
        case.count(f"found_{planted}", len(broken))
