"""The pages: npm packages from the lock, built once into ``edge/web/dist``; again only when a source changed."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from edge.bootstrap.environment import put_in_place, write_stamp
from edge.bootstrap.node import node_environment
from edge.bootstrap.steps import SetupError, Steps

STAMP = ".stamp"
# Not a source of the pages: what is installed, built, or tells git what to ignore.
NO_SOURCE = frozenset({"node_modules", "dist", "dist.new", "dist.old", ".gitignore"})
REMEDY = "Check the network, the proxy and npm's registry setting (npm config get registry), then run it again."


def sources_digest(web: Path) -> bytes:
    """SHA-256 over the path and content of every source of the pages, hex."""
    digest = hashlib.sha256()
    for path in sorted(web.rglob("*")):
        parts = path.relative_to(web).parts
        if parts[0] in NO_SOURCE or not path.is_file():
            continue
        content = path.read_bytes()
        digest.update(f"{'/'.join(parts)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest().encode()


def built(web: Path, digest: bytes) -> bool:
    """True when ``dist`` was built from exactly these sources."""
    stamp = web / "dist" / STAMP
    return stamp.is_file() and stamp.read_bytes() == digest


def install_packages(web: Path, env: dict[str, str], steps: Steps) -> None:
    """``npm ci`` if ``node_modules`` is not what the lock says; the stamp is a copy of the lock."""
    stamp, lock = web / "node_modules" / ".installed-lock.json", (web / "package-lock.json").read_bytes()
    if stamp.is_file() and stamp.read_bytes() == lock:
        return
    stamp.unlink(missing_ok=True)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--include=dev"]
    steps.fetch("Packages of the pages (npm ci)", command, cwd=web, env=env, remedy=REMEDY)
    write_stamp(stamp, lock)


def build_pages(root: Path, steps: Steps) -> None:
    """Build the pages if a source changed since they were built."""
    web = root / "edge" / "web"
    digest = sources_digest(web)
    if built(web, digest):
        return
    env = node_environment(root, steps)
    install_packages(web, env, steps)
    new = web / "dist.new"
    shutil.rmtree(new, ignore_errors=True)
    command = ["npm", "run", "build", "--", "--outDir", str(new), "--emptyOutDir"]
    steps.run("Building the pages", command, cwd=web, env=env, remedy="See the message of the build above.")
    if not any(new.glob("*.html")):
        raise SetupError(f"building the pages left no page in {new}", status=1)
    write_stamp(new / STAMP, digest)
    put_in_place(new, web / "dist")
