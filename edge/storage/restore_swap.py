"""Putting a whole set of store files in the place of another: all of it or, after a crash, the rest of it.

The hard part is that several files cannot be renamed at once. So what is to be done is written down first
(``restore.json`` in the data directory), each step may be done twice, and until the paper is gone nobody opens a store
there (``refuse_half_restored``). A user would notice a mistake as a box that starts with the plates of today and the
purses of last week, or with an empty book.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from edge.storage.errors import StoreError
from edge.storage.owner import give_to_owner_of

PLAN_NAME = "restore.json"
STAGED_NAME = ".restoring"
#: A main file never stands beside the write-ahead log of another.
SUFFIXES = ("-wal", "-shm", "-journal", "")


class Plan(msgspec.Struct, frozen=True):
    """``files`` come out of the folder ``staged``; whatever stands at ``files`` or ``retired`` goes into ``kept``. All
    paths are relative to the data directory."""

    staged: str
    kept: str
    files: tuple[str, ...]
    retired: tuple[str, ...] = ()


def refuse_half_restored(data_dir: Path) -> None:
    """Raises StoreError "locked" when a restore in this data directory was cut short."""
    if (data_dir / PLAN_NAME).exists():
        text = f"a restore into {data_dir} was cut short: run `kangle restore --finish` before anything is started"
        raise StoreError("locked", text)


def read_plan(data_dir: Path) -> Plan | None:
    """The plan of a restore that was cut short; None when there is none. Raises StoreError "damaged"."""
    try:
        return msgspec.json.decode((data_dir / PLAN_NAME).read_bytes(), type=Plan)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        text = f"{data_dir / PLAN_NAME} cannot be read ({error}): the new files are in .restoring, the old ones in "
        text += "before-restore-*. Move one whole set to its place by hand, then delete that file"
        raise StoreError("damaged", text) from error


def write_plan(data_dir: Path, plan: Plan) -> None:
    """From here on the swap is to be finished. Raises OSError."""
    path = data_dir / PLAN_NAME
    partial = data_dir / (PLAN_NAME + ".partial")
    with partial.open("wb") as file:
        file.write(msgspec.json.encode(plan))
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    _sync(data_dir)


def carry_out(data_dir: Path, plan: Plan, on_step: Callable[[str], None]) -> None:
    """Do what the plan says, or the rest of it. ``on_step`` is called before each change (where fault tests kill).
    Raises OSError; then call it again."""
    staged, kept = data_dir / plan.staged, data_dir / plan.kept
    for name in plan.retired:
        on_step(f"retire {name}")
        _set_aside(data_dir, kept, name)
    for name in plan.files:
        source = staged / name
        if not source.exists():
            continue  # done before the crash
        on_step(f"keep {name}")
        _set_aside(data_dir, kept, name)
        folder = (data_dir / name).parent
        folder.mkdir(mode=0o700, exist_ok=True)
        give_to_owner_of(data_dir, folder)
        on_step(f"place {name}")
        give_to_owner_of(data_dir, source)
        source.rename(data_dir / name)
        _sync(folder)
    _sync(data_dir)
    on_step("done")
    (data_dir / PLAN_NAME).unlink()
    _sync(data_dir)
    on_step("clean")
    shutil.rmtree(staged, ignore_errors=True)


def _set_aside(data_dir: Path, kept: Path, name: str) -> None:
    folder = (kept / name).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    give_to_owner_of(data_dir, kept)
    give_to_owner_of(data_dir, folder)
    for suffix in SUFFIXES:
        path = data_dir / (name + suffix)
        with suppress(FileNotFoundError):
            path.rename(kept / (name + suffix))
    for each in (folder, kept, data_dir):
        _sync(each)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
