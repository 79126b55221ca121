"""The entry gate: may this person train now, by the blood pressure and pulse of the last hour?

The hard part is that one reading proves little: a stiff arm, stairs just climbed. Of several readings within a visit
the first is left out and the others are averaged; above the hold values a rest and a second measurement come before
anybody is turned away. A pressure beyond the refer value is no matter of averages: one reading refers, and what refers
stands for the day (``referrals``), however low the next one is. A cuff's clock is often years off, so the time of
arrival counts. A user would notice a mistake as a person sent home for climbing the stairs, or as one with 205 mmHg who
was let in by a second, lucky reading. Numbers: ``gym-domain.md`` section 8; a clinic signs them off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from edge.domain.gym.settings import LimitSettings
from edge.domain.gym.view_types import GateDecision

MINUTE_NS = 60_000_000_000
#: Readings further apart belong to two visits.
VISIT_NS = 30 * MINUTE_NS
#: Readings kept of one person.
KEPT = 8


class Vitals(msgspec.Struct, frozen=True, array_like=True):
    """One measurement; None = not measured. ``at_wall_ns`` is when it arrived."""

    at_wall_ns: int
    systolic_mmhg: int | None = None
    diastolic_mmhg: int | None = None
    pulse_bpm: int | None = None


class Verdict(NamedTuple):
    """``vitals`` are the values that were judged (their mean), None when there were none; ``readings`` how many;
    ``rest_until_ns`` (wall) when to measure again."""

    decision: GateDecision
    vitals: Vitals | None = None
    readings: int = 0
    rest_until_ns: int = 0


def decide(readings: Sequence[Vitals], now_wall_ns: int, settings: LimitSettings) -> Verdict:
    """Judge the readings of one person, oldest first. Readings from the future (a clock was set back) do not count.

    An upper pressure at the refer value refers at once, in any reading of the visit. The lower one has the same value
    for hold and refer (110): it refers when it is still there after the rest.
    """
    oldest_ns = now_wall_ns - settings.gate_max_age_min * MINUTE_NS
    fresh = [one for one in readings if oldest_ns <= one.at_wall_ns <= now_wall_ns]
    visit = [one for one in fresh if one.at_wall_ns >= fresh[-1].at_wall_ns - VISIT_NS]
    judged = _mean(visit)
    if any((one.systolic_mmhg or 0) >= settings.refer_systolic_mmhg for one in visit):
        return Verdict(GateDecision.REFER, judged, len(visit))
    if judged is None or None in {judged.systolic_mmhg, judged.diastolic_mmhg, judged.pulse_bpm}:
        return Verdict(GateDecision.MEASURE, judged, len(visit))
    if not _is_high(judged, settings):
        return Verdict(GateDecision.ADMIT, judged, len(visit))
    rest_ns = settings.rest_again_min * MINUTE_NS
    high = [one for one in visit if _is_high(one, settings)]
    if high and high[-1].at_wall_ns - high[0].at_wall_ns >= rest_ns:
        refers = (judged.diastolic_mmhg or 0) >= settings.refer_diastolic_mmhg
        return Verdict(GateDecision.REFER if refers else GateDecision.HOLD, judged, len(visit))
    return Verdict(GateDecision.REST, judged, len(visit), (high or visit)[0].at_wall_ns + rest_ns)


def _mean(visit: Sequence[Vitals]) -> Vitals | None:
    """Of each value the mean of all but its first reading (three-reading protocol); of the only one, itself."""
    if not visit:
        return None
    return Vitals(
        visit[-1].at_wall_ns,
        _mean_of([one.systolic_mmhg for one in visit]),
        _mean_of([one.diastolic_mmhg for one in visit]),
        _mean_of([one.pulse_bpm for one in visit]),
    )


def _mean_of(values: Sequence[int | None]) -> int | None:
    said = [value for value in values if value is not None]
    known = said[1:] or said
    return (2 * sum(known) + len(known)) // (2 * len(known)) if known else None


def _is_high(one: Vitals, settings: LimitSettings) -> bool:
    return (
        (one.systolic_mmhg or 0) >= settings.hold_systolic_mmhg
        or (one.diastolic_mmhg or 0) >= settings.hold_diastolic_mmhg
        or (one.pulse_bpm or 0) > settings.hold_rest_bpm
    )
