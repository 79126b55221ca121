"""Sets: the time of machines that speak when something was done, and not every second.

A strength machine says a word when a repetition is over and one when the set is (``drivers/strength/PROTOCOL.md``). So
its silence is the slow pull of an old arm, neither a pause nor a loss, and the word comes at the end of what it tells:
the first repetition began before it was heard of. Time in a set is the whole set, as the machine itself measures it
(``minutes``), with the lowering and the breath between two pulls; the rest between two sets is a pause. It is not time
under tension, which no word of the profile tells. A user would notice a mistake as three sets in no time at all.
"""

from __future__ import annotations

from edge.domain.gym.settings import AssetKind, SessionSettings
from edge.domain.gym.workout_state import Asset, Workout

NS_PER_S = 1_000_000_000
#: Longer than any workout.
NEVER_NS = 1 << 62
_BY_EVENT = frozenset({AssetKind.STRENGTH, AssetKind.CIRCULATION})


def lost_ns(asset: Asset, settings: SessionSettings) -> int:
    """After how much silence a machine in use is lost. Of one that speaks by events only its link can tell."""
    if asset.settings.kind in _BY_EVENT:
        return settings.rep_s * NS_PER_S if asset.link_down else NEVER_NS
    return settings.lost_s * NS_PER_S


def pause_ns(asset: Asset, settings: SessionSettings) -> int:
    """After how much time without motion it is a pause: not before the longest repetition could be over."""
    longest_s = settings.rep_s if asset.settings.kind in _BY_EVENT else 0
    return max(settings.pause_s, longest_s) * NS_PER_S


def fill_set(workout: Workout, set_ms: int, now_ns: int) -> None:
    """A set is over that lasted ``set_ms`` by the machine's own clock (0: it does not say). What of it was not counted
    yet is added, never more than the time since the set before."""
    totals, now_ms = workout.totals, workout.ms(now_ns)
    counted_ms = totals.active_ms - workout.set_active_ms
    missing_ms = min(set_ms, now_ms - workout.set_over_ms) - counted_ms
    totals.active_ms += max(0, min(missing_ms, now_ms - totals.active_ms))
    workout.set_active_ms, workout.set_over_ms = totals.active_ms, now_ms
