"""What the tests need besides Python and Node packages: Debian packages, as data, installed by root or asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from edge.bootstrap.steps import SetupError, Steps

#: Chromium without windows opens a page for a third of the processor time; not every Debian or Ubuntu has it.
SHELL = "chromium-headless-shell"
SHELL_PATH = "usr/lib/chromium/chromium-headless-shell"
QUIETLY = {"DEBIAN_FRONTEND": "noninteractive"}
#: A file that fails to come is asked for again; another apt (the nightly upgrade) is waited for.
PATIENTLY = ("-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300")

# package: how to see that it is there, as (a program of PATH, a file pattern under /); either will do.
PACKAGES = {
    "chromium": ("chromium", SHELL_PATH),  # either will do
    "fonts-noto-cjk": ("", "usr/share/fonts/**/NotoSansCJK*.ttc"),
    "mosquitto": ("mosquitto", "usr/sbin/mosquitto"),
    "strace": ("strace", "usr/bin/strace"),
    "victoria-metrics": ("victoria-metrics", "usr/bin/victoria-metrics"),
}


def missing(packages: dict[str, tuple[str, str]] = PACKAGES) -> list[str]:
    """The packages that are not there."""
    return [
        name
        for name, (program, pattern) in packages.items()
        if not (program and shutil.which(program)) and not any(Path("/").glob(pattern))
    ]


def command_line(names: list[str]) -> str:
    """What a person types to install them."""
    return f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {' '.join(names)}"


def install_packages(root: Path, steps: Steps) -> None:
    """Install what is missing when root on a Debian; else say the one line to run."""
    names = missing()
    may = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if not names:
        if may and not Path("/", SHELL_PATH).exists() and is_known(SHELL):
            try:
                _install(root, steps, [SHELL], remedy="")
            except SetupError:
                steps.say(f"without {SHELL} the browser tests take three times as long; going on with chromium")
        return
    if not may:
        raise SetupError(f"the tests need {' and '.join(names)}. Run: {command_line(names)}")
    remedy = f"To do it by hand: {command_line(names)}"
    command = ["apt-get", "update", "-q", *PATIENTLY]
    steps.fetch("Debian package lists", command, cwd=root, env={**os.environ, **QUIETLY}, remedy=remedy)
    _install(root, steps, [SHELL if name == "chromium" and is_known(SHELL) else name for name in names], remedy)
    still = missing()
    if still:
        raise SetupError(f"apt-get installed {' and '.join(still)}, but they cannot be found. {remedy}")


def is_known(package: str) -> bool:
    """Whether apt's lists, as they are, have it."""
    command = ["apt-cache", "show", "--no-all-versions", package]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _install(root: Path, steps: Steps, names: list[str], remedy: str) -> None:
    command = ["apt-get", "install", "-y", "-q", *PATIENTLY, "--no-install-recommends", *names]
    do = steps.fetch if remedy else steps.run
    do(f"Debian packages {' '.join(names)}", command, cwd=root, env={**os.environ, **QUIETLY}, remedy=remedy)
