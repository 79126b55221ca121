"""Which files are the state of a site, and the order in which they are copied.

The hard part is that the files are copied one after the other while all of them grow. A file that tells of work handed
on must be older than the file of whoever took it, or the work is lost when both are put back: samples before the log
that they are sealed from (what is sealed twice is one sample), the garage before the canteen (a charge is asked for
again and taken once). A user would notice the wrong order as a session that nobody paid after a restore.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge.storage.connect import FILE_NAME
from edge.storage.migrate import packaged, packaged_samples

SAMPLES_NAME = "samples.db"
ACCOUNTS_NAME = "api.db"
#: What a store may be called inside a backup: nothing that could lead outside of the data directory.
SAFE_NAME = re.compile(r"(?:[a-z][a-z0-9_]{0,30}/(?:facts|samples)\.db|api\.db)")
#: The daemon that takes what the others hand on, so the last to be copied.
_TAKER = "canteen"


class StoreFile(NamedTuple):
    """One file of a site. ``name`` is its place under the data directory and its name in a backup; ``known_version``
    the newest schema that this release can open; ``scrub`` takes out of a copy what a backup must not hold."""

    name: str
    known_version: int
    scrub: Callable[[sqlite3.Connection], None] | None = None

    @property
    def vertical(self) -> str:
        """The daemon that the file belongs to, "" for the API's."""
        return self.name.partition("/")[0] if "/" in self.name else ""

    @property
    def is_facts(self) -> bool:
        """True for the file with the log and the money."""
        return self.name.endswith("/" + FILE_NAME)

    @property
    def is_samples(self) -> bool:
        """True for the file with the sealed samples and the sinks' cursors."""
        return self.name.endswith("/" + SAMPLES_NAME)


def site_stores(verticals: Sequence[str], accounts: StoreFile) -> tuple[StoreFile, ...]:
    """All files of a site with these verticals, in the order of copying. ``accounts`` describes ``api.db``."""
    files = []
    samples = packaged_samples()[-1].version
    for vertical in sorted(verticals, key=lambda name: (name == _TAKER, name)):
        files.append(StoreFile(f"{vertical}/{SAMPLES_NAME}", samples))
        files.append(StoreFile(f"{vertical}/{FILE_NAME}", packaged(vertical)[-1].version))
    return (*files, accounts)
