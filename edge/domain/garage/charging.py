"""The session machine of one port: values in, a decision out; it knows no device, no kernel and no clock.

How a kernel uses it, per port::

    state = start(session_id, now_ns)  # when the port is closed for a session
    decision = observe(state, port, full, reading, now_ns)  # each MeterReading of the port's meter
    decision = tick(state, port, now_ns)  # at ``deadline(state, port)``, or at any time
    switched(state, now_ns, on=False)  # paused and closed again by load management
    resume_after_downtime(state, port, downtime_ns, now_ns)  # after a start, with the state read back from its row
    stop(state, "stopped", now_ns)  # a person, smoke, the zone: any reason from outside

When ``decision.cut`` is true the port must be off: the machine has ended and repeats the same decision for ever;
``trip`` says that the port must also lose its arming. ``decision.changed`` asks for the row and the view to be written.
The state is plain data (msgpack of it is the row); ``samples`` is the evidence for ``CutRecordRow`` and may be left out
of a row (``without_samples``).

The hard part is that every number here is a duration on a clock that restarts: ``age_ns`` accumulates monotonic time
while the port is on, downtime included, and all else is measured in it. A user would notice a mistake as a charger that
runs all night after a power cut, or that stops at half because a plug was loose.
"""

from __future__ import annotations

import msgspec

from edge.domain.field_devices import MeterReading
from edge.domain.garage import charging_caps as caps
from edge.domain.garage import charging_samples, charging_swap, charging_trend, charging_trouble
from edge.domain.garage import full as fullness
from edge.domain.garage.charging_trend import MINUTE_NS, Trend, level
from edge.domain.garage.charging_trouble import Trouble
from edge.domain.garage.full import Fullness
from edge.domain.garage.messages import PortPhase
from edge.domain.garage.settings import FullSettings, PortSettings

SECOND_NS = 1_000_000_000
#: Mains voltage where a meter gives current only.
MAINS_V = 220.0
#: Longest time over which one reading stands for the power (the meter-silent cap acts in the meantime).
HOLD_NS = 900 * SECOND_NS


class Charging(msgspec.Struct, kw_only=True):
    """The machine's whole state. ``age_ns`` counts closed time and downtime since the session began, ``seen_ns`` is the
    monotonic time of the last call (this boot), ``pack_wh`` the energy since the last confirmed swap, ``total_wh`` of
    the session, both integrated from power at the wall."""

    session_id: str
    seen_ns: int
    limit_min: int = 0
    on: bool = True
    phase: PortPhase = PortPhase.EMPTY
    reason: str = ""
    how: str = ""
    age_ns: int = 0
    pack_ns: int = 0
    heard_ns: int = 0
    power_w: float = 0.0
    pack_wh: float = 0.0
    total_wh: float = 0.0
    idle_ns: int = -1
    gap_ns: int = 0
    away_ns: int = -1
    swap_min: int = -1
    swap_dw: int = 0
    swaps: int = 0
    warnings: tuple[str, ...] = ()
    trend: Trend = msgspec.field(default_factory=Trend)
    full: Fullness = msgspec.field(default_factory=Fullness)
    trouble: Trouble = msgspec.field(default_factory=Trouble)
    samples: bytearray = msgspec.field(default_factory=bytearray)


class Decision(msgspec.Struct, frozen=True):
    """``cut``: the port must be off, because of ``reason``; ``trip``: and lose its arming. ``changed``: phase, reason
    or warnings are not what they were, or a minute is over."""

    phase: PortPhase
    cut: bool
    reason: str
    trip: bool
    changed: bool
    warnings: tuple[str, ...] = ()


def start(session_id: str, now_ns: int, limit_min: int = 0) -> Charging:
    """A session that begins now with its port closed. ``limit_min`` is the person's own limit, 0 none."""
    return Charging(session_id=session_id, seen_ns=now_ns, limit_min=limit_min)


def observe(state: Charging, port: PortSettings, full: FullSettings, reading: MeterReading, now_ns: int) -> Decision:
    """Take one reading of the port's meter. A retained one says nothing (it is somebody's memory)."""
    if state.reason or reading.retained or not state.on:
        return tick(state, port, now_ns)
    before = state.age_ns
    _advance(state, now_ns)
    power = reading.power_w
    if power is None and reading.current_a is not None:
        power = reading.current_a * (reading.voltage_v or MAINS_V)
    charging_samples.push(state.samples, state.age_ns // 1_000_000, reading)
    reason = caps.cap_of_reading(port, reading) or _time_cap(state, port)
    warnings = caps.warnings_of(port, reading, state.warnings)
    told = warnings != state.warnings
    state.warnings = warnings
    if not reason and power is not None:
        minute = state.trend.minute
        reason = _measure(state, port, full, reading, power, state.age_ns - before)
        told = told or state.trend.minute != minute
    return _decide(state, reason, changed=told)


def tick(state: Charging, port: PortSettings, now_ns: int) -> Decision:
    """Let time pass without a reading: only the caps of time can act."""
    if state.reason:
        return _decide(state, "", changed=False)
    _advance(state, now_ns)
    return _decide(state, _time_cap(state, port) if state.on else "", changed=False)


def deadline(state: Charging, port: PortSettings) -> int | None:
    """Monotonic ns at which ``tick`` could act, None when the machine has ended or the port is paused."""
    if state.reason or not state.on:
        return None
    minutes = min(port.session_hard_min, state.limit_min or port.session_hard_min)
    silent = state.heard_ns + port.meter_silent_s * SECOND_NS + 1
    return state.seen_ns + max(0, min(minutes * MINUTE_NS, silent) - state.age_ns)


def stop(state: Charging, reason: str, now_ns: int) -> Decision:
    """End the session for a reason from outside (stopped, smoke, cut, fault ...). The first reason stays."""
    if not state.reason:
        _advance(state, now_ns)
        return _decide(state, reason, changed=True)
    return _decide(state, "", changed=False)


def switched(state: Charging, now_ns: int, *, on: bool) -> None:
    """Load management has opened or closed the port in mid-session. Time off counts toward no cap, is no gap, and the
    charger's new start is no drop, swap or step."""
    _advance(state, now_ns)
    if on and not state.on:
        state.heard_ns, state.idle_ns, state.gap_ns, state.away_ns = state.age_ns, -1, state.age_ns, -1
    state.on = on
    state.power_w = 0.0


def resume_after_downtime(state: Charging, port: PortSettings, downtime_ns: int | None, now_ns: int) -> Decision:
    """Go on after a restart. Downtime counts as closed time; when nobody can say how long it was (None, or negative:
    the wall clock went back) the session ends, because its caps could no longer be kept."""
    state.seen_ns = now_ns
    if state.reason:
        return _decide(state, "", changed=False)
    if downtime_ns is None or downtime_ns < 0:
        return _decide(state, "downtime_unknown", changed=True)
    if state.on:
        state.age_ns += downtime_ns
        charging_trend.skip(state.trend, state.age_ns // MINUTE_NS)
        state.power_w = 0.0
        state.heard_ns, state.idle_ns, state.gap_ns, state.away_ns = state.age_ns, -1, state.age_ns, -1
    return _decide(state, _time_cap(state, port), changed=True)


def without_samples(state: Charging) -> Charging:
    """A shallow copy for the row that is written each minute."""
    return msgspec.structs.replace(state, samples=bytearray())


def remaining_min(state: Charging, port: PortSettings) -> int | None:
    """What a resident may be told: minutes left by the hold of the full test or the caps; None while unknown."""
    if state.phase is PortPhase.FLOAT:
        return max(1, 20 - state.full.low_min)
    left = port.session_hard_min - state.age_ns // MINUTE_NS
    return left if left < 60 else None


# --- inside -----------------------------------------------------------------------------------------------------------


def _advance(state: Charging, now_ns: int) -> None:
    passed = max(0, now_ns - state.seen_ns)
    state.seen_ns = max(now_ns, state.seen_ns)
    if state.on and not state.reason:
        state.age_ns += passed


def _time_cap(state: Charging, port: PortSettings) -> str:
    return caps.cap_of_time(port, state.age_ns, state.age_ns - state.heard_ns, state.limit_min)


def _measure(
    state: Charging, port: PortSettings, full: FullSettings, reading: MeterReading, power_w: float, step_ns: int
) -> str:
    """Fold a good measurement in; a reason when a rule fires."""
    state.heard_ns = state.age_ns
    step_wh = state.power_w * min(step_ns, HOLD_NS) / 3.6e12
    state.pack_wh += step_wh
    state.total_wh += step_wh
    idle = power_w < full.idle_w
    if charging_trouble.note_sample(state.trouble, reading, state.age_ns, step_wh):
        return "meter_stuck"
    if idle:
        if state.idle_ns < 0:
            state.idle_ns = state.age_ns
            if state.power_w > charging_trouble.DROP_FROM_W and charging_trouble.note_drop(state.trouble, state.age_ns):
                return "repeated_drops"
    elif state.idle_ns >= 0:
        state.idle_ns, state.gap_ns = -1, state.age_ns
    _note_away(state, power_w)
    fullness.note_sample(state.full, state.trend, state.power_w, power_w)
    state.power_w = power_w
    minutes = charging_trend.add(state.trend, state.age_ns // MINUTE_NS, power_w, idle=idle)
    return _minutes(state, port, full, minutes) if minutes else ""


def _note_away(state: Charging, power_w: float) -> None:
    """Watch for a gap in which the battery may have been changed, also with the charger left in the socket."""
    if power_w < charging_swap.STANDBY_W:
        state.away_ns = state.age_ns if state.away_ns < 0 else state.away_ns
        return
    if state.away_ns >= 0 and state.age_ns - state.away_ns > charging_swap.GAP_NS and state.trend.peak_dw:
        state.swap_min = state.age_ns // MINUTE_NS
        state.swap_dw = charging_swap.level_before_gap(state.trend.minutes)
        state.full.gapped = True
    state.away_ns = -1


def _minutes(state: Charging, port: PortSettings, full: FullSettings, passed: int) -> str:
    """Judge the ``passed`` minutes just completed."""
    kept = state.trend.minutes
    for value in kept[-min(passed, charging_trend.HELD) :]:
        fullness.note_minute(state.full, full, state.trend, value, state.pack_wh)
    fullness.note_steps(state.full, full, state.trend, passed)
    _confirm_swap(state)
    after_gap = state.age_ns - state.gap_ns < 3 * MINUTE_NS
    if charging_trouble.note_plateau(state.trouble, kept[-1], after_gap=after_gap):
        return "second_load"
    if state.pack_wh > caps.energy_limit_wh(full):
        return "energy_limit"
    idle_s = (state.age_ns - state.idle_ns) / SECOND_NS if state.idle_ns >= 0 else 0.0
    if fullness.ended_idle(state.full, full, kept[-1], idle_s):
        state.how = "idle"
    else:
        state.how = fullness.full_by(state.full, full, state.trend, state.pack_wh, passed)
    if state.how:
        return fullness.told(state.full, state.trend)
    if charging_trouble.is_rising(state.trend, state.full.top_dw, state.full.top_min):
        return "no_taper"
    if state.age_ns - state.pack_ns >= port.session_min * MINUTE_NS and not charging_trouble.still_falls(state.trend):
        still_on = level(kept) * 100 > charging_trouble.STILL_ON_PCT * state.trend.peak_dw
        return "no_taper" if still_on else "session_time"
    state.phase = _phase(state)
    return ""


def _confirm_swap(state: Charging) -> None:
    """Only on a confirmed swap peak and timers begin anew."""
    if state.swap_min < 0:
        return
    trend, since = state.trend, state.age_ns // MINUTE_NS - state.swap_min
    if charging_swap.is_swap(trend.minutes, trend.peak_dw, state.swap_dw, since, fullness.NO_CHARGER_DW):
        state.trend = Trend(minute=trend.minute, peak_dw=level(trend.minutes), minutes=trend.minutes[-2:])
        state.full = Fullness()
        state.trouble = Trouble(drops_ns=state.trouble.drops_ns)
        state.pack_wh, state.pack_ns = 0.0, state.age_ns
        state.swaps += 1
        state.swap_min = -1
    elif since > charging_swap.SEEN_MIN:
        state.swap_min = -1


def _phase(state: Charging) -> PortPhase:
    now, peak = level(state.trend.minutes), state.trend.peak_dw
    if len(state.trouble.drops_ns) > charging_trouble.DROPS // 2:
        return PortPhase.SUSPECT
    if now == 0:
        return PortPhase.EMPTY if peak == 0 or state.full.dropped else PortPhase.IDLE_LOAD
    if state.full.low_min and not state.full.loud_min:
        return PortPhase.FLOAT
    if now < fullness.NO_CHARGER_DW and peak < fullness.NO_CHARGER_DW:
        return PortPhase.IDLE_LOAD
    return PortPhase.CC if now * 100 >= charging_trouble.FALL_PCT * peak else PortPhase.TAPER


def _decide(state: Charging, reason: str, *, changed: bool) -> Decision:
    before = state.phase
    if reason and not state.reason:
        state.reason, changed = reason, True
        state.phase = PortPhase.TRIPPED if reason in caps.TRIPS else PortPhase.DONE
    trip = state.reason in caps.TRIPS
    return Decision(
        state.phase, bool(state.reason), state.reason, trip, changed or state.phase is not before, state.warnings
    )
