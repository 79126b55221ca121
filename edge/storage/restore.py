"""``kangle restore``: a backup in the place of what a data directory holds, or nothing at all.

Everything is unpacked and checked beside the old files before one of them moves; the old ones are kept. The hard part
is what a restore does to the world outside: inputs after the backup never happened for this store, their numbers are
given out again, and sinks and devices know better. So the store is marked (``meta``: ``restored``), which tells
whoever counts by seq, and everything outside is written by key (samples) or by id (money). A user would notice a
mistake as a payment taken twice, or as a curve with a hole.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge.storage.backup import MARGIN_BYTES, Tell, sync_directory
from edge.storage.backup_facts import StoreFacts, check_whole, facts_of, tables_of
from edge.storage.backup_file import BackupFile, Manifest, Member
from edge.storage.backup_stores import StoreFile
from edge.storage.connect import FILE_NAME as FACTS_NAME
from edge.storage.connect import damaged
from edge.storage.errors import StoreError
from edge.storage.restore_locks import exclusive
from edge.storage.restore_swap import PLAN_NAME, STAGED_NAME, Plan, carry_out, refuse_half_restored, write_plan

KEPT_PREFIX = "before-restore-"
RESTORED_KEY = "restored"

OnAccounts = Callable[[sqlite3.Connection, Manifest], None]


class Restored(NamedTuple):
    """What was (or, dry, would be) put back, what is left as it is, and where the old files went ("" when dry)."""

    manifest: Manifest
    placed: tuple[str, ...]
    retired: tuple[str, ...]
    left: tuple[str, ...]
    kept: str


class Mark(msgspec.Struct, frozen=True):
    """In ``meta`` of a restored store: when it was restored and from which moment, and the last input it then had.
    Inputs behind ``head_seq`` that were acknowledged before ``restored_ns`` are not those that come now."""

    restored_ns: int
    backup_ns: int
    head_seq: int


class Order(NamedTuple):
    """What to put back where. ``accounts``: "keep" (those of this machine stay, where it has some), "replace", "none";
    ``dry_run``: unpack and check everything, change nothing; ``samples_only``: nothing but the curves, beside the log
    that is there, and only of those ``daemons`` (none named: of those whose samples were lost)."""

    file: Path
    data_dir: Path
    stores: Sequence[StoreFile]
    site_id: str
    now_ns: int
    accounts: str = "keep"
    dry_run: bool = False
    samples_only: bool = False
    daemons: tuple[str, ...] = ()


def restore(
    order: Order,
    *,
    tell: Tell,
    on_accounts: OnAccounts | None = None,
    on_step: Callable[[str], None] = lambda _step: None,
) -> Restored:
    """Carry out ``order``. ``on_accounts`` is called with the accounts that will be placed; ``on_step`` as in
    ``restore_swap.carry_out``.

    Raises StoreError: "absent", "damaged", "newer" (of the file), "site" (it is another site's, or samples of another
    log), "locked" (something runs), "storage" (no room). Then nothing was changed, or the error names how to finish."""
    data_dir = order.data_dir
    refuse_half_restored(data_dir)
    backup = BackupFile(order.file)
    try:
        _check_site(backup.manifest, order)
        chosen = _chosen(backup.manifest, order)
        if order.samples_only:
            chosen = _samples(chosen, backup.manifest, order)
        names = tuple(member.name for member in chosen)
        retired = _retired(chosen, order)
        left = _left({*names, *retired}, order)
        with exclusive(data_dir, [*names, *retired]), _fresh_folder(data_dir, chosen) as staged:
            _unpack(backup, chosen, staged, tell)
            _mark(staged, chosen, backup.manifest, order.now_ns, on_accounts)
            if order.dry_run:
                return Restored(backup.manifest, names, retired, left, "")
            kept = _kept_folder(data_dir, order.now_ns)
            plan = Plan(staged.name, kept.name, names, retired)
            write_plan(data_dir, plan)
            carry_out(data_dir, plan, on_step)
        return Restored(backup.manifest, names, retired, left, kept.name)
    except OSError as error:
        raise StoreError("storage", f"{data_dir} cannot be written: {error}") from error
    finally:
        backup.close()


def finish(data_dir: Path, plan: Plan, on_step: Callable[[str], None] = lambda _step: None) -> None:
    """Carry out the rest of a restore that was cut short. Raises StoreError "locked", OSError."""
    with exclusive(data_dir, [*plan.files, *plan.retired]):
        carry_out(data_dir, plan, on_step)


def _check_site(manifest: Manifest, order: Order) -> None:
    if manifest.site_id != order.site_id:
        text = f"{order.file} is a backup of the site {manifest.site_id!r}, this is {order.site_id!r}: "
        text += "name the right site folder with --site"
        raise StoreError("site", text)


def _chosen(manifest: Manifest, order: Order) -> tuple[Member, ...]:
    known = {store.name: store for store in order.stores}
    there = {name for name in known if (order.data_dir / name).exists()}
    chosen = []
    for member in manifest.files:
        store = known.get(member.name)
        if store is None:
            text = f"the backup holds {member.name}, which this site does not have: add its vertical to site.toml"
            raise StoreError("site", text)
        if member.user_version > store.known_version:
            raise StoreError(
                "newer",
                f"{member.name} in the backup has schema {member.user_version}, this release knows "
                f"{store.known_version}: install the release that made it ({manifest.build}) or a newer one",
            )
        unwanted = order.accounts == "none" or (order.accounts == "keep" and member.name in there)
        if not store.vertical and unwanted:
            continue
        chosen.append(member)
    return tuple(chosen)


def _samples(chosen: Sequence[Member], manifest: Manifest, order: Order) -> tuple[Member, ...]:
    """Only the samples, and only beside the very log that they were made of."""
    there = {store.name: store for store in order.stores if store.is_samples}
    samples = tuple(member for member in chosen if member.name in there)
    if order.daemons:
        samples = tuple(member for member in samples if there[member.name].vertical in order.daemons)
    if not samples:
        of = f" of {', '.join(order.daemons)}" if order.daemons else ""
        raise StoreError("absent", f"{order.file} holds no samples{of}")
    if not order.daemons and not (samples := tuple(member for member in samples if _lost(member, order.data_dir))):
        text = (
            "no samples.db here was lost or damaged: each is the one of the backup, grown on. To go back to the backup"
        )
        raise StoreError("whole", f"{text} all the same, name whose with --daemon NAME")
    for member in samples:
        log = f"{there[member.name].vertical}/{FACTS_NAME}"
        if not (order.data_dir / log).exists():
            text = f"there is no {log} in {order.data_dir} beside which {member.name} could stand: restore all of it"
            raise StoreError("site", text)
        wanted = manifest.member(log)
        found, restored = _log_facts(order.data_dir / log)
        undone = restored is not None and restored.restored_ns > manifest.created_ns
        last_seq = min(found.head_seq, restored.head_seq) if undone and restored is not None else found.head_seq
        if wanted is None or wanted.store_id != found.store_id or member.seal_seq > last_seq:
            text = f"{member.name} in the backup goes with another {log} than the one that is here: restore all of it"
            raise StoreError("site", text)
    return samples


def _lost(member: Member, data_dir: Path) -> bool:
    """Whether what is here is not the file of the backup, grown on: it is gone, damaged, or was begun anew. A sound one
    has more than the backup, and what the log no longer has would be lost with it."""
    path = data_dir / member.name
    try:
        return not path.exists() or not member.store_id or check_whole(path).store_id != member.store_id
    except StoreError:
        return True


def _log_facts(path: Path) -> tuple[StoreFacts, Mark | None]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)) as reader:
            row = reader.execute("SELECT value FROM meta WHERE key = ?", (RESTORED_KEY,)).fetchone()
            return facts_of(reader), msgspec.json.decode(row[0], type=Mark) if row else None
    except (sqlite3.Error, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise damaged(path, str(error)) from error


def _retired(chosen: Sequence[Member], order: Order) -> tuple[str, ...]:
    """Samples that are ahead of the log that is put back, and not in the backup: they would hide what comes now."""
    if order.samples_only:
        return ()
    placed = {member.name for member in chosen}
    verticals = {name.partition("/")[0] for name in placed if "/" in name}
    return tuple(
        store.name
        for store in order.stores
        if store.vertical in verticals and store.name not in placed and (order.data_dir / store.name).exists()
    )


def _left(touched: set[str], order: Order) -> tuple[str, ...]:
    names = [store.name for store in order.stores if store.name not in touched]
    return tuple(name for name in names if (order.data_dir / name).exists())


@contextmanager
def _fresh_folder(data_dir: Path, chosen: Sequence[Member]) -> Iterator[Path]:
    """A folder for what is unpacked; it goes again, but for a restore that is to be finished."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged = data_dir / STAGED_NAME
    if staged.exists():
        shutil.rmtree(staged)
    need = sum(member.bytes for member in chosen) + MARGIN_BYTES
    free = shutil.disk_usage(data_dir).free
    if free < need:
        text = f"{data_dir} has {free >> 20} MiB free, the restore needs {need >> 20}: make room first"
        raise StoreError("storage", text)
    staged.mkdir(mode=0o700)
    try:
        yield staged
    finally:
        if not (data_dir / PLAN_NAME).exists():
            shutil.rmtree(staged, ignore_errors=True)


def _unpack(backup: BackupFile, chosen: Sequence[Member], staged: Path, tell: Tell) -> None:
    total, done = sum(member.bytes for member in chosen), 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        tell("unpacking", done, total)

    for member in chosen:
        path = staged / member.name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        backup.extract(member, path, progress)
        path.chmod(0o600)
        tell(f"checking {member.name}", 0, 0)
        found = check_whole(path)
        wanted = (member.user_version, member.store_id, member.head_seq, member.seal_seq, member.cursors)
        if tuple(found) != wanted:
            text = f"{backup.path} is refused: {member.name} in it does not hold what its manifest says"
            raise StoreError("damaged", text)


def _mark(
    staged: Path,
    chosen: Sequence[Member],
    manifest: Manifest,
    now_ns: int,
    on_accounts: OnAccounts | None,
) -> None:
    for member in chosen:
        with closing(sqlite3.connect(staged / member.name, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            if "meta" in tables_of(connection):
                mark = msgspec.json.encode(Mark(now_ns, manifest.created_ns, member.head_seq)).decode()
                connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (RESTORED_KEY, mark))
            elif "/" not in member.name and on_accounts is not None:
                on_accounts(connection, manifest)
        sync_directory((staged / member.name).parent)
    sync_directory(staged)


def _kept_folder(data_dir: Path, now_ns: int) -> Path:
    number = now_ns // 1_000_000_000
    while (data_dir / f"{KEPT_PREFIX}{number}").exists():
        number += 1
    kept = data_dir / f"{KEPT_PREFIX}{number}"
    kept.mkdir(mode=0o700)
    return kept
