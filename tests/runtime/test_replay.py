"""A kept log replays to the same effects; whatever was changed in it, or in the kernel, is found and named."""

from __future__ import annotations

import importlib.util
import random
import shutil
import sqlite3
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.domain.digest import effect_digest, effects_digest
from edge.domain.kernel import Put, Show
from edge.runtime.replay import replay
from edge.storage import log_table, snapshots
from edge.storage.batch import Batch, LogRecord, RecordKind, WorldSnapshot
from edge.storage.facts import FactsStore
from edge.storage.log import encode
from edge.storage.snapshots import encode_world

HERE = Path(__file__).parent
TOY = "replay_toy:KERNEL"

if "replay_toy" not in sys.modules:
    spec = importlib.util.spec_from_file_location("replay_toy", HERE / "replay_toy.py")
    sys.modules["replay_toy"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["replay_toy"])
toy = sys.modules["replay_toy"]


@pytest.fixture(scope="module")
def kept_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seqs 1-170: a start (1), inputs with a copy at 41, a raise at 82, inputs, a restart at 123, inputs."""
    draw = random.Random(4)
    directory = tmp_path_factory.mktemp("replay") / "store"
    shell = toy.Shell(directory)
    shell.feed(*toy.some(draw, 40), copy=True)
    shell.feed(*toy.some(draw, 40), toy.Crash(), *toy.some(draw, 40))
    shell = shell.restart()
    shell.feed(*toy.some(draw, 47))
    assert shell.seq == 170
    shell.store.close()
    return directory


@pytest.fixture
def log(kept_log: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copytree(kept_log, tmp_path / "store"))


def database(directory: Path) -> sqlite3.Connection:
    return sqlite3.connect(directory / "facts.db", isolation_level=None)


def rewrite(directory: Path, seq: int, change: Callable[[LogRecord], LogRecord]) -> None:
    """Tamper with one record so that its row is valid again."""
    connection = database(directory)
    (record,) = log_table.read(connection, seq, seq)
    (row,) = encode([change(record)])
    connection.execute("UPDATE log SET crc32 = ?, data = ? WHERE seq_last = ?", (row.crc32, row.data, seq))
    connection.close()


def kinds(directory: Path) -> dict[int, Any]:
    connection = database(directory)
    found = {
        record.stamp.seq: msgspec.msgpack.decode(record.input, type=toy.ToyInput)
        for record in log_table.read(connection, 1)
        if record.kind is not RecordKind.RESUMED
    }
    connection.close()
    return found


def first_of(directory: Path, kind: type, after: int) -> int:
    return min(seq for seq, item in kinds(directory).items() if isinstance(item, kind) and seq > after)


def test_a_whole_log_is_identical(log: Path) -> None:
    report = replay(log, toy.KERNEL)
    assert report.exit_code == 0, report
    assert (report.first_seq, report.last_seq) == (1, 170)
    assert (report.inputs, report.raised, report.starts, report.copies) == (168, 1, 3, 1)
    assert report.effects > 200
    assert report.builds == ("b1",)


@pytest.mark.parametrize(
    ("from_seq", "to_seq", "inputs"),
    [
        (1, None, 168),
        (2, 170, 168),
        (60, None, 110),
        (60, 70, 11),
        (42, 42, 1),
        (82, 82, 1),
        (83, 84, 2),
        (171, None, 0),
    ],
)
def test_any_part_of_it_is_identical(log: Path, from_seq: int, to_seq: int | None, inputs: int) -> None:
    report = replay(log, toy.KERNEL, from_seq, to_seq)
    assert report.exit_code == 0, report
    assert report.inputs == inputs


def test_the_chain_tells_logs_apart_and_is_the_same_twice(log: Path) -> None:
    whole = replay(log, toy.KERNEL)
    assert replay(log, toy.KERNEL).chain == whole.chain
    assert replay(log, toy.KERNEL, to_seq=169).chain != whole.chain
    assert replay(log, toy.GENEROUS).chain != whole.chain


def test_a_log_can_be_replayed_while_its_daemon_runs(log: Path) -> None:
    shell = toy.Shell(log)
    shell.feed(toy.Deposit("m1", 5))
    assert replay(log, toy.KERNEL).exit_code == 0
    shell.store.close()


def test_a_changed_rule_is_found_with_seq_input_and_new_effect(log: Path) -> None:
    seq = first_of(log, toy.Deposit, 0)
    deposit = kinds(log)[seq]
    report = replay(log, toy.GENEROUS)
    assert report.exit_code == 1
    assert report.differing > 50
    found = report.first_difference
    assert (found.seq, found.what) == (seq, "effect")
    assert found.input == {"type": "deposit", "member": deposit.member, "fen": deposit.fen}
    new = toy.PurseRow(member=deposit.member, balance_fen=deposit.fen + 1)
    assert found.effect["row"] == msgspec.to_builtins(new)
    assert found.new_digest == effect_digest(Put(new)).hex()
    assert found.kept_digest == effect_digest(Put(toy.PurseRow(member=deposit.member, balance_fen=deposit.fen))).hex()


def test_a_tampered_input_is_found(log: Path) -> None:
    seq = first_of(log, toy.Deposit, 90)
    rewrite(
        log,
        seq,
        lambda record: msgspec.structs.replace(record, input=msgspec.msgpack.encode(toy.Deposit("m0", 10_000))),
    )
    report = replay(log, toy.KERNEL)
    assert report.exit_code == 1
    assert report.first_difference.seq == seq
    assert report.first_difference.input["fen"] == 10_000
    assert replay(log, toy.KERNEL, 123).exit_code == 0, "the restart took its world from the rows"


@pytest.mark.parametrize("change", ["flip", "drop", "add"])
def test_a_tampered_digest_is_found(log: Path, change: str) -> None:
    seq = first_of(log, toy.Deposit, 130)
    changes: dict[str, Callable[[bytes], bytes]] = {
        "flip": lambda old: old[:8] + bytes([old[8] ^ 1]) + old[9:],
        "drop": lambda old: old[:-8],
        "add": lambda old: old + b"another!",
    }
    rewrite(log, seq, lambda record: msgspec.structs.replace(record, digests=changes[change](record.digests)))
    report = replay(log, toy.KERNEL)
    assert (report.exit_code, report.differing) == (1, 1)
    assert report.first_difference.seq == seq
    assert f"number {['flip', 'drop', 'add'].index(change) + 1}" in report.first_difference.detail


def test_a_flipped_row_is_named_and_the_rest_compared(log: Path) -> None:
    connection = database(log)
    (data,) = connection.execute("SELECT data FROM log WHERE seq_last = 60").fetchone()
    connection.execute("UPDATE log SET data = ? WHERE seq_last = 60", (data[:-1] + bytes([data[-1] ^ 128]),))
    connection.close()
    report = replay(log, toy.KERNEL)
    assert (report.exit_code, report.differing) == (4, 0)
    assert [(span.seq_first, span.seq_last, span.reason) for span in report.unreadable] == [
        (60, 60, "checksum differs"),
        (61, 82, "no world to replay it in"),
    ]
    assert report.inputs == 168 - 23


def test_a_gap_up_to_a_snapshot_costs_only_the_gap(log: Path) -> None:
    connection = database(log)
    connection.execute("DELETE FROM log WHERE seq_last BETWEEN 30 AND 41")
    connection.close()
    report = replay(log, toy.KERNEL)
    assert [(span.seq_first, span.seq_last) for span in report.unreadable] == [(30, 41)]
    assert report.differing == 0
    assert report.inputs == 168 - 12


@pytest.mark.parametrize("seq", [1, 41, 82, 123])
def test_a_damaged_snapshot_is_named(log: Path, seq: int) -> None:
    connection = database(log)
    connection.execute("UPDATE snapshot SET data = x'0102' WHERE seq = ?", (seq,))
    connection.close()
    report = replay(log, toy.KERNEL)
    assert (report.exit_code, report.differing) == (4, 0)
    assert report.unreadable[0].seq_first == seq
    assert report.unreadable[0].reason == "snapshot is damaged"
    assert sum(span.seq_last - span.seq_first + 1 for span in report.unreadable) <= 1 + 47


def test_a_world_that_drifts_without_effects_is_found_by_its_copy(log: Path) -> None:
    connection = database(log)
    (data,) = connection.execute("SELECT data FROM snapshot WHERE seq = 41").fetchone()
    world = msgspec.msgpack.decode(zlib.decompress(data), type=toy.World)
    world.quiet += 1
    connection.execute("DELETE FROM snapshot WHERE seq = 41")
    snapshots.put(connection, WorldSnapshot(41, "hourly", encode_world(world)), build="b1", wall_ns=0)
    connection.close()
    report = replay(log, toy.KERNEL)
    assert (report.exit_code, report.differing) == (1, 1)
    assert (report.first_difference.seq, report.first_difference.what) == (41, "world")


def test_an_input_that_raised_must_raise_again(log: Path) -> None:
    report = replay(log, toy.FORGIVING)
    assert (report.exit_code, report.differing) == (1, 1)
    assert (report.first_difference.seq, report.first_difference.what) == (82, "did not raise")
    assert report.first_difference.effect == msgspec.to_builtins(Show("forgiven", 82))


def test_an_input_that_did_not_raise_must_not_raise_now(tmp_path: Path) -> None:
    shell = toy.Shell(tmp_path / "store", toy.FORGIVING)
    shell.feed(toy.Deposit("a", 1), toy.Crash(), toy.Deposit("a", 2), toy.Deposit("a", 3), copy=True)
    shell.feed(toy.Deposit("a", 4))
    shell.store.close()
    report = replay(tmp_path / "store", toy.KERNEL)
    assert report.exit_code == 1
    assert (report.first_difference.seq, report.first_difference.what) == (3, "raised")
    assert "a bug of the kernel" in report.first_difference.detail
    assert [(span.seq_first, span.seq_last) for span in report.unreadable] == [(4, 5)]
    assert report.inputs == 3


def test_a_pruned_log_is_replayed_from_what_is_left(log: Path) -> None:
    store = FactsStore.open(log, toy.KERNEL.row_types, ballast_bytes=0)
    log_table.prune_slice(store._writer._connection, 82, rows=1000)
    store.close()
    report = replay(log, toy.KERNEL)
    assert report.exit_code == 0, report
    assert (report.first_seq, report.inputs) == (83, 87)
    report = replay(log, toy.KERNEL, from_seq=60)
    assert report.exit_code == 4
    assert (report.unreadable[0].seq_first, report.unreadable[0].seq_last) == (60, 82)


def test_inputs_that_this_build_does_not_know_are_named(log: Path) -> None:
    rewrite(log, 50, lambda record: msgspec.structs.replace(record, input=msgspec.msgpack.encode({"type": "new"})))
    report = replay(log, toy.KERNEL)
    assert report.exit_code == 4
    assert report.unreadable[0].seq_first == 50
    assert report.unreadable[0].reason.startswith("input does not fit this build")


def test_a_log_without_an_input_is_identical(tmp_path: Path) -> None:
    toy.Shell(tmp_path / "store").store.close()
    report = replay(tmp_path / "store", toy.KERNEL)
    assert (report.exit_code, report.inputs) == (0, 0)
    FactsStore.open(tmp_path / "empty", toy.KERNEL.row_types, ballast_bytes=0).close()
    assert replay(tmp_path / "empty", toy.KERNEL).exit_code == 0


def test_group_commits_replay_the_same(tmp_path: Path) -> None:
    """Many records in one row, a copy in the middle of the group."""
    shell = toy.Shell(tmp_path / "store")
    batches = []
    for number, item in enumerate(toy.some(random.Random(9), 300)):
        stamp = shell.stamp()
        effects = shell.kernel.handle(shell.world, item, stamp)
        copy = WorldSnapshot(stamp.seq, "hourly", encode_world(shell.world)) if number == 150 else None
        record = LogRecord(stamp, msgspec.msgpack.encode(item), effects_digest(effects))
        batches.append(Batch(records=[record], snapshot=copy))
    for batch in batches:
        shell.store.submit(batch, lambda error: None)
    shell.store.close()
    connection = database(tmp_path / "store")
    (rows,) = connection.execute("SELECT count(*) FROM log").fetchone()
    connection.close()
    assert rows < 150
    report = replay(tmp_path / "store", toy.KERNEL)
    assert (report.exit_code, report.inputs, report.copies) == (0, 300, 1)
