"""The virtual environment: built beside, renamed into place; half a one is never seen.

``.venv.new`` is filled from the hashed lock, gets a ``.pth`` file that names the checkout relative to itself, has its
paths set to the final name, and last gets the stamp ``installed.lock``, a copy of the lock. Only then is it renamed to
``.venv``. A user would notice a mistake here as an import error after Ctrl-C during set-up.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from edge.bootstrap.indexes import uv_environment
from edge.bootstrap.steps import SetupError, Steps

STAMP = "installed.lock"  # edge.bootstrap.state looks for it
VENV_LINE = "sudo apt-get update && sudo apt-get install -y python3-venv"
NETWORK = "Check the network, the proxy and pip's index settings (pip config list), then run the same command again."


def build(root: Path, lock: Path, steps: Steps) -> None:
    """Make ``root/.venv`` hold exactly what ``lock`` names."""
    new = root / ".venv.new"
    shutil.rmtree(new, ignore_errors=True)
    uv = find_uv()
    create(new, with_pip=uv is None)
    install(new / "bin" / "python", lock, steps, uv=uv, title=f"Python packages from {lock.name}")
    packages = site_packages(new)
    (packages / "kangle-checkout.pth").write_text(f"{os.path.relpath(root, packages)}\n", encoding="utf-8")
    set_final_name(new, root / ".venv")
    write_stamp(new / STAMP, lock.read_bytes())
    put_in_place(new, root / ".venv")


def find_uv() -> str | None:
    """A uv that really starts (a version manager may leave a launcher behind that does not)."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    ran = subprocess.run([uv, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return uv if ran.returncode == 0 else None


def create(folder: Path, *, with_pip: bool) -> None:
    """An empty virtual environment of the Python that runs this."""
    if importlib.util.find_spec("venv") is None or (with_pip and importlib.util.find_spec("ensurepip") is None):
        raise SetupError(f"this Python cannot make a virtual environment. Run: {VENV_LINE}")
    flags = [] if with_pip else ["--without-pip"]
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--prompt", "kangle", *flags, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        said = (made.stdout + made.stderr).strip()
        raise SetupError(f"python3 -m venv failed:\n{said}\nIf it asks for ensurepip, run: {VENV_LINE}")


def install(python: Path, lock: Path, steps: Steps, *, uv: str | None, title: str, target: Path | None = None) -> None:
    """Install ``lock`` with its hashes, wheels only (nothing is compiled or run). ``target``: a plain folder."""
    where = [] if target is None else ["--target", str(target)]
    if uv is not None:
        # As pip does by itself: else each start of each process compiles its imports anew where it may not write them.
        command = [uv, "pip", "install", "--python", str(python), "--link-mode", "copy", "--compile-bytecode"]
        env = uv_environment(os.environ)
    else:
        if importlib.util.find_spec("ensurepip") and not (site_packages(python.parent.parent) / "pip").exists():
            subprocess.run([str(python), "-m", "ensurepip"], capture_output=True, check=False)  # uv made it, uv is gone
        command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-deps"]
        env = dict(os.environ)
    flags = ["--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    env.pop("PYTHONPATH", None)
    steps.fetch(title, [*command, *where, *flags], cwd=lock.parent, env=env, remedy=NETWORK)


def site_packages(folder: Path) -> Path:
    """The only one of this environment."""
    (found,) = (folder / "lib").glob("python3.*/site-packages")
    return found


def set_final_name(new: Path, final: Path) -> None:
    """Scripts and activation name the folder that they were made in; after this they name the folder to come."""
    for path in (new / "bin").iterdir():
        if path.is_symlink() or not path.is_file() or path.stat().st_size > 1 << 20:
            continue
        before = path.read_bytes()
        after = before.replace(os.fsencode(new), os.fsencode(final))
        if after != before:
            path.write_bytes(after)


def write_stamp(path: Path, data: bytes) -> None:
    """Write and sync: the stamp must not reach the disk before what it vouches for is at least written out."""
    os.sync()
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def put_in_place(new: Path, final: Path) -> None:
    """Replace the folder ``final`` by ``new``. Between the two renames there is none, and the next run builds it."""
    old = final.with_name(final.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists() or final.is_symlink():
        final.rename(old)
    new.rename(final)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    if old.is_symlink():
        old.unlink()
    shutil.rmtree(old, ignore_errors=True)
