"""A long run of the charging bench in pieces: on all processes, with progress, and resumable.

A piece is up to 200 sessions of one case (simulating one costs as much as many); its random stream hangs on seed,
family, case and its own number alone, so neither the number of processes nor an interruption changes a score. With a
file to keep, each finished piece is a line of JSON in it; a piece found there is not run again, unless the generator,
the detector or the judges have changed since (a digest of their sources stands in the line).
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np
from _charging_score import Score, run_case

from firmware_sim.battery_cases import CASES, Case

#: Sessions of a piece; scenes in steps of a second hold ten times as many numbers.
PIECE, FINE_PIECE = 200, 100
ROOT = Path(__file__).resolve().parents[2]
#: All that decides a score.
SOURCES = (
    "edge/domain/garage/charging*.py",
    "edge/domain/garage/full*.py",
    "edge/domain/garage/settings.py",
    "firmware_sim/battery*.py",
    "tests/bench/_charging_rules.py",
    "tests/bench/_charging_score.py",
)
TELL_EVERY_S = 20.0
Table = dict[str, dict[str, Score]]


@dataclass(frozen=True)
class Piece:
    """``sessions`` of one case, the ``number``-th such piece."""

    case: str
    family: str
    seed: int
    number: int
    sessions: int


class Kept(msgspec.Struct):
    """A finished piece as a line of the file."""

    digest: str
    piece: Piece
    scores: dict[str, Score]


def digest() -> str:
    """Of the sources that decide a score, and of the arrays' library."""
    found = hashlib.sha256(np.__version__.encode())
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def piece_size(case: Case) -> int:
    return PIECE if case.dt_s >= 10 else FINE_PIECE


def pieces_of(cases: list[Case], family: str, sessions: int, seed: int) -> list[Piece]:
    """Piece 0 of every case first, so that a run that is broken off has looked at them all."""
    found = [
        Piece(case.name, family, seed, number, min(piece_size(case), sessions - first))
        for case in cases
        for number, first in enumerate(range(0, sessions, piece_size(case)))
    ]
    return sorted(found, key=lambda piece: piece.number)


def run_piece(piece: Piece) -> tuple[Piece, dict[str, Score]]:
    case = next(case for case in CASES if case.name == piece.case)
    return piece, run_case(case, piece.family, piece.sessions, piece.seed, piece.number)


def kept_so_far(cases: list[Case], family: str, sessions: int, seed: int, keep: Path) -> Table:
    """What a broken-off run has scored; cases without a finished piece are left out."""
    kept, wanted = _read(keep, digest()), pieces_of(cases, family, sessions, seed)
    done = [(piece, kept[piece]) for piece in wanted if piece in kept]
    return {name: rules for name, rules in _joined(cases, done).items() if rules}


def run(cases: list[Case], family: str, sessions: int, seed: int, jobs: int, keep: Path | None = None) -> Table:
    """All pieces, those kept in ``keep`` from there; scores joined by case and rule."""
    wanted, version = pieces_of(cases, family, sessions, seed), digest()
    kept = _read(keep, version) if keep else {}
    done = {piece: kept[piece] for piece in wanted if piece in kept}
    began, told = time.monotonic(), 0.0
    for piece, scores in _run_pieces([piece for piece in wanted if piece not in done], jobs):
        done[piece] = scores
        if keep:
            with keep.open("ab") as file:
                file.write(b"\n" + msgspec.json.encode(Kept(version, piece, scores)) + b"\n")
        passed = time.monotonic() - began
        if passed - told >= TELL_EVERY_S:
            told = passed
            print(f"{len(done)} of {len(wanted)} pieces after {passed:.0f} s", file=sys.stderr, flush=True)
    return _joined(cases, [(piece, done[piece]) for piece in wanted])


def _run_pieces(pieces: list[Piece], jobs: int) -> Iterator[tuple[Piece, dict[str, Score]]]:
    if jobs <= 1 or len(pieces) <= 1:
        yield from map(run_piece, pieces)
        return
    with get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(run_piece, pieces, chunksize=1)


def _read(keep: Path, version: str) -> dict[Piece, dict[str, Score]]:
    """What the file has of this version; a last line that was torn by an interruption is run again."""
    found: dict[Piece, dict[str, Score]] = {}
    for line in keep.read_bytes().splitlines() if keep.exists() else ():
        try:
            kept = msgspec.json.decode(line, type=Kept)
        except msgspec.MsgspecError:
            continue
        if kept.digest == version:
            found[kept.piece] = kept.scores
    return found


def _joined(cases: list[Case], done: list[tuple[Piece, dict[str, Score]]]) -> Table:
    table: Table = {case.name: {} for case in cases}
    for piece, scores in done:
        for rule, score in scores.items():
            table[piece.case].setdefault(rule, Score()).add(score)
    return table
