"""``kangle store info``: how large the stores are, how far they go, and how far behind their readers are.

Everything here is read from indexes and file sizes, so it answers at once on a store of any size, beside its daemon.
The hard part is to give ages that mean something when the clock stepped: an age is told against the clock of this
machine and may be negative; sequence numbers never are. A user would notice a mistake as a full disk that nobody saw
coming.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from edge.storage import ballast, log_table
from edge.storage.backup_facts import facts_of, tables_of
from edge.storage.backup_stores import StoreFile
from edge.storage.connect import BUSY_TIMEOUT_MS
from edge.storage.info_sinks import SinkLag, sinks_of, with_lag
from edge.storage.restore import KEPT_PREFIX, RESTORED_KEY


class LogInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The log: first and last kept input, their wall times (UTC ns, 0: none), compressed bytes, world copies, and
    inputs that were set aside for people to look at."""

    first_seq: int
    last_seq: int
    first_wall_ns: int
    last_wall_ns: int
    bytes: int
    snapshots: int
    set_aside: int


class StoreInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One store. ``free_pages_bytes`` is room inside the file that is used again; ``problem`` why it cannot be read;
    ``behind`` the inputs that each cursor has not passed yet, ``sinks`` how far each sink is in all units; ``restored``
    the mark of the last restore."""

    name: str
    bytes: int
    wal_bytes: int
    ballast_bytes: int
    problem: str = ""
    user_version: int = 0
    store_id: str = ""
    free_pages_bytes: int = 0
    log: LogInfo | None = None
    seal_seq: int = 0
    cursors: dict[str, int] = {}
    behind: dict[str, int] = {}
    sinks: tuple[SinkLag, ...] = ()
    restored: str = ""


class SiteInfo(msgspec.Struct, frozen=True, kw_only=True):
    """All stores of a data directory. ``backups`` are (file name, bytes, modified UTC ns), newest last; ``kept`` the
    folders that restores have left."""

    data_dir: str
    disk_free_bytes: int
    disk_bytes: int
    stores: tuple[StoreInfo, ...]
    backups: tuple[tuple[str, int, int], ...]
    kept: tuple[str, ...]


def site_info(data_dir: Path, stores: Sequence[StoreFile], backups: Path, pattern: str) -> SiteInfo:
    """Look at every store that exists. Raises FileNotFoundError when there is no data directory."""
    disk = shutil.disk_usage(data_dir)
    present = [store for store in stores if (data_dir / store.name).exists()]
    files = sorted(backups.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
    return SiteInfo(
        data_dir=str(data_dir),
        disk_free_bytes=disk.free,
        disk_bytes=disk.total,
        stores=_with_lags(data_dir, [_store_info(data_dir, store) for store in present]),
        backups=tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files),
        kept=tuple(sorted(path.name for path in data_dir.glob(KEPT_PREFIX + "*"))),
    )


def _with_lags(data_dir: Path, found: Sequence[StoreInfo]) -> tuple[StoreInfo, ...]:
    """Cursors stand in one file of a daemon, the log in another."""
    logs = {each.name.partition("/")[0]: each for each in found if each.log is not None}
    told = []
    for each in found:
        beside = logs.get(each.name.partition("/")[0])
        head = beside.log.last_seq if beside is not None and beside.log is not None else 0
        behind = {sink: max(0, head - seq) for sink, seq in each.cursors.items()}
        sinks = _lags(data_dir / beside.name, each, head) if beside is not None and each.sinks else each.sinks
        told.append(msgspec.structs.replace(each, behind=behind, sinks=sinks))
    return tuple(told)


def _lags(facts: Path, samples: StoreInfo, head: int) -> tuple[SinkLag, ...]:
    try:
        with closing(_open(facts)) as log:
            return with_lag(samples.sinks, log, head, time.time_ns())
    except (sqlite3.Error, UnicodeDecodeError):
        return samples.sinks  # why the log cannot be read is told with it


def _open(path: Path) -> sqlite3.Connection:
    reader = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    reader.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").fetchall()
    return reader


def _store_info(data_dir: Path, store: StoreFile) -> StoreInfo:
    path = data_dir / store.name
    sized = StoreInfo(
        name=store.name,
        bytes=_size(path),
        wal_bytes=_size(path.with_name(path.name + "-wal")),
        ballast_bytes=_size(path.with_name(ballast.FILE_NAME)) if store.is_facts else 0,
    )
    try:
        with closing(_open(path)) as reader:
            known = facts_of(reader)._asdict()
            del known["head_seq"]
            free, page = (reader.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
            return msgspec.structs.replace(
                sized,
                **known,
                free_pages_bytes=free * page,
                log=_log_info(reader) if store.is_facts else None,
                sinks=sinks_of(reader) if store.is_samples else (),
                restored=_restored(reader),
            )
    except (sqlite3.Error, UnicodeDecodeError) as error:  # its words about a damaged file may be no text
        return msgspec.structs.replace(sized, problem=str(error))


def _log_info(reader: sqlite3.Connection) -> LogInfo:
    first = reader.execute("SELECT seq_first, wall_ns FROM log ORDER BY seq_last LIMIT 1").fetchone() or (0, 0)
    counts = [reader.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("snapshot", "set_aside")]  # noqa: S608
    return LogInfo(
        first_seq=first[0],
        last_seq=log_table.last_seq(reader),
        first_wall_ns=first[1],
        last_wall_ns=log_table.newest_wall_ns(reader),
        bytes=log_table.bytes_kept(reader),
        snapshots=counts[0],
        set_aside=counts[1],
    )


def _restored(reader: sqlite3.Connection) -> str:
    if "meta" not in tables_of(reader):
        return ""
    row = reader.execute("SELECT value FROM meta WHERE key = ?", (RESTORED_KEY,)).fetchone()
    return str(row[0]) if row else ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
