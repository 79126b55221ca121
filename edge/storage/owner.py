"""Whose a file is that the command line makes among a site's stores.

Root may run ``kangle restore``, but the daemons run as a user of their own: a store that root put there would keep them
from starting, the interlock's among them. So what root makes belongs to whom the folder around it belongs to.
"""

from __future__ import annotations

import os
from pathlib import Path


def give_to_owner_of(folder: Path, path: Path) -> None:
    """``path``, which was made just now, to the owner of ``folder``; nothing to do for anybody but root.

    A link is given itself, never what it leads to: its owner could have put it there."""
    if os.geteuid() == 0:
        there = folder.stat()
        os.chown(path, there.st_uid, there.st_gid, follow_symlinks=False)
