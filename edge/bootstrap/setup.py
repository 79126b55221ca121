"""Put in place what a command needs: the environment, the pages, Node, the Debian packages; nothing that is there."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from edge.bootstrap import debian, environment, node, pages
from edge.bootstrap.locking import only_one
from edge.bootstrap.state import in_place
from edge.bootstrap.steps import SetupError, Steps
from edge.cli_commands import DEBIAN, DEV, NODE, PAGES


def prepare(root_path: str, needs: Collection[str], arguments: Sequence[str]) -> int:
    """Set up ``needs`` in the checkout ``root_path``. Returns 0, or the exit status after telling what is wrong."""
    root = Path(root_path)
    if is_ready(root, needs):
        return 0
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


def is_ready(root: Path, needs: Collection[str]) -> bool:
    """True when a daemon's command lacks nothing. Told without writing: a service runs as a user who may not."""
    if {DEBIAN, NODE} & set(needs) or not in_place(str(root), dev=DEV in needs):
        return False
    web = root / "edge" / "web"
    return PAGES not in needs or pages.built(web, pages.sources_digest(web))


def put_in_place(root: Path, needs: Collection[str], steps: Steps) -> None:
    """The steps themselves, each a no-op when its stamp says so."""
    if DEBIAN in needs:
        debian.install_packages(root, steps)
    if not in_place(str(root), dev=DEV in needs):
        environment.build(root, root / ("requirements-dev.lock" if DEV in needs else "requirements.lock"), steps)
    if PAGES in needs:
        pages.build_pages(root, steps)
    if NODE in needs:
        env = node.node_environment(root, steps)
        pages.install_packages(root / "edge" / "web", env, steps)
        os.environ["PATH"] = env["PATH"]
