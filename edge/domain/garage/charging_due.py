"""When charging wants to be called by time alone, kept so that a reading need not ask hundreds of sessions.

The hard part is to be early rather than late: a reading only moves its session's own deadline away, so what was found
once stays a bound from below until sessions come, go, are switched or ticked. A user would notice a mistake as a
charger that runs past its hours because nobody looked.
"""

from __future__ import annotations

from edge.domain.garage import charging
from edge.domain.garage.world import World


def settle(world: World) -> None:
    """At the end of a turn: find the first deadline anew if sessions ``moved``."""
    book = world.charging
    if book.moved:
        book.moved = False
        book.due_ns = first_due_ns(world)


def first_due_ns(world: World) -> int | None:
    """The first moment at which a session's own deadline or the look at the queues comes; None without sessions."""
    dues = []
    for name, session in world.charging.sessions.items():
        settings = world.port_settings.get(name)
        if settings is not None:
            due = None if session.waiting else charging.deadline(session.charging, settings)
            dues.append(world.charging.load_due_ns if due is None else due)
    return min(dues, default=None)
