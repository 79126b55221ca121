"""Whether the environment is in place. Asked before every command, under any Python from 3.6 on; imports only
``os``."""

import os


def content(*path: str) -> "bytes | None":
    """The bytes of a file, or None."""
    try:
        with open(os.path.join(*path), "rb") as file:
            return file.read()
    except OSError:
        return None


def in_place(root: str, *, dev: bool) -> bool:
    """True when ``root/.venv`` starts and holds exactly what the lock asks for.

    The stamp is a copy of the lock that was installed: comparing it is cheaper than any digest.
    """
    venv = os.path.join(root, ".venv")
    python = os.path.realpath(os.path.join(venv, "bin", "python"))
    # After an upgrade of the system the link may lead to another Python, which would not find its packages.
    if not os.path.exists(python) or not os.path.isdir(os.path.join(venv, "lib", os.path.basename(python))):
        return False
    installed = content(venv, "installed.lock")
    if installed is None:
        return False
    # The development lock is a superset: with it in place, nothing is missing for running either.
    return installed == content(root, "requirements-dev.lock") or (
        not dev and installed == content(root, "requirements.lock")
    )
