"""Each planted mistake in the table, in the orders or in a rule must be found by the exploration.

A mutant that is not found within its time would mean that an invariant is missing. Cells of the table are planted by
data, and sought where modes are rare (``hunt``); rules by replacing one function or number.
"""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.garage import commands, cut, evidence, hearing, obey, outputs, signals, starting, switching, zones
from edge.domain.garage.interlock import ORDERS, TABLE, Evidence, Mode
from edge.domain.garage.messages import CutState, SourceState
from edge.domain.garage.signals import Weight

M, E = Mode, Evidence
#: A loaded machine gives a process a tenth of its time.
pytestmark = pytest.mark.timeout(900)

CELLS = [
    (M.PRE_ALARM, E.CLEAR, M.NORMAL, "small"),
    (M.PRE_ALARM, E.QUIET, M.NORMAL, "small"),
    (M.PRE_ALARM, E.DOUBT, M.WATCH, "small"),
    (M.PRE_ALARM, E.BLIND, M.BLIND, "evidence"),
    (M.PRE_ALARM, E.FIRE, M.PRE_ALARM, "small"),
    (M.PRE_ALARM, E.RESET, M.NORMAL, "small"),
    (M.PRE_ALARM, E.CLEAR, M.RESETTABLE, "small"),
    (M.FIRE, E.ONE, M.PRE_ALARM, "evidence"),
    (M.FIRE, E.CLEAR, M.LATCHED, "small"),
    (M.FIRE, E.DARK, M.DARK, "evidence"),
    (M.FIRE, E.RESET, M.NORMAL, "small"),
    (M.LATCHED, E.RESET, M.NORMAL, "small"),
    (M.LATCHED, E.CLEAR, M.NORMAL, "small"),
    (M.LATCHED, E.FIRE, M.LATCHED, "small"),
    (M.LATCHED, E.DOUBT, M.RESETTABLE, "small"),
    (M.LATCHED_FIRE, E.ONE, M.PRE_ALARM, "small"),
    (M.LATCHED_FIRE, E.RESET, M.NORMAL, "small"),
    (M.LATCHED_FIRE, E.BLIND, M.BLIND, "evidence"),
    (M.RESETTABLE, E.DOUBT, M.RESETTABLE, "small"),
    (M.RESETTABLE, E.QUIET, M.NORMAL, "small"),
    (M.RESETTABLE_FIRE, E.ONE, M.PRE_ALARM, "small"),
    (M.NORMAL, E.ONE, M.NORMAL, "small"),
    (M.NORMAL, E.ONE, M.WATCH, "port"),
    (M.NORMAL, E.DOUBT, M.NORMAL, "small"),
    (M.NORMAL, E.FIRE, M.PRE_ALARM, "small"),
    (M.NORMAL, E.BLIND, M.NORMAL, "single"),
    (M.WATCH, E.ONE, M.WATCH, "evidence"),
    (M.BLIND, E.ONE, M.BLIND, "evidence"),
    (M.BLIND, E.DOUBT, M.NORMAL, "evidence"),
    (M.BLIND, E.FIRE, M.PRE_ALARM, "evidence"),
    (M.DARK, E.ONE, M.DARK, "evidence"),
]


@pytest.mark.parametrize(("mode", "level", "planted", "model"), CELLS, ids=[f"{m}-{e}-{p}" for m, e, p, _ in CELLS])
def test_a_wrong_cell_is_found(explore, monkeypatch, mode, level, planted, model):
    assert TABLE[mode][level] is not planted
    monkeypatch.setitem(TABLE[mode], level, planted)
    found = explore(model, limit_s=40, hunt=True)
    assert found.broken, f"survived {found.states} states"
    print(found.broken, found.trace)


ORDER_CHANGES = [
    (M.PRE_ALARM, {"cut": False}, "port"),
    (M.LATCHED, {"cut": False, "run": True}, "port"),
    (M.FIRE, {"contactor": True}, "contactor-plain"),
    (M.FIRE, {"doors": False}, "small"),
    (M.LATCHED_FIRE, {"doors": False}, "small"),
    (M.PRE_ALARM, {"siren": False}, "small"),
    (M.BLIND, {"start": True}, "port"),
    (M.LATCHED, {"start": True}, "port"),
    (M.NORMAL, {"siren": True}, "small"),
]


@pytest.mark.parametrize(("mode", "change", "model"), ORDER_CHANGES, ids=[f"{m}-{c}" for m, c, _ in ORDER_CHANGES])
def test_a_wrong_order_is_found(explore, monkeypatch, mode, change, model):
    monkeypatch.setitem(ORDERS, mode, msgspec.structs.replace(ORDERS[mode], **change))
    found = explore("combined" if model == "contactor-plain" else model, limit_s=40, hunt=True)
    assert found.broken, f"survived {found.states} states"


def _no_seen(world, zone, now_ns):
    active, healthy, _seen, doubt = _LEVELS(world, zone, now_ns)
    return active, healthy, True, doubt


def _any_word_is_full(source, reading, stamp):
    return Weight.FULL if _HEAR(source, reading, stamp) else Weight.NONE


def _untried(source):
    new = source.__copy__()
    new.tried = False
    return new


_VOUCHES = evidence.vouches
_LEVELS = evidence._levels
_HEAR = signals.hear
_JUDGE = cut.judge
_RETURNED = cut.returned
_FORGET = starting.forget_source


def _deaf_to_stored(source, reading, stamp):
    return False if reading.retained else _HEAR(source, reading, stamp)


def _stored_is_live(source, reading, stamp):
    return _HEAR(source, msgspec.structs.replace(reading, retained=False), stamp)


def _clear_wins(source, reading, stamp):
    if reading.active is False:
        source.weight = Weight.NONE
    return _HEAR(source, reading, stamp)


def _proven_at_once(switch, zone, now_ns, **facts):
    if switch.cut is CutState.COMMANDED and switch.on is False:
        switch.cut = CutState.PROVEN
        return True
    return _JUDGE(switch, zone, now_ns, **facts)


def _never_fails(switch, zone, now_ns, **facts):
    before, bad = switch.cut, switch.bad
    _JUDGE(switch, zone, now_ns, **facts)
    if switch.cut in {CutState.UNPROVEN, CutState.WELDED}:
        switch.cut, switch.bad = before, bad
    return switch.cut is not before


def _forgets_evidence(source, now_ns):
    source.weight = Weight.NONE
    _FORGET(source, now_ns)


def _water_by_one(active):
    return any(one.detector for one in active)


def _water_by_any_two(active):
    return len(active) > 1


def _water_at_any_time(turn, zone):
    if not zone.water_asked:
        zone.water_asked = True
        for name in zone.waters:
            switch = turn.world.outputs[name].switch
            switch.wanted = True
            turn.send(
                [outputs.operate(switch, on=True, seq=1, now_ns=turn.now_ns, effect_class=outputs.EffectClass.DURABLE)]
            )


def _quiet_at_once(world, zone, now_ns):
    return not evidence.unproven(world, zone)


def _quiet_without_proof(world, zone, now_ns):
    return zone.clear_ns is not None and now_ns - zone.clear_ns >= zone.settings.clear_s * signals.NS_PER_S


def _anywhere(turn, body):
    return _RESET_ZONE(turn, msgspec.structs.replace(body, panel=turn.world.zones[body.zone].settings.panels[0]))


def _silence_resets(turn, body):
    zones.reset(turn, turn.world.zones[body.zone])
    return _SILENCE(turn, body)


def _keeps_running(world, port):
    return ""


def _re_sends(turn):
    _BEGIN(turn)
    for one in turn.world.ports.values():
        if one.wanted:
            turn.send(
                [switching.operate(one, on=True, seq=1, now_ns=turn.now_ns, effect_class=switching.EffectClass.DURABLE)]
            )


def _starts_normal(zone, stamp):
    _BEGIN_ZONE(zone, stamp)
    if not ORDERS[zone.mode].latched:
        zone.blind_ns = None


_RESET_ZONE, _SILENCE, _BEGIN, _BEGIN_ZONE = (
    commands.reset_zone, commands.silence_zone, starting.begin, starting._begin_zone,
)  # fmt: skip


def _state_without(left_out):
    def state(source, now_ns, *, testing):
        found = _STATE_OF(source, now_ns, testing=testing)
        return SourceState.CLEAR if found is left_out else found

    return state


_STATE_OF = signals.state_of


def _acting(name, function):
    from edge.domain.garage import acting

    return acting, name, function


RULES = {
    "a detector need not speak after a start": (evidence, "_levels", _no_seen, "combined"),
    "stored smoke is nothing": (hearing, "hear", _deaf_to_stored, "evidence"),
    "stored clear is live": (hearing, "hear", _stored_is_live, "evidence"),
    "an old clear takes smoke back": (hearing, "hear", _clear_wins, "evidence"),
    "a silent head is clear": (evidence, "state_of", _state_without(SourceState.STALE), "evidence"),
    "an absent head is clear": (evidence, "state_of", _state_without(SourceState.ABSENT), "single"),
    "a faulty head is clear": (evidence, "state_of", _state_without(SourceState.FAULT), "small"),
    "an unheard head is clear": (evidence, "state_of", _state_without(SourceState.UNKNOWN), "evidence"),
    "a relay's word is proof": (obey, "judge", _proven_at_once, "port"),
    "a cut never fails": (obey, "judge", _never_fails, "port"),
    "current that returns is ignored": (obey, "returned", lambda switch, zone: False, "port"),
    "an old word of a start counts": (starting, "forget_source", _forgets_evidence, "small"),
    "water on one detector": (evidence, "_is_water", _water_by_one, "small"),
    "water on any two": (evidence, "_is_water", _water_by_any_two, "evidence"),
    "an old word brings water": (hearing, "hear", _any_word_is_full, "evidence"),
    "a head that fell silent brings water": (
        evidence,
        "vouches",
        lambda one, _now: one.weight == 2 and not one.tried,
        "evidence",
    ),
    "a head that was tried brings water": (
        evidence,
        "vouches",
        lambda one, now: _VOUCHES(_untried(one), now),
        "evidence",
    ),
    "water by time or start": (zones, "ask_water", _water_at_any_time, "evidence"),
    "no wait before a reset": (evidence, "is_quiet", _quiet_at_once, "small"),
    "no proof before a reset": (evidence, "is_quiet", _quiet_without_proof, "port"),
    "a reset from anywhere": (*_acting("reset_zone", _anywhere), "small"),
    "silence resets": (*_acting("silence_zone", _silence_resets), "small"),
    "any port may be switched on": (None, "blocks_on", _keeps_running, "port"),
    "a start re-sends what was on": (None, "begin", _re_sends, "port"),
    "neighbours are left alone": (evidence, "is_burning", lambda zone: False, "neighbours"),
    "a failed contactor is nobody's affair": (obey, "_contactors", None, "contactor"),
    "one head is a fire": (evidence, "_is_fire", lambda world, zone, active: True, "small"),
    "two heads are no fire": (evidence, "_is_fire", lambda world, zone, active: False, "small"),
}


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_wrong_rule_is_found(explore, monkeypatch, name):
    module, attribute, planted, model = RULES[name]
    if attribute == "blocks_on":
        module = switching
    if attribute == "begin":
        from edge.domain.garage import kernel as module
    if attribute == "_contactors":
        real = obey._contactors

        def planted(turn, zone, orders, failing, *, strike):
            real(turn, zone, orders, failing, strike=strike)
            return ""

    monkeypatch.setattr(module, attribute, planted)
    found = explore(model, limit_s=40)
    assert found.broken, f"survived {found.states} states"
    print(found.broken, found.trace)


def test_there_are_enough_mutants():
    assert len(CELLS) + len(ORDER_CHANGES) + len(RULES) >= 60
