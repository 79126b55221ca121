"""kill -9 and torn write-ahead logs: what was acknowledged is there, and nothing is there by halves."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.domain.answered import AuditRow
from edge.domain.canteen.rows import PurseRow
from edge.storage import log_table
from edge.storage.batch import Batch
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord

CHILD = Path(__file__).with_name("writing_child.py")
ROWS = (AuditRow, PurseRow)
ROUNDS = 24
WAL_HEADER = 32
WAL_FRAME = 24 + 4096


def check_whole(store: FactsStore) -> int:
    """The store holds exactly the inputs 1 to n with all their rows; returns n."""
    count = store.last_seq()
    records = list(log_table.read(store._reader, 1))
    assert all(isinstance(record, LogRecord) for record in records), records
    assert [record.stamp.seq for record in records] == list(range(1, count + 1))
    assert all(record.input == b"input %d" % seq * (seq % 7) for seq, record in enumerate(records, 1))
    assert [row.seq for row in store.rows().all(AuditRow)] == list(range(1, count + 1))
    purses = {row.member: row.balance_fen for row in store.rows().all(PurseRow)}
    last = {f"m{seq % 5}": seq for seq in range(1, count + 1)}
    assert purses == last
    snapshots = [row[0] for row in store._reader.execute("SELECT seq FROM snapshot ORDER BY seq")]
    assert snapshots == list(range(50, count + 1, 50))
    assert store._reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return count


@pytest.fixture
def zygote() -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen([sys.executable, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield child
    child.stdin.close()
    assert child.wait(timeout=60) == 0
    child.stdout.close()


def write_until_killed(
    zygote: subprocess.Popen[str], directory: Path, acks: Path, seed: int, draw: random.Random
) -> int:
    """Run a writer until it kills itself (seed) or is killed after some acknowledgements; returns the last one."""
    acks.write_bytes(b"")
    zygote.stdin.write(f"{directory} {seed} {acks}\n")
    zygote.stdin.flush()
    pid = int(zygote.stdout.readline())
    if not seed:
        wanted = draw.randrange(1, 200)
        until = time.monotonic() + 60
        while acks.stat().st_size < wanted:
            assert time.monotonic() < until, "the writer acknowledges nothing"
            time.sleep(0.0005)
        time.sleep(draw.random() * 0.003)
        os.kill(pid, signal.SIGKILL)
    assert int(zygote.stdout.readline()) == -signal.SIGKILL
    return max((int(line) for line in acks.read_text().splitlines()), default=0)


def test_no_acknowledged_batch_is_lost_by_kill_9(
    open_store: Callable[..., FactsStore], zygote: subprocess.Popen[str], tmp_path: Path
) -> None:
    draw = random.Random(2026)
    before = 0
    for round_number in range(ROUNDS):
        seed = round_number if round_number % 2 else 0
        acknowledged = write_until_killed(zygote, tmp_path / "store", tmp_path / "acks", seed, draw)
        store = open_store(row_types=ROWS)
        count = check_whole(store)
        store.close()
        assert count >= acknowledged, f"round {round_number}: {acknowledged} was acknowledged, {count} is on disk"
        assert count >= before
        before = count
    assert before > ROUNDS, "the rounds must have written something"


@pytest.fixture
def live_copy(
    open_store: Callable[..., FactsStore],
    write: Callable[[FactsStore, Batch], StoreError | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The files of a store as they are while it is open, with 60 commits in the write-ahead log."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("writing_child", CHILD)
    child = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(child)
    monkeypatch.setattr("edge.storage.facts.CHECKPOINT_PAGES", 1000)
    store = open_store(row_types=ROWS)
    monkeypatch.setattr("edge.storage.facts.CHECKPOINT_PAGES", 16)
    for seq in range(1, 61):
        assert write(store, child.batch_of(seq)) is None
    copy = tmp_path / "copy"
    # In a process of its own: closing a file here would drop SQLite's locks on it.
    subprocess.run(["cp", "-r", tmp_path / "store", copy], check=True)
    (copy / "facts.db-shm").unlink()
    return copy


#: SQL statements of the migration after which it is killed; it does not have so many as the last.
LEFT = (*range(1, 10), 60)


def opened_copy(open_store: Callable[..., FactsStore], copy: Path, wal: bytes, tmp_path: Path) -> int:
    directory = tmp_path / "torn"
    directory.mkdir()
    shutil.copy(copy / "facts.db", directory)
    (directory / "facts.db-wal").write_bytes(wal)
    store = open_store(directory, row_types=ROWS)
    count = check_whole(store)
    store.close()
    shutil.rmtree(directory)
    return count


def written_part(copy: Path) -> bytes:
    """The write-ahead log without the zeros that it was lengthened by."""
    wal = (copy / "facts.db-wal").read_bytes()
    used = WAL_HEADER
    while any(wal[used : used + WAL_FRAME]):
        used += WAL_FRAME
    assert not any(wal[used:])
    assert len(wal) > used
    return wal[:used]


def test_a_torn_tail_costs_only_the_torn_batches(
    open_store: Callable[..., FactsStore], live_copy: Path, tmp_path: Path
) -> None:
    wal = written_part(live_copy)
    frames = (len(wal) - WAL_HEADER) // WAL_FRAME
    assert 120 < frames < 600
    whole = (live_copy / "facts.db-wal").read_bytes()
    assert opened_copy(open_store, live_copy, whole, tmp_path) == 60
    draw = random.Random(7)
    cuts = {0, 1, WAL_HEADER - 1, WAL_HEADER, WAL_HEADER + 1, len(wal) - 1, len(wal)}
    cuts |= {len(wal) - draw.randrange(1, 6000) for _ in range(20)}
    cuts |= {draw.randrange(len(wal)) for _ in range(20)}
    cuts |= {WAL_HEADER + draw.randrange(frames) * WAL_FRAME + draw.choice([-1, 0, 1, 24]) for _ in range(20)}
    counts = [opened_copy(open_store, live_copy, wal[:cut], tmp_path) for cut in sorted(cuts)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 60)
    assert len(set(counts)) > 15
    commits = sorted(cut for cut in cuts if cut > len(wal) - 6000)
    assert min(counts[-len(commits) :]) >= 58, "a tear in the last commit costs the last commit"


def test_flipped_bytes_of_the_tail_cost_only_what_follows(
    open_store: Callable[..., FactsStore], live_copy: Path, tmp_path: Path
) -> None:
    wal = written_part(live_copy)
    draw = random.Random(8)
    places = sorted(draw.randrange(WAL_HEADER, len(wal)) for _ in range(25))
    counts = []
    for at in places:
        bad = bytearray(wal)
        bad[at] ^= 1 << draw.randrange(8)
        counts.append(opened_copy(open_store, live_copy, bytes(bad), tmp_path))
    assert counts == sorted(counts)
    assert counts[-1] >= 55


def test_a_kill_while_migrating_leaves_a_version_that_opens(tmp_path: Path) -> None:
    code = (
        "import os, signal, sqlite3, sys\n"
        "from edge.storage.connect import open_writer\n"
        "from edge.storage.migrate import Migration, migrate, packaged\n"
        "from pathlib import Path\n"
        "def begin(left):\n"
        "    connection = open_writer(Path(sys.argv[1], f'{left}.db'))\n"
        "    migrate(connection, packaged(), 'x')\n"
        "    def trace(text):\n"
        "        nonlocal left\n"
        "        left -= 1\n"
        "        if left == 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    connection.set_trace_callback(trace)\n"
        "    sql = 'CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1); DROP TABLE meta;'\n"
        "    migrate(connection, (*packaged(), Migration(2, sql)), 'x')\n"
        "for left in map(int, sys.argv[2:]):\n"
        "    if os.fork() == 0: begin(left); os._exit(0)\n"
        "    print(os.wait()[1])\n"
    )
    ends = subprocess.run(
        [sys.executable, "-c", code, tmp_path, *map(str, LEFT)], check=True, timeout=120, capture_output=True, text=True
    )
    killed = [int(end) == signal.SIGKILL for end in ends.stdout.split()]
    assert killed[0]
    versions = set()
    for left, was_killed in zip(LEFT, killed, strict=True):
        connection = sqlite3.connect(tmp_path / f"{left}.db")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        assert ("meta" in tables, "a" in tables) == ((True, False) if version == 1 else (False, True))
        assert was_killed or version == 2
        versions.add(version)
        connection.close()
    assert versions == {1, 2}
