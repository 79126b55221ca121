"""A charge of our own on a DC589 board: the order digits under which it runs, and why it ended."""

from __future__ import annotations

import hashlib

from drivers.dc589.codes import EndReason
from drivers.dc589.contents import ChargeEnd

SCANNED = 2
"""Consumer type of B7: started by the platform."""
_END_REASONS: dict[int, str] = {
    EndReason.UNPLUGGED: "unplugged",
    EndReason.FULL: "full",
    EndReason.FAULT: "fault",
    EndReason.OVERPOWER: "overpower",
    EndReason.SMOKE: "smoke",
    EndReason.HOT: "hot",
}


def order_of(command_id: str) -> str:
    """The 16 decimal digits under which the board keeps a charge: always the same ones for a command."""
    digest = hashlib.sha256(command_id.encode()).digest()
    return f"{int.from_bytes(digest[:8]) % 10**16:016d}"


def end_reason(content: ChargeEnd) -> str:
    """Newer firmware tells the reason in byte 40 and repeats in byte 29 who started; older tells it in 29. Our own
    sessions come back with 29 = 2 (``SCANNED``), which is also the code of "full": that one is not believed."""
    for code in (content.late_reason, 0 if content.reason == SCANNED else content.reason):
        name = _END_REASONS.get(code)
        if name is not None:
            return name
    return "unknown"
