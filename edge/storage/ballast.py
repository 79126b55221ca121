"""A file that is there to be given up: the last commits of a full disk are written in its place.

The hard part is honesty: while the ballast is gone the store says ``disk_full``, and it says so until the space is back
and the ballast stands again, not merely until one commit succeeded.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

FILE_NAME = "ballast"
DISK_FULL = "disk_full"
#: Free space beyond the ballast that must be there before it is taken again, so that it is not given and taken in
#: turns.
MARGIN_BYTES = 16 << 20
_FULL_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})


def is_disk_full(error: BaseException) -> bool:
    """True when ``error`` says that there is no space left."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) in _FULL_CODES
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class Ballast:
    """``directory/ballast`` of ``size_bytes`` allocated bytes (0: no ballast is kept)."""

    def __init__(self, directory: Path, size_bytes: int, margin_bytes: int = MARGIN_BYTES) -> None:
        self._path = directory / FILE_NAME
        self._size_bytes = size_bytes
        self._margin_bytes = min(margin_bytes, max(size_bytes, 1 << 20))
        self.degraded = ""

    @property
    def wanting(self) -> bool:
        """True while the ballast should be put back."""
        return bool(self.degraded)

    def load(self) -> None:
        """Take the ballast at start; a disk without room for it makes the store degraded, not unusable."""
        if not self._take():
            self.degraded = DISK_FULL

    def release(self) -> bool:
        """The disk is full: give the ballast up. True when that freed something, so that trying again makes sense."""
        self.degraded = DISK_FULL
        try:
            freed = self._path.stat().st_blocks > 0
            self._path.unlink()
        except OSError:
            return False
        return freed

    def restore(self) -> bool:
        """Take the ballast again when there is room for it and a margin; True when all is well again."""
        space = os.statvfs(self._path.parent)
        if space.f_bavail * space.f_frsize >= self._size_bytes + self._margin_bytes and self._take():
            self.degraded = ""
        return not self.degraded

    def _take(self) -> bool:
        if self._size_bytes == 0:
            return True
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.ftruncate(fd, self._size_bytes)
                os.posix_fallocate(fd, 0, self._size_bytes)
            finally:
                os.close(fd)
        except OSError:
            with suppress(OSError):
                self._path.unlink()
            return False
        return True
