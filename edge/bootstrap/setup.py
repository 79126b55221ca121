"""Put in place what a command needs: the environment, the pages, Node, the Debian packages; nothing that is there."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from edge.bootstrap import debian, environment, node, pages
from edge.bootstrap.locking import only_one
from edge.bootstrap.steps import SetupError, Steps
from edge.cli_commands import DEBIAN, DEV, NODE, PAGES


def prepare(root_path: str, needs: Collection[str], arguments: Sequence[str]) -> int:
    """Set up ``needs`` in the checkout ``root_path``. Returns 0, or the exit status after telling what is wrong."""
    root = Path(root_path)
    steps = Steps(root)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with only_one(root, steps):
            put_in_place(root, needs, steps)
    except SetupError as error:
        steps.say(str(error))
        return error.status
    except OSError as error:
        steps.say(f"cannot set up {' '.join(arguments[:1])}: {error}")
        return 4
    except KeyboardInterrupt:
        sys.stderr.write("\nkangle: interrupted; the next run starts this step again\n")
        return 130
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return 0


def put_in_place(root: Path, needs: Collection[str], steps: Steps) -> None:
    """The steps themselves, each a no-op when its stamp says so."""
    if DEBIAN in needs:
        debian.install_packages(root, steps)
    locks = [root / "requirements-dev.lock"]
    if DEV not in needs:
        locks.append(root / "requirements.lock")
    if not installed(root, locks):
        environment.build(root, locks[-1], steps)
    if PAGES in needs:
        pages.build_pages(root, steps)
    if NODE in needs:
        env = node.node_environment(root, steps)
        pages.install_packages(root / "edge" / "web", env, steps)
        os.environ["PATH"] = env["PATH"]


def installed(root: Path, locks: Sequence[Path]) -> bool:
    """True when ``.venv`` starts and holds exactly one of these locks."""
    stamp = root / ".venv" / environment.STAMP
    if not stamp.is_file() or not (root / ".venv" / "bin" / "python").exists():
        return False
    return stamp.read_bytes() in [lock.read_bytes() for lock in locks]
