"""One writer per store: an advisory lock that dies with its holder.

``flock`` belongs to the open file, so it goes when the process ends however it ends; the pid inside is only for the
message. Two daemons on one store would each show "paid" from a world that does not know the other's sales.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from edge.storage.errors import StoreError
from edge.storage.owner import give_to_owner_of

FILE_NAME = "lock"


class StoreLock:
    """Holds ``directory/name`` from construction to ``release``. Raises StoreError "locked" naming the holder's pid."""

    def __init__(self, directory: Path, name: str = FILE_NAME) -> None:
        path = directory / name
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            text = f"{directory} is in use by process {holder}: stop it first (each store has one writer)"
            raise StoreError("locked", text) from error
        give_to_owner_of(directory, path)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next one in. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
