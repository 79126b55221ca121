"""What the tests need besides Python and Node packages: Debian packages, as data, installed by root or asked for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from edge.bootstrap.steps import SetupError, Steps

# package: how to see that it is there, as (a program of PATH, a file pattern under /); either will do.
PACKAGES = {
    "chromium": ("chromium", "usr/lib/chromium/chromium"),
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
    if not names:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupError(f"the tests need {' and '.join(names)}. Run: {command_line(names)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    remedy = f"To do it by hand: {command_line(names)}"
    steps.run("Debian package lists", ["apt-get", "update", "-q"], cwd=root, env=env, remedy=remedy)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]
    steps.run(f"Debian packages {' '.join(names)}", command, cwd=root, env=env, remedy=remedy)
    still = missing()
    if still:
        raise SetupError(f"apt-get installed {' and '.join(still)}, but they cannot be found. {remedy}")
