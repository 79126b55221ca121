"""samples.db torn and flipped at any byte: made again from the log, told as a gap, refused or found by verify.

Never another number, never a sample that goes without a word. ``--full`` asks a thousand offsets of each kind.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from edge.domain.field_devices import MeterReading
from edge.storage.backup_stores import StoreFile, site_stores
from edge.storage.errors import StoreError
from edge.storage.sample_history import SampleHistory
from edge.storage.verify import verify_store

S = 1_000_000_000
T0 = 1_795_000_000 * S
STORES = site_stores(("canteen",), StoreFile("api.db", 2))
POINTS, READINGS = 4, 360
#: What a start may answer instead of going on; each names the file and the remedy.
REFUSALS = {"newer", "schema", "storage"}


def value_of(seq):
    return round(20 + seq * 37 % 101 / 10, 1)


@pytest.fixture
def origin(sample_site, tmp_path):
    """A store with four seals and their roll-ups, as a power cut would leave it, and as it is when all is written."""
    history = SampleHistory(sample_site.directory, "canteen")
    for first in range(1, READINGS, READINGS // 4):
        said = [(n, T0 + n * 60 * S) for n in range(first, first + READINGS // 4)]
        late = {first + 3: T0 - 86_400 * S}
        sample_site.say(
            *(
                (MeterReading(point=f"p{n % POINTS}", power_w=value_of(n), source_wall_ns=late.get(n)), wall_ns)
                for n, wall_ns in said
            )
        )
        while history.step():
            pass
        if first + READINGS // 4 <= READINGS:
            history.seal()
            while history.tidy():
                pass
    sample_site.store.close()
    folder = tmp_path / "origin"
    folder.mkdir()
    for name in ("samples.db", "samples.db-wal", "facts.db", "facts.db-wal"):
        shutil.copy(sample_site.directory / name, folder / name)
    history.close()
    (folder / "written").mkdir()
    for name in ("samples.db", "samples.db-wal"):
        shutil.copy(folder / name, folder / "written" / name)
    with closing(sqlite3.connect(folder / "written" / "samples.db")) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    assert (folder / "written" / "samples.db").stat().st_size > 10 * 4096
    return folder


def damaged(origin, folder, name, rng, how):
    """A copy of ``origin`` with one file torn or one bit of it flipped; the main file when all is written to it."""
    (folder / "canteen").mkdir(parents=True)
    source, names = (origin, ("samples.db", name)) if name.endswith("-wal") else (origin / "written", (name,))
    for each in names:
        data = bytearray((source / each).read_bytes())
        if each == name:
            at = rng.choice([place for place, byte in enumerate(data) if byte])  # not in empty pages
            if how == "torn":
                del data[at:]
            else:
                data[at] ^= 1 << rng.randrange(8)
        (folder / "canteen" / each).write_bytes(data)
    (folder / "canteen" / "facts.db").symlink_to(origin / "facts.db")


def outcome(folder: Path) -> str:
    """What became of it: "whole", "told" (a gap), or a refusal; anything else is a lie and named."""
    try:
        history = SampleHistory(folder / "canteen", "canteen")
    except StoreError as error:
        return f"refused: {error.code}" if error.code in REFUSALS else f"LIE: refused with {error.code}"
    try:
        while history.step():
            pass
        first = read(history)
        history._try_seal()
        second = read(history) if not history.broken else first
    except StoreError as error:
        return f"refused: {error.code}"
    finally:
        history.close()
    for found, gaps in (first, second):
        wrong = {seq for seq, value in found.items() if value != value_of(seq)}
        missing = set(range(1, READINGS + 1)) - set(found) - gaps
        if wrong or missing:
            return f"LIE: wrong {sorted(wrong)[:3]}, missing {sorted(missing)[:3]}"
    return "told" if first[1] else "whole"


def read(history):
    found, gaps, after = {}, set(), 0
    source = history.source()
    try:
        while True:
            block = source.read(after, 1000)
            found.update(zip(block.seq.tolist(), block.value.tolist(), strict=True))
            gaps |= {seq for first, last in block.gaps for seq in range(first, last + 1)}
            if block.through_seq == after:
                return found, gaps
            after = block.through_seq
    finally:
        source.close()


def campaign(origin, name, how, count, stretch=0):
    rng = random.Random(f"{name} {how} {stretch}")
    # The damage is done before anything is opened, so nothing is proven by syncs to a real disk.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="kangle-damage-", dir=memory) as folder:
        return [one(origin, Path(folder) / f"case-{number}", name, how, rng) for number in range(count)]


def one(origin, folder, name, how, rng):
    damaged(origin, folder, name, rng, how)
    findings = [] if how == "torn" else verify_store(folder, STORES[0], lambda *_: None)
    came = outcome(folder)
    shutil.rmtree(folder)
    return "found by verify" if came.startswith("LIE") and findings else came


KINDS = [("samples.db-wal", "torn"), ("samples.db-wal", "flipped"), ("samples.db", "torn"), ("samples.db", "flipped")]


@pytest.mark.parametrize(("name", "how"), KINDS)
def test_damage_is_mended_told_or_refused(origin, name, how):
    outcomes = campaign(origin, name, how, 25)
    assert [each for each in outcomes if each.startswith("LIE")] == []
    assert set(outcomes) & {"whole", "told"}, outcomes


@pytest.mark.full
@pytest.mark.timeout(0)
@pytest.mark.parametrize("stretch", range(1, 11))
@pytest.mark.parametrize(("name", "how"), KINDS)
def test_damage_at_a_thousand_offsets(origin, name, how, stretch):
    """A hundred in each test; ``-s`` shows what became of them."""
    outcomes = campaign(origin, name, how, 100, stretch)
    print(name, how, stretch, json.dumps({each: outcomes.count(each) for each in sorted(set(outcomes))}), flush=True)
    assert [each for each in outcomes if each.startswith("LIE")] == []
