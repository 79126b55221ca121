"""Making sure that nobody has a store open while it is replaced.

The daemon's own lock tells of the daemon. Readers, the API and whatever else has the file open are found by SQLite's
own locks: in WAL mode every connection keeps a shared lock on 510 bytes at 2^30 + 2 of the main file (SQLite's file
format and locking documentation), and a lock that excludes them cannot be had while there is one. That works on a
damaged file too, which is just when one restores. A user would notice a mistake as a daemon that goes on writing into
a file that has lost its name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from edge.storage.connect import FILE_NAME as FACTS_NAME
from edge.storage.errors import StoreError
from edge.storage.lock import FILE_NAME, StoreLock
from edge.storage.sample_db import SAMPLES_LOCK

SHARED_FIRST = (1 << 30) + 2
SHARED_BYTES = 510


@contextmanager
def exclusive(data_dir: Path, names: Sequence[str]) -> Iterator[None]:
    """Hold the stores ``names`` (places under the data directory) alone: the history may not run beside any of them, a
    daemon not beside its log. Raises StoreError "locked"."""
    with ExitStack() as stack:
        for folder in sorted({(data_dir / name).parent for name in names if "/" in name}):
            log = str((folder / FACTS_NAME).relative_to(data_dir))
            for name in (FILE_NAME, SAMPLES_LOCK) if log in names else (SAMPLES_LOCK,):
                if folder.is_dir():
                    stack.callback(StoreLock(folder, name).release)
        for place in names:
            path = data_dir / place
            if path.exists():
                stack.callback(os.close, _lock(path))
        yield


def _lock(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_BYTES, SHARED_FIRST)
    except OSError as error:
        os.close(fd)
        text = f"{path} is open in another process: stop all of the site (kangle up, kangle run ..., the API) first"
        raise StoreError("locked", text) from error
    return fd
