"""One switched thing (a charger's outlet, a contactor, a siren ...), and the proof that what was cut is dead.

A command is only a wish and a relay's answer only a word: a cut is proven when the measured current has been gone for
``prove_hold_s`` and the relay does not say that it is closed. Until then the command is repeated every second, each
with an id and an expiry. The hard part is to tell apart what looks alike: a welded contact (says open, current flows),
a stuck meter (the very same figures again and again), an idle load behind a closed contact (no current, and nothing
proven). A user would notice a mistake as a battery that burns on behind a tile that says "off".
"""

from __future__ import annotations

import msgspec

from edge.domain.field_devices import MeterReading, Operate, OutputReading, Poll
from edge.domain.garage.messages import CutState
from edge.domain.garage.settings import ZoneSettings
from edge.domain.kernel import EffectClass, Send
from edge.domain.places import Place

NS_PER_S = 1_000_000_000
#: A cut that is not proven is told again so often; a command is void after so long (garage-domain.md 6).
REPEAT_NS = 1 * NS_PER_S
#: After a minute without proof it is told less often: by then the contactor is open and the alarm is out.
SLOW_AFTER_NS = 60 * NS_PER_S
SLOW_REPEAT_NS = 10 * NS_PER_S
EXPIRY_NS = 5 * NS_PER_S
#: Repeated alarms of a source repeat the cut, but not more often than this: a flood of smoke must not flood the buses.
RESEND_NS = NS_PER_S // 4
#: A relay that says "off" though it was told "on" is believed after so long: some report up to 30 s late.
LAG_NS = 30 * NS_PER_S
#: The very same figures so many times after a cut, with current: the meter hangs.
STUCK_READINGS = 3
#: The dead-man of a device is told again after this part of its time.
HOLD_PARTS = 3
_NONE, _PROVEN = CutState.NONE, CutState.PROVEN


class Switch(msgspec.Struct, kw_only=True):
    """``wanted``: what we command. ``on``: what the device itself said since the last order. ``bad``: "" or why this
    switch may not be trusted with current again before a person re-arms it (welded, unproven, meter_stuck).
    ``reason``: why it was last switched off. ``live``: told on, or seen on, since this start; without it no dead-man is
    told again. ``urgent``: the cut is for safety, so its proof has ``prove_s`` and no
    more. ``low_ns``: since when no current has been measured. ``frozen``: identical readings in a row."""

    role: str
    name: str
    zone: str
    at: Place
    meter: Place
    hold_ns: int = 0
    silent_ns: int = 0
    wanted: bool = False
    armed: bool = True
    reason: str = ""
    bad: str = ""
    live: bool = False
    on: bool | None = None
    on_ns: int = 0
    said_ns: int | None = None
    fault: str = ""
    cut: CutState = CutState.NONE
    urgent: bool = False
    began_ns: int = 0
    told_ns: int = 0
    low_ns: int | None = None
    power_w: float | None = None
    current_a: float | None = None
    voltage_v: float | None = None
    temperature_c: float | None = None
    metered_ns: int | None = None
    frozen: int = 0


def operate(switch: Switch, *, on: bool, seq: int, now_ns: int, effect_class: EffectClass) -> Send:
    """The command, with its id and expiry; a held output gets its dead-man armed with it."""
    switch.told_ns = now_ns
    hold_s = switch.hold_ns // NS_PER_S if on else 0
    command = Operate(
        point=switch.at.point,
        on=on,
        command_id=f"{seq}.{switch.name}",
        expires_mono_ns=now_ns + EXPIRY_NS,
        hold_s=hold_s,
    )
    return Send(switch.at.device, command, effect_class)


def flows(switch: Switch, zone: ZoneSettings) -> bool | None:
    """Whether the last reading shows current; None without one. Every figure that was given must be low: a meter that
    says 0 A and 200 W proves nothing."""
    current_a, power_w = switch.current_a, switch.power_w
    if switch.metered_ns is None or (current_a is None and power_w is None):
        return None
    if current_a is not None and abs(current_a) * 1000 >= zone.proven_ma:
        return True
    return power_w is not None and abs(power_w) >= zone.proven_w


# --- what is heard ----------------------------------------------------------------------------------------------------


def measured(switch: Switch, reading: MeterReading, zone: ZoneSettings, now_ns: int) -> bool:
    """Take a meter's figures in. True when they speak of current or of none. A stored reading says nothing of now."""
    if reading.retained:
        return False
    if reading.temperature_c is not None:
        switch.temperature_c = reading.temperature_c
    power_w, current_a, voltage_v = reading.power_w, reading.current_a, reading.voltage_v
    if power_w is None and current_a is None:
        return False
    if voltage_v is None:
        voltage_v = switch.voltage_v
    same = power_w == switch.power_w and current_a == switch.current_a and voltage_v == switch.voltage_v
    if not same or switch.metered_ns is None:
        switch.frozen = 0
    elif switch.frozen < STUCK_READINGS:
        switch.frozen += 1
    switch.power_w, switch.current_a, switch.voltage_v, switch.metered_ns = power_w, current_a, voltage_v, now_ns
    if flows(switch, zone):
        switch.low_ns = None
    elif switch.low_ns is None:
        switch.low_ns = now_ns
    return True


def reported(switch: Switch, reading: OutputReading, now_ns: int) -> bool:
    """Take the device's word on its own state in. True when it said on or off."""
    if reading.retained:
        return False
    switch.fault = reading.fault if reading.accepted is not False else reading.fault or "refused"
    if reading.on is None:
        return False
    switch.said_ns = now_ns
    switch.live = switch.live or reading.on
    if reading.on != switch.on:
        switch.on, switch.on_ns = reading.on, now_ns
    return True


# --- switching --------------------------------------------------------------------------------------------------------


def order_off(switch: Switch, now_ns: int, *, reason: str, urgent: bool) -> None:
    """Cut it, unless that is under way or proven. The command itself leaves by ``drive``. A safety cut takes over an
    ordinary one: its time for proof begins anew, shorter."""
    switch.wanted = False
    if switch.cut is CutState.NONE or (urgent and not switch.urgent):
        switch.reason = reason
        switch.cut = CutState.COMMANDED
        switch.began_ns, switch.told_ns = now_ns, now_ns - REPEAT_NS
        switch.on, switch.low_ns, switch.frozen = None, None, 0
        switch.urgent = urgent


def again(switch: Switch, now_ns: int) -> None:
    """Begin the cut and its proof anew: current or contact came back, or the box has started anew."""
    switch.cut = CutState.NONE
    order_off(switch, now_ns, reason=switch.reason, urgent=switch.urgent)


def order_on(switch: Switch) -> None:
    """Wanted from now on; what was said before says nothing of what comes."""
    switch.wanted, switch.cut, switch.reason, switch.urgent = True, CutState.NONE, "", False
    switch.live, switch.on, switch.low_ns, switch.frozen = True, None, None, 0


def returned(switch: Switch, zone: ZoneSettings) -> bool:
    """True when a switch that should be dead says it is closed, or lets current flow: it was switched by somebody
    else, or never opened."""
    cut = switch.cut
    if switch.wanted or (cut is not _NONE and cut is not _PROVEN):
        return False
    return switch.on is True or flows(switch, zone) is True


def is_calm(switch: Switch) -> bool:
    """No cut is under way: none was ordered, or it is proven."""
    return switch.cut is _NONE or switch.cut is _PROVEN


def limit_ns(switch: Switch, zone: ZoneSettings) -> int:
    """Time for the proof. An ordinary stop waits for a slow meter, unless one shows that current flows."""
    prove_ns = zone.prove_s * NS_PER_S
    if switch.urgent or flows(switch, zone) is True:
        return prove_ns
    return max(prove_ns, switch.silent_ns)


def judge(switch: Switch, zone: ZoneSettings, now_ns: int, *, word_is_proof: bool = False) -> bool:
    """Bring the state of the cut up to date; true when it changed. ``word_is_proof``: an auxiliary contact and no
    meter, and nobody in the zone measures current (garage-protocols.md 7)."""
    before = switch.cut
    if before is _NONE or before is _PROVEN:
        return False
    since_ns, latest_ns = switch.low_ns, switch.metered_ns
    if word_is_proof and switch.on is False:
        since_ns, latest_ns = switch.on_ns, switch.said_ns
    if switch.on is not True and since_ns is not None and latest_ns is not None:
        held_ns = latest_ns - max(since_ns, switch.began_ns)
        if held_ns >= zone.prove_hold_s * NS_PER_S:
            switch.cut = CutState.PROVEN
            return True
    if now_ns - switch.began_ns >= limit_ns(switch, zone):
        switch.cut, switch.bad = _verdict(switch, zone)
    return switch.cut is not before


def _verdict(switch: Switch, zone: ZoneSettings) -> tuple[CutState, str]:
    """What an unproven cut is: the relay lies (welded), the meter hangs, or nothing is known."""
    if flows(switch, zone) and switch.frozen >= STUCK_READINGS:
        return CutState.UNPROVEN, "meter_stuck"
    if flows(switch, zone) and switch.on is False:
        return CutState.WELDED, "welded"
    return CutState.UNPROVEN, "unproven"


def drive(switch: Switch, seq: int, now_ns: int, *, run: bool) -> list[Send]:
    """What to say now: the cut again while it is not proven, with a request for figures; the dead-man again while the
    charge may go on and the device has not said that it is off."""
    if switch.wanted:
        due = switch.hold_ns > 0 and now_ns - switch.told_ns >= switch.hold_ns // HOLD_PARTS
        if due and run and switch.live and switch.on is not False:
            return [operate(switch, on=True, seq=seq, now_ns=now_ns, effect_class=EffectClass.DURABLE)]
        return []
    waited_ns = now_ns - switch.told_ns
    if switch.cut is _NONE or switch.cut is _PROVEN or waited_ns < REPEAT_NS or waited_ns < _repeat_ns(switch):
        return []
    off = operate(switch, on=False, seq=seq, now_ns=now_ns, effect_class=EffectClass.SAFETY)
    return [off, Send(switch.meter.device, Poll(switch.meter.point), EffectClass.SAFETY)]


def due_ns(switch: Switch, zone: ZoneSettings) -> int | None:
    """When ``drive`` or ``judge`` will have something to do by time alone."""
    if switch.wanted:
        told_again = switch.hold_ns > 0 and switch.live and switch.on is not False
        return switch.told_ns + switch.hold_ns // HOLD_PARTS if told_again else None
    if is_calm(switch):
        return None
    repeat_ns = switch.told_ns + _repeat_ns(switch)
    return min(repeat_ns, switch.began_ns + limit_ns(switch, zone)) if switch.cut is CutState.COMMANDED else repeat_ns


def _repeat_ns(switch: Switch) -> int:
    return REPEAT_NS if switch.told_ns - switch.began_ns < SLOW_AFTER_NS else SLOW_REPEAT_NS


def forget_boot(switch: Switch) -> None:
    """A start: what was heard before it is nothing now. A cut that was under way or proven begins anew by ``again``."""
    switch.live, switch.on, switch.fault, switch.said_ns = False, None, "", None
    switch.began_ns = switch.told_ns = switch.on_ns = 0
    forget_figures(switch)


def forget_figures(switch: Switch) -> None:
    """What was measured is nothing now: a start, or another meter."""
    switch.low_ns = switch.metered_ns = None
    switch.power_w = switch.current_a = switch.voltage_v = switch.temperature_c = None
    switch.frozen = 0
