"""The package index that the user set for pip holds for uv too.

uv has settings of its own and does not look at pip's; installing with it must not go past a mirror, a proxy certificate
or an offline folder that the user has set up. A user would notice as a set-up that asks the public index and fails.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

# pip's option: what uv calls it in the environment. A list is separated by white space in pip; uv wants the same but
# for UV_FIND_LINKS, which wants commas.
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}


MACHINE_FILE = Path("/etc/pip.conf")


def pip_files(env: Mapping[str, str]) -> list[Path]:
    """The configuration files that pip reads, weakest first."""
    named = env.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return []
    home = Path(env.get("HOME", "/"))
    shared = [Path(folder) / "pip" / "pip.conf" for folder in env.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")]
    own = [home / ".pip" / "pip.conf", Path(env.get("XDG_CONFIG_HOME", home / ".config")) / "pip" / "pip.conf"]
    return [*shared, MACHINE_FILE, *own, *([Path(named)] if named else [])]


def pip_options(env: Mapping[str, str]) -> dict[str, str]:
    """What the user set for ``pip install``: files, then the environment, the later the stronger."""
    parser = configparser.RawConfigParser()
    options: dict[str, str] = {}
    for path in pip_files(env):
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # pip itself will complain about it, with the name of the file
    for section in ("global", "install"):
        if parser.has_section(section):
            options |= {key.replace("_", "-"): " ".join(value.split()) for key, value in parser.items(section)}
    options |= {key[4:].lower().replace("_", "-"): value for key, value in env.items() if key.startswith("PIP_")}
    return options


def uv_environment(env: Mapping[str, str]) -> dict[str, str]:
    """``env`` with pip's index settings under uv's names, where the user did not set uv's own."""
    result = dict(env)
    for option, value in pip_options(env).items():
        name = UV_NAMES.get(option)
        if name is None or not value or name in env:
            continue
        result[name] = ",".join(value.split()) if name == "UV_FIND_LINKS" else value
    if "UV_INDEX" in result:
        # pip looks for a version in all its indexes; uv stops at the first that knows the name. The hashes of the lock
        # make pip's way safe.
        result.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return result
