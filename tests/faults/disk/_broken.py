"""A disk that answers with errors, answers late or takes no writes: by strace, by a mount."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from _case import Case
from _disk import OPTIONS, Disk, calls
from _store import acknowledged, look
from _strace import Ran, write_attached, write_plainly, write_under

INPUTS = 160
#: How late a sync is, in the slice and in the long form.
SLOW_S = (1, 5)


def _after(case: Case, name: str, ran: Ran, directory: Path, acks: Path) -> None:
    """Whatever happened: what was promised is there and nothing else; a healthy disk goes on from it."""
    promised = acknowledged(acks)
    got = look(directory)
    case.trace.event(0, name, status=ran.status, told=ran.told, promised=promised, got=got)
    assert ran.status in {0, 3, 4}, f"{name}: the owner ended with {ran.status}"
    assert not got.wrong, f"{name}: {got}"
    assert not got.error, f"{name}: {got}"
    assert got.count >= promised, f"{name}: {promised} promised, {got.count} there"
    assert (promised == INPUTS) == (ran.status == 0), f"{name}: {promised} promised, status {ran.status}"
    again = write_plainly(directory, acks, INPUTS + 20)
    assert again.status == 0, f"{name}: {again.told}"
    assert look(directory).count == INPUTS + 20
    case.count("runs")
    case.count("failed_batches", ran.told.get("failed", 0))
    case.count("runs_with_failed_batches", bool(ran.told.get("failed", 0)))
    case.count("gave_up" if ran.status else "went_on")


def _errors(case: Case, errno: str, call: str, lengths: tuple[int, ...], reach: int) -> None:
    """Runs with faults that begin somewhere in the first ``reach`` calls, and so many of them that enough have met a
    batch: what hits only the opening, or nothing, is no test of a store at work."""
    wanted, number = case.pick(1, 5), 0
    while number < case.pick(3, 60) or case.numbers.get("runs_with_failed_batches", 0) < wanted:
        assert number < case.pick(30, 600), f"the faults hardly ever meet a batch: {case.numbers}"
        directory, acks = case.folder / f"s{number}", case.folder / f"a{number}"
        # A start reads everything, so it takes every fault of reads; a store at work reads what it has not in memory.
        open_first = call == "pread64" and number % 2 == 0
        length, first = case.rng.choice(lengths), case.rng.randrange(1, 8 if open_first else reach)
        which = case.rng.choice((("facts.db-wal",), ("facts.db",), ("facts.db", "facts.db-wal")))
        if open_first and not case.full:  # the slice has one such run: it must hit
            first, which = 1 + number // 2, ("facts.db", "facts.db-wal")
        paths = [word for name in which for word in ("-P", str(directory / name))]
        when = f"when={first}..{first + length}" if length else f"when={first}+"
        inject = f"inject={call}:error={errno}:{when}"
        options = ("-o", "/dev/null", *paths, "-e", f"trace={call}", "-e", inject)
        if open_first:
            assert write_plainly(directory, acks, INPUTS // 2).status == 0
        ran = (write_attached if open_first else write_under)(directory, acks, INPUTS, *options)
        _after(case, f"{inject} {which}", ran, directory, acks)
        shutil.rmtree(directory)
        number += 1


def full(case: Case) -> None:
    """ENOSPC at writes and at making room: for a moment, for a while, for good."""
    _errors(case, "ENOSPC", "pwrite64", (1, 20, 0), 250)


def broken_writes(case: Case) -> None:
    """EIO at writes."""
    _errors(case, "EIO", "pwrite64", (1, 20, 0), 250)


def broken_syncs(case: Case) -> None:
    """EIO at syncs: what a sync failed for was never promised."""
    _errors(case, "EIO", "fdatasync", (1, 5, 0), 40)


def broken_reads(case: Case) -> None:
    """EIO at reads: an error, never other bytes."""
    _errors(case, "EIO", "pread64", (1, 5, 0), 40)


def slow_syncs(case: Case) -> None:
    """Some syncs take seconds: nothing is promised before its sync has returned, and nothing is lost."""
    directory, acks, trace = case.folder / "slow", case.folder / "acks", case.folder / "trace"
    directory.mkdir()
    count = case.pick(24, 60)
    # The slice has few of them: of the opening, of commits, and of what is written back at the end.
    every = f"inject=fdatasync:delay_exit={case.pick(*SLOW_S)}s:when={case.pick('4+7', '2+3')}"
    ran = write_under(directory, acks, count, "-o", str(trace), *OPTIONS, "-e", every)
    assert ran.status == 0, ran.told
    assert acknowledged(acks) == count
    got = look(directory)
    assert (got.count, got.error, got.wrong) == (count, "", ""), got
    found = calls(trace)
    promises = [call for call in found if call.name == "write" and call.texts[0].strip().isdigit()]
    syncs = [call for call in found if call.name == "fdatasync" and call.result == 0]
    assert len(promises) == count
    delayed = [call for call in syncs if call.late]
    kept = [call for call in delayed if promises[0].ended < call.ended < promises[-1].ended]
    assert kept, "no promise had to wait for a slow sync"
    disk = Disk(directory, acks)
    for call in sorted(found, key=lambda each: each.begun if each.name == "write" else each.ended):
        disk.play(call)
        if call in promises:
            # What was promised is in what was synced, with nothing of what is on its way.
            image = case.folder / f"image-{disk.promised}"
            disk.cut(Nothing(), image)
            assert look(image).count >= disk.promised, "a promise before its sync has returned"
    case.count("promises", len(promises))
    case.count("slow", len(delayed))
    case.count("slow_before_a_promise", len(kept))
    case.count("syncs", len(syncs))


class Nothing(random.Random):
    """Draws as if nothing that was on its way had arrived."""

    def choice(self, seq):
        return seq[0]

    def random(self) -> float:
        return 0.99


def read_only(case: Case) -> None:
    """The file system takes no writes: a start is refused with the reason, reading goes on, and so does the day when it
    takes writes again."""
    with mounted_disk(case.folder / "disk") as disk:
        directory, acks = disk.path / "store", case.folder / "acks"
        assert write_plainly(directory, acks, 40).status == 0
        disk.set_writable(directory, writable=False)
        ran = write_plainly(directory, acks, 80)
        assert ran.status == 4, ran
        assert ran.told["refused"] in {"storage", "os", "locked"}, ran
        assert acknowledged(acks) == 40
        disk.set_writable(directory, writable=True)
        assert write_plainly(directory, acks, 80).status == 0
        assert look(directory).count == 80
        case.count("mounted" if disk.mounted else "by_mode_bits")


class MountedDisk(NamedTuple):
    """A file system of its own at ``path``, or (``mounted`` False) a plain folder."""

    path: Path
    mounted: bool

    def set_writable(self, directory: Path, *, writable: bool) -> None:
        """By a remount, else by the mode bits of what is in ``directory``."""
        if self.mounted:
            subprocess.run(["mount", "-o", f"remount,{'rw' if writable else 'ro'}", str(self.path)], check=True)
            return
        for path in (directory, *directory.iterdir()):
            path.chmod((0o700 if path.is_dir() else 0o600) if writable else (0o500 if path.is_dir() else 0o400))


@contextmanager
def mounted_disk(path: Path) -> Iterator[MountedDisk]:
    """A new file system in memory where that may be mounted."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(path)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield MountedDisk(path, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", path], check=True)
