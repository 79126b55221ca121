"""How the history process tells the daemon beside it that something is wrong: a small file in the store's folder.

A file, because it is all that the two share; the daemon reads it now and then and raises the alarm as its own. The hard
part is that silence is bad news too: ``beats`` rises while the history lives. A user would notice a mistake as lost
curves that nobody was told of.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

FILE_NAME = "history.health"
MAX_BYTES = 4096


class HistoryHealth(msgspec.Struct, frozen=True):
    """``alarm`` is "" or a stable code (``SampleHistory.alarm``); ``run`` names the process, ``beats`` rises with every
    writing."""

    run: int
    beats: int
    alarm: str = ""
    detail: str = ""


def write_health(directory: Path, health: HistoryHealth) -> None:
    """Replace the file. It is news, not a record: nothing is synced. Raises OSError."""
    new = directory / f"{FILE_NAME}.new"
    new.write_bytes(msgspec.json.encode(health))
    new.replace(directory / FILE_NAME)


def read_health(directory: Path) -> HistoryHealth | None:
    """What was told last; None when no history ever ran here, or for a file that is not ours."""
    try:
        with (directory / FILE_NAME).open("rb") as file:
            return msgspec.json.decode(file.read(MAX_BYTES), type=HistoryHealth)
    except (OSError, msgspec.MsgspecError):
        return None
