"""The history (samples.db) on a disk that fails, is slow, takes no writes or loses its power, and killed at any point.

The rule is that of ``_history_look``: detect or recover, never lie.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from _broken import SLOW_S, mounted_disk
from _case import Case
from _disk import OPTIONS, Disk, calls, cuts
from _history_life import INPUTS
from _history_look import Seen, copied, look
from _strace import Life, Ran, live_plainly, live_under

from edge.domain.canteen.rows import ROW_TYPES
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore

#: The lives of one run of strace: starting Python and numpy under it costs as much as three lives.
TOGETHER = 6
#: What ``_history_writer`` tells of failures, and which of its acts they are of.
FAILURES = ("seals_failed", "tidys_failed", "tidies_failed", "carrys_failed", "follows_failed", "gone_storage")


def _after(case: Case, name: str, ran: Ran, life: Life) -> None:
    """Whatever happened: the answers are right or refused with a reason, and a healthy disk goes on to the end."""
    case.trace.event(0, name, status=ran.status, told=ran.told)
    assert ran.status in {0, 3, 4}, f"{name}: the owner ended with {ran.status}: {ran.told}"
    assert not ran.told.get("wrong"), f"{name}: {ran.told}"
    assert ran.told.get("refused", "storage") in {"storage", "os"}, f"{name}: {ran.told}"
    assert not ran.told.get("aside"), f"{name}: a sound file was set aside: {ran.told}"
    if (life.directory / "facts.db").exists():
        seen = _after_start(life.directory, life.sent, life.retention, deep=False)
        assert (seen.wrong, seen.error, seen.aside) == ("", "", False), f"{name}: {seen}"
    again = live_plainly(life._replace(seed=life.seed + 1))
    assert again.status == 0, f"{name}: {again}"
    seen = look(life.directory, life.sent, life.retention)
    assert (seen.head, seen.wrong, seen.error) == (life.count, "", ""), f"{name}: {seen}"
    case.count("lives")
    failed = {word: ran.told[word] for word in FAILURES if ran.told.get(word)}
    for word, count in failed.items():
        case.count(word, count)
    case.count("met", bool(failed) or ran.status != 0)
    case.count("refused" if ran.status == 4 else "gave_up" if ran.status == 3 else "went_on")


def _errors(case: Case, errno: str, call: str, reach: int) -> None:
    """Faults at ``call`` on samples.db or its log, beginning somewhere in its first ``reach`` calls; lives are drawn
    until enough of them have met one."""
    wanted, number = case.pick(1, 30), 0
    while case.numbers.get("met", 0) < wanted:
        assert number < 10 + 4 * wanted, f"the faults hardly ever hit: {case.numbers}"
        lives = []
        for _ in range(case.pick(1, TOGETHER)):
            folder = case.folder / f"life-{number}"
            folder.mkdir()
            retention = case.rng.choice(("keep", "retain"))
            lives.append(Life(folder / "store", folder / "sent", INPUTS, case.rng.randrange(1 << 20), retention))
            number += 1
        inject, names = _fault(case, reach)
        paths = [word for life in lives for name in names for word in ("-P", str(life.directory / name))]
        options = ("-o", "/dev/null", *paths, "-e", f"trace={call}", "-e", f"inject={call}:error={errno}:{inject}")
        for life, ran in zip(lives, live_under(lives, *options), strict=True):
            _after(case, f"{call} {errno} {inject} {names} seed {life.seed} {life.retention}", ran, life)
            shutil.rmtree(life.directory.parent)


def _fault(case: Case, reach: int) -> tuple[str, tuple[str, ...]]:
    """When, and on which files. The slice has one life to hit: in the middle of its work, for a while."""
    both = ("samples.db", "samples.db-wal")
    if not case.full:
        first = case.rng.randrange(reach // 4, reach // 2)
        return f"when={first}..{first + 40}", both
    first, length = case.rng.randrange(1, reach), case.rng.choice((0, 1, 5, 40, None))
    names = case.rng.choice((both[1:], both[:1], both))
    return f"when={first}+" if length is None else f"when={first}..{first + length}", names


def full(case: Case) -> None:
    """ENOSPC at writes: for a moment, for a while, for good."""
    _errors(case, "ENOSPC", "pwrite64", 250)


def broken_writes(case: Case) -> None:
    """EIO at writes."""
    _errors(case, "EIO", "pwrite64", 250)


def broken_syncs(case: Case) -> None:
    """EIO at syncs: what a sync failed for is not sealed, and no cursor passed it."""
    _errors(case, "EIO", "fdatasync,fsync", 60)


def broken_reads(case: Case) -> None:
    """EIO at reads: an error, never other samples, and never a file that is called damaged for it."""
    _errors(case, "EIO", "pread64", 120)


def slow_syncs(case: Case) -> None:
    """Some syncs of samples.db take seconds: late is all that happens."""
    directory, sent, trace = case.folder / "slow", case.folder / "sent", case.folder / "trace"
    directory.mkdir()
    life = Life(directory, sent, INPUTS, 3)
    paths = [word for name in ("samples.db", "samples.db-wal") for word in ("-P", str(directory / name))]
    every = f"inject=fdatasync:delay_exit={case.pick(*SLOW_S)}s:when={case.pick('6+40', '3+6')}"
    (ran,) = live_under([life], "-o", str(trace), *paths, "-e", "trace=fdatasync", "-e", every)
    delayed = sum(call.late for call in calls(trace))
    assert delayed, "no sync was slow"
    case.count("slow", delayed)
    assert ran.status == 0, ran.told
    _after(case, "slow", ran, life)


def kills(case: Case) -> None:
    """kill -9 in the middle of seals, roll-ups and retention, and from outside; looked at and lived on each time."""
    for number in range(case.pick(6, 150)):
        folder = case.folder / f"store-{number // 8}"
        if number % 8 == 0:
            folder.mkdir()
            retention = case.rng.choice(("keep", "retain"))
        life = Life(folder / "store", folder / "sent", INPUTS, case.rng.randrange(1 << 20), retention)
        if number % 2:
            ran = live_plainly(life, kill_after_s=case.rng.uniform(0.01, 0.5))
        else:
            ran = live_plainly(life._replace(die_at=case.rng.randrange(1, 1500)))
        assert ran.status in {0, -9}, ran
        case.count("killed", ran.status == -9)
        if not (life.directory / "facts.db").exists():
            continue
        image = copied(life.directory, folder / "image")
        for place, deep in ((life.directory, False), (image, True)):
            seen = _after_start(place, life.sent, retention, deep=deep)
            case.trace.event(number, "killed", seen=seen)
            assert (seen.wrong, seen.error, seen.aside) == ("", "", False), f"round {number}: {seen}"
        shutil.rmtree(image)
        if ran.status == 0 or number % 8 == 7:
            shutil.rmtree(life.directory)
            life.sent.unlink(missing_ok=True)
        case.count("rounds")


def power_cuts(case: Case) -> None:
    """The power goes; facts.db and samples.db have what was synced, and a torn part of the rest. No gap at all: what
    was pruned from the log had been sealed on this very disk. (A long form of more is one of more seeds.)"""
    for number in range(case.pick(1, 2)):
        folder = case.folder / f"cut-{number}"
        directory, sent, trace = folder / "store", folder / "sent", folder / "trace"
        directory.mkdir(parents=True)
        retention = ("keep", "retain")[number % 2]
        life = Life(directory, sent, INPUTS, case.rng.randrange(1 << 20), retention)
        (ran,) = live_under([life], "-o", str(trace), *OPTIONS)
        assert ran.status == 0, ran
        disk, wanted = Disk(directory, sent), case.pick(20, 100)

        def chosen(_number: int, total: int, disk: Disk = disk, wanted: int = wanted) -> bool:
            """Most cuts at work: opening two new stores is half of all calls."""
            return case.rng.random() < (2 if disk.promised else 0.3) * wanted / total

        for at, _ in cuts(trace, disk, chosen):
            image = folder / "image"
            disk.cut(case.rng, image)
            seen = _after_start(image, disk.promised, retention)
            case.trace.event(at, "cut", seen=seen, sent=disk.promised)
            assert (seen.wrong, seen.error, seen.aside) == ("", "", False), f"cut {number}/{at}: {seen}"
            case.count("cuts")
            case.count("cuts_with_samples", seen.head > 0)
            shutil.rmtree(image)
        case.count("syncs", disk.syncs)
        shutil.rmtree(folder)


def _after_start(directory: Path, sent: Path | int, retention: str, *, deep: bool = True) -> Seen:
    """The daemon is started first, as on any start: it may have died while it made its file."""
    try:
        FactsStore.open(directory, ROW_TYPES, ballast_bytes=0).close()
    except StoreError as error:
        return Seen(0, f"facts.db: {error.text}", "")
    return look(directory, sent, retention, deep=deep)


def read_only(case: Case) -> None:
    """The file system turns read-only under a history that is at work, and at a start: errors with a reason, no sample
    lost, and on from there when it can be written again."""
    with mounted_disk(case.folder / "disk") as disk:
        life = Life(disk.path / "store", case.folder / "sent", INPUTS // 2, 5)
        assert live_plainly(life).status == 0
        disk.set_writable(life.directory, writable=False)
        ran = live_plainly(life._replace(count=INPUTS))
        assert (ran.status, ran.told["refused"] in {"storage", "os", "locked"}) == (4, True), ran
        disk.set_writable(life.directory, writable=True)
        _after(case, "read-only", ran, life._replace(count=INPUTS))
        case.count("mounted" if disk.mounted else "by_mode_bits")


#: Faults of a store that the look must see, or all the rest proves nothing.
PLANTED = {
    "missing": "DELETE FROM slab WHERE id = 2",
    "doubled": "UPDATE meta SET value = value - 30 WHERE key = 'seal_seq'",
    "ahead": "UPDATE cursor SET seq = seq + 5",
    "rolled-up": "DELETE FROM rollup WHERE level = 3600 AND series = 1",
}


def the_look_can_tell(case: Case) -> None:
    """A sample that is missing or doubled, roll-ups that lack an hour and a cursor that ran ahead are found out."""
    life = Life(case.folder / "store", case.folder / "sent", INPUTS, 1)
    assert live_plainly(life).status == 0
    for name, sql in PLANTED.items():
        image = copied(life.directory, case.folder / name)
        with closing(sqlite3.connect(image / "samples.db")) as connection, connection:
            connection.execute(sql)
        seen = look(image, life.sent, deep=False)
        case.trace.event(0, name, seen=seen)
        assert seen.wrong, f"{name} was not found out: {seen}"
        case.count("found")
