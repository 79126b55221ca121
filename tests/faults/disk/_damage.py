"""Killed processes, torn ends and flipped bits: what a store says of itself afterwards."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from _case import Case
from _store import Looked, acknowledged, copied, look
from _strace import ROOT, write_plainly

from edge.storage.backup_stores import StoreFile
from edge.storage.migrate import packaged
from edge.storage.verify import verify_store

CHILD = ROOT / "tests" / "storage" / "writing_child.py"
WAL_HEADER, WAL_FRAME = 32, 24 + 4096
INPUTS = 300


def kills(case: Case) -> None:
    """kill -9 at seeded points of a transaction, and from outside; the store is opened and compared each time."""
    child = subprocess.Popen(
        [sys.executable, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        before = 0
        for number in range(case.pick(12, 400)):
            if number % 20 == 0:  # a new store, or each look would take longer than the one before
                before = 0
            directory, acks = case.folder / f"store-{number // 20}", case.folder / "acks"
            acks.write_bytes(b"")
            _one_life(child, directory, acks, case.rng, inside=number % 2 == 1)
            promised, got = acknowledged(acks), look(directory)
            case.trace.event(number, "killed", promised=promised, got=got)
            assert (got.error, got.wrong) == ("", ""), f"round {number}: {got}"
            assert got.count >= max(promised, before), f"round {number}: {promised} promised, {got.count} there"
            case.count("rounds")
            case.count("promised", promised - before if promised > before else 0)
            before = got.count
    finally:
        child.stdin.close()
        child.wait(60)
        child.stdout.close()


def _one_life(child, directory: Path, acks: Path, draw: random.Random, *, inside: bool) -> None:
    seed = draw.randrange(1, 1 << 30) if inside else 0
    child.stdin.write(f"{directory} {seed} {acks}\n")
    child.stdin.flush()
    pid = int(child.stdout.readline())
    if not inside:
        wanted, until = draw.randrange(1, 200), time.monotonic() + 60
        while acks.stat().st_size < wanted:
            assert time.monotonic() < until, "the writer promises nothing"
            time.sleep(0.0005)
        time.sleep(draw.random() * 0.003)
        os.kill(pid, signal.SIGKILL)
    assert int(child.stdout.readline()) == -signal.SIGKILL


def _live_files(case: Case) -> Path:
    """The files of a store that is open, with commits that are only in the write-ahead log."""
    directory, acks = case.folder / "live", case.folder / "live-acks"
    child = subprocess.Popen(
        [sys.executable, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    child.stdin.write(f"{directory} 0 {acks}\n")
    child.stdin.flush()
    pid = int(child.stdout.readline())
    until = time.monotonic() + 60
    while acknowledged(acks) < 60:
        assert time.monotonic() < until, "the writer promises nothing"
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    child.stdout.readline()
    child.stdin.close()
    child.wait(60)
    child.stdout.close()
    return directory


def _judge(case: Case, directory: Path, least: int, most: int) -> Looked:
    """Refused or exactly the first inputs, with all that they caused; never something else."""
    got = look(directory)
    assert not got.wrong, got
    if got.error:
        case.count("refused")
    else:
        assert least <= got.count <= most, got
        case.count("whole" if got.count == most else "shorter")
    shutil.rmtree(directory)
    return got


def _used(wal: bytes) -> int:
    """Bytes of the log that were written; the rest is the zeros that it was lengthened by."""
    return len(wal.rstrip(b"\0"))


def torn_log(case: Case) -> None:
    """The write-ahead log is cut at any byte: what is before the cut is there, batch by batch."""
    live = _live_files(case)
    whole = (live / "facts.db-wal").read_bytes()
    used, most = _used(whole), look(copied(live, case.folder / "most")).count
    counts = []
    offsets = sorted(case.rng.sample(range(used + 1), case.pick(40, 2000)))
    for number, cut in enumerate(offsets):
        directory = copied(live, case.folder / f"torn-{number}")
        (directory / "facts.db-wal").write_bytes(whole[:cut])
        counts.append(_judge(case, directory, 0, most).count)
        case.count("offsets")
    assert counts == sorted(counts), "a longer log can only hold more"


def flipped_log(case: Case) -> None:
    """Bits of the write-ahead log flip: what is before them is there, nothing behind them is made up."""
    live = _live_files(case)
    whole = (live / "facts.db-wal").read_bytes()
    used, most = _used(whole), look(copied(live, case.folder / "most")).count
    for number in range(case.pick(40, 2000)):
        data = bytearray(whole)
        for _ in range(case.rng.choice((1, 1, 1, 8, 64))):
            data[case.rng.randrange(used)] ^= 1 << case.rng.randrange(8)
        directory = copied(live, case.folder / f"flip-{number}")
        (directory / "facts.db-wal").write_bytes(data)
        _judge(case, directory, 0, most)
        case.count("offsets")


def torn_main(case: Case) -> None:
    """The main file is cut at any byte: the store is refused, never opened with what is left."""
    source = _closed_store(case)
    whole = (source / "facts.db").read_bytes()
    for number, cut in enumerate(sorted(case.rng.sample(range(1, len(whole)), case.pick(20, 1000)))):
        directory = case.folder / f"cut-{number}"
        directory.mkdir()
        (directory / "facts.db").write_bytes(whole[:cut])
        got = look(directory)
        assert got.error, f"cut at {cut} of {len(whole)}: {got}"
        case.count("offsets")
        case.count("refused")
        shutil.rmtree(directory)


def flipped_main(case: Case) -> None:
    """A bit of the main file flips. Refused, or found by ``store verify``, or nothing that was written is another."""
    source = _closed_store(case)
    whole = (source / "facts.db").read_bytes()
    store = StoreFile("canteen/facts.db", packaged("canteen")[-1].version)
    clean = {(each.check, each.what) for each in verify_store(_placed(case, whole, "clean"), store, _silent)}
    for number in range(case.pick(60, 3000)):
        data = bytearray(whole)
        at = case.rng.randrange(len(data))
        data[at] ^= 1 << case.rng.randrange(8)
        site = _placed(case, data, f"flip-{number}")
        found = {(each.check, each.what) for each in verify_store(site, store, _silent)} - clean
        got = look(site / "canteen")
        case.count("offsets")
        if got.error:
            case.count("refused")
        elif got.wrong:
            case.trace.event(number, "wrong", at=at, wrong=got.wrong, found=sorted(found))
            assert found, f"byte {at}: {got.wrong}, and nobody says so"
            case.count("found_by_verify")
        else:
            case.count("found_by_verify" if found else "harmless")
        shutil.rmtree(site)


def _placed(case: Case, data: bytes | bytearray, name: str) -> Path:
    (case.folder / name / "canteen").mkdir(parents=True)
    (case.folder / name / "canteen" / "facts.db").write_bytes(data)
    return case.folder / name


def _closed_store(case: Case) -> Path:
    directory = case.folder / "closed"
    assert write_plainly(directory, case.folder / "closed-acks", INPUTS).status == 0
    assert look(directory) == Looked(INPUTS, "", "")
    return directory


def _silent(_stage: str, _done: int, _total: int) -> None:
    pass
