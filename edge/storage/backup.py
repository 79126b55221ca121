"""``kangle backup``: all stores of a site in one checked file, while the daemons run.

Each store is copied (``backup_copy``), scrubbed of what a backup must not hold, checked by SQLite page by page, packed,
and the packed file is read back against the checksums of the very files that were checked. Only then does it get its
name. The hard part is that a backup is believed in only when it is needed; so whatever is doubtful stops it here. A
user would notice a mistake on the worst day of the year.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from edge.storage import backup_file
from edge.storage.backup_copy import Copied, copy_store
from edge.storage.backup_facts import check_whole
from edge.storage.backup_file import BackupFile, Manifest, Member
from edge.storage.backup_stores import StoreFile
from edge.storage.errors import StoreError
from edge.storage.lock import StoreLock

#: Room that must be left on the disk beyond the copies: a backup must not be what fills the disk of a checkout.
MARGIN_BYTES = 128 << 20
STAGING_NAME = ".kangle-backup"

#: Told what is being done ("copying canteen/facts.db"), how many bytes of it are done, and how many there are.
Tell = Callable[[str, int, int], None]


class Taken(NamedTuple):
    """A backup that stands: what it holds, and how each store was copied."""

    path: Path
    manifest: Manifest
    copied: dict[str, Copied]


def take_backup(
    data_dir: Path,
    stores: Sequence[StoreFile],
    target: Path,
    *,
    site_id: str,
    build: str,
    now_ns: int,
    notes: dict[str, str],
    tell: Tell,
) -> Taken:
    """Back up ``stores`` of ``data_dir`` into the new file ``target``.

    Raises StoreError: "absent" when there is no store yet, "storage" when the target cannot be written or has no room,
    "damaged" when a store is; then no file is left behind."""
    present = [store for store in stores if (data_dir / store.name).exists()]
    if not any(store.is_facts for store in present):
        raise StoreError("absent", f"{data_dir} holds no store yet: there is nothing to back up")
    if target.exists():
        raise StoreError("storage", f"{target} exists already: a backup never overwrites one; choose another name")
    _check_room(data_dir, present, target.parent)
    partial = target.with_name(target.name + ".partial")
    with suppress(FileNotFoundError):
        partial.unlink()
    try:
        with _staging(target.parent) as staging:
            members, staged, copied = _stage(data_dir, present, staging, tell)
            manifest = Manifest(
                format=backup_file.FORMAT, site_id=site_id, build=build, created_ns=now_ns, files=members, notes=notes
            )
            total = sum(member.bytes for member in members)
            backup_file.write(partial, manifest, staged, _counting("packing", total, tell))
        _read_back(partial, manifest, tell)
        partial.rename(target)
        sync_directory(target.parent)
    except OSError as error:
        raise StoreError("storage", f"{target} cannot be written: {error}") from error
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    return Taken(target, manifest, copied)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A folder of our own beside the target; what a killed backup left there goes. Raises StoreError "locked" while
    another backup works here."""
    path = folder / STAGING_NAME
    path.mkdir(mode=0o700, exist_ok=True)
    lock = StoreLock(path)
    try:
        for left in path.glob("*.db*"):
            left.unlink()
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        lock.release()


def _check_room(data_dir: Path, stores: Sequence[StoreFile], folder: Path) -> None:
    """The copies and the packed file stand side by side for a moment."""
    if not folder.is_dir():
        raise StoreError("storage", f"there is no folder {folder}: make it, or name another file with --to")
    size = sum(_size(data_dir / store.name) for store in stores)
    free = shutil.disk_usage(folder).free
    if free < 2 * size + MARGIN_BYTES:
        text = (
            f"{folder} has {free >> 20} MiB free, a backup of {size >> 20} MiB needs {(2 * size + MARGIN_BYTES) >> 20}"
        )
        raise StoreError("storage", f"{text}: name a file on another disk with --to")


def _size(path: Path) -> int:
    wal = path.with_name(path.name + "-wal")
    return path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)


def _stage(
    data_dir: Path, stores: Sequence[StoreFile], staging: Path, tell: Tell
) -> tuple[tuple[Member, ...], list[Path], dict[str, Copied]]:
    members, paths, copied = [], [], {}
    for number, store in enumerate(stores):
        path = staging / f"{number}.db"
        copied[store.name] = copy_store(data_dir / store.name, path, _telling(f"copying {store.name}", tell))
        if store.scrub is not None:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                store.scrub(connection)
        tell(f"checking {store.name}", 0, 0)
        facts = check_whole(path)
        if facts.user_version > store.known_version:
            text = f"{store.name} has schema {facts.user_version}, this release knows {store.known_version}"
            raise StoreError("newer", f"{text}: back up with the release that the daemons run")
        members.append(
            Member(name=store.name, bytes=path.stat().st_size, sha256=backup_file.sha256_of(path), **facts._asdict())
        )
        paths.append(path)
    return tuple(members), paths, copied


def _read_back(partial: Path, manifest: Manifest, tell: Tell) -> None:
    written = BackupFile(partial)
    try:
        if written.manifest != manifest:
            raise StoreError("storage", f"{partial}: the manifest does not read back as it was written; check the disk")
        progress = _counting("reading back", sum(member.bytes for member in manifest.files), tell)
        for member in manifest.files:
            written.extract(member, None, progress)
    finally:
        written.close()


def _telling(what: str, tell: Tell) -> Callable[[int, int], None]:
    return lambda done, total: tell(what, done, total)


def _counting(what: str, total: int, tell: Tell) -> Callable[[int], None]:
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        tell(what, done, total)

    return more


def sync_directory(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
