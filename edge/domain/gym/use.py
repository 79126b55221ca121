"""What a visitor sees of a machine: free, warm, busy, or why not.

A machine that was not heard of is unknown, never free. A user would notice a mistake as a walk across the hall to a
treadmill that is switched off.
"""

from __future__ import annotations

from edge.domain.gym.turn import Turn
from edge.domain.gym.view_types import Use
from edge.domain.gym.workout import NS_PER_S
from edge.domain.gym.workout_state import Asset, Phase


def use_of(turn: Turn, asset: Asset) -> Use:
    """What a visitor sees of a machine."""
    if asset.locked_by:
        return Use.LOCKED
    if asset.fault:
        return Use.FAULT
    if asset.phase is not Phase.IDLE:
        return Use.BUSY
    if not is_open(turn, asset):
        return Use.CLOSED
    if asset.link_down or (asset.heard_ns is None and not asset.freed_ns):
        return Use.UNKNOWN
    warm_ns = turn.config.session.warm_s * NS_PER_S
    if asset.freed_ns is not None and turn.now_ns - asset.freed_ns < warm_ns:
        return Use.WARM
    return Use.FREE


def is_open(turn: Turn, asset: Asset) -> bool:
    """Whether the machine's zone is open now. With an untrusted clock nobody is turned away."""
    if not turn.stamp.wall_trusted:
        return True
    zone, now = turn.world.zones[asset.settings.zone], turn.site_time()
    return zone.open_min <= now.hour * 60 + now.minute < zone.close_min
