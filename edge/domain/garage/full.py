"""When a battery is full, seen from the wall: the adaptive rule and what it lacked.

The hard part is that the same watts mean different things: 60 W are the last hour of one charger, the float of an old
battery in summer, or a gap's average. So full needs three things together: low against this session's own peak, flat
(not on its way down), and held. Sources of the numbers: ``garage-domain.md`` 4.2 (share, clamp, holds), 4.3 (float by
slope); the constants below were tuned on the tuning set of ``kangle bench charging`` only, see ``docs/charging.md``.
A user would notice a mistake here as a bike that is not charged in the morning.
"""

from __future__ import annotations

import msgspec

from edge.domain.garage.charging_trend import GAP, Trend, drift, is_flat, level
from edge.domain.garage.full_steps import Kind, fell_away, step_at_end
from edge.domain.garage.settings import FullSettings

#: No e-bike charger's constant current takes less at the wall (36 V x 2 A = 76 W): below, nothing is charging fast, and
#: a session that never exceeded it (a top-up) is judged as if its peak had been this.
LEAST_PEAK_DW = 1200
NO_CHARGER_DW = 600
#: A float by slope: below this level and share of the peak. Above it stands the plateau of a second, smaller charger;
#: between it and ``NO_CHARGER_DW`` the reduced stage of a two-step charger, which is over within 75 min.
FLOAT_DW = 900
FLOAT_PCT = 45
FLOAT_FLAT_MIN = 45
FLOAT_HIGH_FLAT_MIN = 90
FLOAT_FLAT_PCT = 4
#: A float comes after a fall: what has not fallen yet is a constant current.
FALLEN_PCT = 80
#: A reduced stage is over after so long (``full_steps``). Before a step was seen it may have begun with the charge, and
#: is no less than this: what is low at once is a full battery that was plugged in.
STAGE_MIN = 180
FIRST_STAGE_DW = 450
#: Flat: moved by no more than this over the flat window; a cold lead-acid taper (time constant 2.7 h) moves by 8 %.
FLAT_PCT = 3
FLAT_LEAST_DW = 8
FLAT_MIN = 18
FLAT_HELD_MIN = 4
#: The same where no step says that something ended: a slow taper is told from an end only by a longer look.
DRIFT_FLAT_MIN = 45
#: A taper below the low threshold is over when what it still has to bring is so small a part of what was charged and
#: of the smallest battery (a splitter has charged two, and tapers with one), or after so long below so little: what
#: the field's default would cut too.
TAIL_PCT = 3
TAIL_DWH = 120
TAIL_WINDOW_MIN = 30
TAIL_MIN = 120
TAIL_BELOW_DW = 300
#: Chargers that top up again and again, balancing boards, fans: so many loud minutes do not end a quiet spell.
BURST_MIN = 3
#: Minutes of standby, burst or not, after which nothing is charging (unbroken ones: ``FullSettings.idle_s``).
QUIET_MIN = 25
#: A smooth taper whose rest (level x its own time constant) is so small a part of what was charged is as good as over.
REST_PCT = 4
TAPER_MIN = 9
#: A level that stands since a step has no taper, whatever the window says.
STANDS_PCT = 95
#: Time constant (level / slope) of a taper in min that only lead-acid has: 38 and more, lithium's 6-15.
SLOW_TAPER_MIN = 30
#: What was drawn before the power fell away, against the peak, above which it was taken away rather than full; below
#: ``STANDBY_DW`` nothing is left but an idle charger, below ``LEFT_W`` not even that.
UNPLUGGED_PCT = 20
FADED_PCT = 60
STANDBY_DW = 60
LEFT_W = 0.4


class Fullness(msgspec.Struct, kw_only=True):
    """Counters in minutes: below the low threshold, of these below 30 W, loud since, idle, flat. ``before_dw`` and
    ``rest_wh``: the last level above standby and what a taper still had to bring then (-1: no taper). ``dropped``: from
    there it fell to standby at once, as when a battery is taken away. ``faded``: the last sample above standby was
    already well below the minute before it: it ended by itself. ``gapped``: the plug was out for over a minute since
    the peak, so a lower plateau may be another battery. ``step_min``: since the last abrupt fall, -1 none yet;
    ``stage_min``: since one with which a reduced stage of ``stage_dw`` or more may have begun (or since the beginning).
    ``top_dw``: the highest level of the ``top_min`` minutes since something was taken away."""

    low_min: int = 0
    tail_min: int = 0
    loud_min: int = 0
    quiet_min: int = 0
    flat_min: int = 0
    before_dw: int = 0
    rest_wh: float = -1.0
    dropped: bool = False
    faded: bool = False
    gapped: bool = False
    step_min: int = -1
    stage_min: int = 0
    stage_dw: int = FIRST_STAGE_DW
    top_dw: int = 0
    top_min: int = 0


def low_threshold_dw(full: FullSettings, peak_dw: int) -> int:
    """Below this a charge may be over: clamp(25 % of the session's peak, 8 W, 45 W)."""
    share = full.low_share_pct * max(peak_dw, LEAST_PEAK_DW) // 100
    return min(max(share, full.low_min_w * 10), full.low_max_w * 10)


def note_minute(state: Fullness, full: FullSettings, trend: Trend, minute_dw: int, pack_wh: float) -> None:
    """Count one completed minute."""
    if minute_dw < STANDBY_DW:
        if state.before_dw:
            state.dropped = _taken_away(state, trend, pack_wh)
            state.before_dw = 0
    else:
        state.before_dw, state.dropped = level(trend.minutes), False
        staged = state.stage_min == state.step_min <= TAPER_MIN and state.before_dw * 100 >= STANDS_PCT * state.top_dw
        state.rest_wh = -1.0 if staged else rest_wh(trend.minutes, TAPER_MIN)
    state.quiet_min += minute_dw < STANDBY_DW
    if minute_dw == GAP:
        state.loud_min = 0
    elif minute_dw < low_threshold_dw(full, trend.peak_dw):
        state.low_min += 1
        state.tail_min += minute_dw < TAIL_BELOW_DW
        state.loud_min = 0
    else:
        state.loud_min += 1
        if state.loud_min > BURST_MIN:
            state.low_min = state.tail_min = state.quiet_min = 0


def _taken_away(state: Fullness, trend: Trend, pack_wh: float) -> bool:
    """Whether the fall to standby was no end of charge. From high: in one step, from a level that no taper had brought
    down. From low, where chargers end: only out of a taper as slow as lead-acid's (its charger ends in a float; what
    goes to standby is lithium's, and falls faster)."""
    if state.low_min >= BURST_MIN or state.before_dw * 100 <= UNPLUGGED_PCT * trend.peak_dw:
        return not state.faded and state.rest_wh * 600 > SLOW_TAPER_MIN * state.before_dw
    return not (state.faded or 0 <= state.rest_wh * 100 <= REST_PCT * pack_wh)


def note_sample(state: Fullness, trend: Trend, before_w: float, power_w: float) -> None:
    """Look at a step from above standby to standby, at full time resolution."""
    if before_w * 10 >= STANDBY_DW > power_w * 10:
        state.faded = power_w > LEFT_W and before_w * 1000 < FADED_PCT * level(trend.minutes)


def rest_wh(minutes: list[int], window: int) -> float:
    """What a taper still has to bring if it goes on as exponentially as in its last ``window`` minutes, in Wh:
    P^2 / -dP/dt. -1.0 while there is no taper."""
    ends = drift(minutes, window)
    if ends is None or ends[0] - ends[1] < max(10, ends[0] // 50):
        return -1.0
    per_hour = (ends[0] - ends[1]) * 60 / (window * 2 / 3)
    return ends[1] ** 2 / per_hour / 10


def note_steps(state: Fullness, full: FullSettings, trend: Trend, passed: int) -> None:
    """Look for abrupt falls in the ``passed`` minutes just completed."""
    minutes = trend.minutes
    for ago in range(min(passed, len(minutes)) - 1, -1, -1):
        state.stage_min += 1
        state.step_min += state.step_min >= 0
        upto = minutes[: len(minutes) - ago]
        state.top_min, state.top_dw = state.top_min + 1, max(state.top_dw, level(upto))
        if fell_away(upto):
            state.top_min, state.top_dw = 0, level(upto)
        step = step_at_end(upto, trend.peak_dw, full.low_max_w * 10)
        if step is None:
            continue
        state.step_min = 0
        if step.kind is Kind.STAGE:
            running = state.stage_dw if state.stage_min < STAGE_MIN else step.least_dw
            state.stage_min, state.stage_dw = 0, min(running, step.least_dw)


def may_be_stage(state: Fullness, now_dw: int) -> bool:
    """Whether what is drawn may be the reduced current of a charger that is not done."""
    return state.stage_min < STAGE_MIN and now_dw >= state.stage_dw


def full_by(state: Fullness, full: FullSettings, trend: Trend, pack_wh: float, passed: int) -> str:
    """Why it is full after ``passed`` more minutes, "" while it is not: ``end_flat`` (something ended with a step, and
    what is left is low and flat), ``low_flat`` (so without a step, seen for longer), ``tail``, ``float``."""
    minutes = trend.minutes
    now = level(minutes)
    if now == 0 or may_be_stage(state, now):
        return ""
    if state.loud_min == 0 and state.low_min * 60 >= full.hold_s:
        ended = FLAT_MIN < state.step_min <= state.low_min + BURST_MIN
        window = max(FLAT_MIN, full.flat_s // 60) if ended else DRIFT_FLAT_MIN
        flat = is_flat(minutes, window, FLAT_PCT, FLAT_LEAST_DW)
        state.flat_min = state.flat_min + passed if flat else 0
        if state.flat_min >= FLAT_HELD_MIN:
            return "end_flat" if ended else "low_flat"
        if state.tail_min >= TAIL_MIN or _tail_is_small(state, minutes, pack_wh):
            return "tail"
    return "float" if _floats(state, trend, now) else ""


def _tail_is_small(state: Fullness, minutes: list[int], pack_wh: float) -> bool:
    """A smooth taper, no step in sight, that has next to nothing left to bring."""
    if 0 <= state.step_min <= TAIL_WINDOW_MIN:
        return False
    return 0 <= rest_wh(minutes, TAIL_WINDOW_MIN) * 100 <= min(TAIL_PCT * pack_wh, TAIL_DWH * 10)


def _floats(state: Fullness, trend: Trend, now_dw: int) -> bool:
    """A float by slope: fallen from the peak, below any plateau of a charger, and flat for long."""
    if now_dw * 100 > FALLEN_PCT * trend.peak_dw:
        return False
    limit = NO_CHARGER_DW if state.gapped else max(NO_CHARGER_DW, min(FLOAT_DW, FLOAT_PCT * trend.peak_dw // 100))
    window = FLOAT_FLAT_MIN if now_dw < NO_CHARGER_DW else FLOAT_HIGH_FLAT_MIN
    ends = drift(trend.minutes, window)
    if ends is None or now_dw >= limit or max(ends) >= limit:
        return False
    return is_flat(trend.minutes, window, FLOAT_FLAT_PCT, FLAT_LEAST_DW)


def ended_idle(state: Fullness, full: FullSettings, minute_dw: int, idle_s: float) -> bool:
    """Whether nothing but standby has been drawn for long enough: without a break, or with short bursts."""
    return idle_s >= full.idle_s or (state.quiet_min >= QUIET_MIN and minute_dw < STANDBY_DW)


def told(state: Fullness, trend: Trend) -> str:
    """What the end is called: ``empty`` (nothing was ever plugged in), ``unplugged`` (the battery was taken away while
    it still charged), ``full``."""
    if trend.peak_dw == 0:
        return "empty"
    return "unplugged" if state.dropped else "full"
