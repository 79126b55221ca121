"""``handle_leaving`` is ``handle``: same effects, same world; and the contactor's cut is the first to leave."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.field_devices import Operate, Quality
from edge.domain.garage import zones
from edge.domain.garage.messages import StartSession, TestZone, Timer
from edge.domain.garage.settings import ZoneSettings
from edge.domain.kernel import EffectClass, Send
from edge.storage.snapshots import encode_world


def two(kit):
    """Two garages that have lived through the same."""
    zone = ZoneSettings(zone="B1", name=kit.text("B1"), panels=("panel-B1",), contactor_first=True)
    made = [kit.new(kit.config(zone)), kit.new(kit.config(zone))]
    for each in made:
        each.make_normal()
    return made


def test_the_same_effects_in_the_same_order_and_the_cuts_twice(kit):
    ours, theirs = two(kit)
    for item in (ours.signal("B1-s1", True), Timer(), ours.signal("B1-s2", True), ours.signal("B1-s1", False)):
        left = []
        ours.elapse(0.5)
        theirs.elapse(0.5)
        early = ours.kernel.handle_leaving(ours.world, item, ours.stamp(), left.append)
        late = theirs.kernel.handle(theirs.world, item, theirs.stamp())
        assert early == late
        assert encode_world(ours.world) == encode_world(theirs.world)
        cuts = [each for each in early if isinstance(each, Send) and isinstance(each.command, Operate)]
        assert left == [each for each in cuts if each.effect_class is EffectClass.SAFETY]
        assert all(one is another for one, another in zip(left, cuts, strict=False))


def test_the_contactor_leaves_first_and_questions_after_every_cut(kit):
    ours, _ = two(kit)
    effects = ours.give(ours.signal("B1-s1", True))
    sends = [each for each in effects if isinstance(each, Send) and each.effect_class is EffectClass.SAFETY]
    assert sends[0].command.point == "B1-k"
    kinds = [isinstance(each.command, Operate) for each in sends]
    assert kinds == sorted(kinds, reverse=True)
    assert effects[: len(sends)] == sends
    assert msgspec.msgpack.encode([each.command for each in sends])


def broken(*_args):
    raise RuntimeError("the other sources cannot be weighed")


def test_the_contactor_leaves_before_the_other_sources_are_weighed(kit, monkeypatch):
    ours, _ = two(kit)
    left = []
    monkeypatch.setattr(zones, "weigh", broken)
    with pytest.raises(RuntimeError):
        ours.kernel.handle_leaving(ours.world, ours.signal("B1-s1", True), ours.stamp(), left.append)
    assert [(each.command.point, each.command.on) for each in left] == [("B1-k", False)]


def test_a_word_that_may_be_a_test_is_weighed_first(kit, monkeypatch):
    ours, theirs = two(kit)
    ours.command(TestZone(zone="B1", minutes=30, panel="panel-B1"))
    theirs.give(theirs.signal("B1-s1", True))  # latched already
    left = []
    monkeypatch.setattr(zones, "weigh", broken)
    for garage in (ours, theirs):
        garage.elapse(1)
        with pytest.raises(RuntimeError):
            garage.kernel.handle_leaving(garage.world, garage.signal("B1-s2", True), garage.stamp(), left.append)
    assert not left


@pytest.mark.parametrize("age_s", [0, 1, 3600])
def test_a_stored_word_that_its_head_has_taken_back_opens_nothing(kit, age_s):
    """A broker gives what it keeps at every connect: smoke that is not newer than the head's own "clear" is over."""
    ours, _ = two(kit)
    ours.says("B1-s1", False, source_wall_ns=ours.wall_ns)
    before = len(ours.sent)
    ours.elapse(5)
    ours.says("B1-s1", True, retained=True, source_wall_ns=kit.noon_ns - age_s * kit.s)
    assert ours.zone().mode == "normal"
    assert not ours.sent[before:]
    assert ours.world.outputs["B1-k"].switch.wanted
    ours.says("B1-s1", True, retained=True, source_wall_ns=ours.wall_ns)  # one that it has not taken back
    assert ours.zone().mode == "pre_alarm"


@pytest.mark.parametrize("quality", [Quality.FAULT, Quality.TEST])
def test_the_cause_has_the_weight_of_the_word(kit, quality):
    ours, _ = two(kit)
    ours.give(ours.signal("B1-s1", True, quality=quality))
    (cause,) = ours.world.zones["B1"].causes.values()
    assert (cause.ref, cause.weight, cause.active) == ("B1-s1", int(ours.world.sources["B1-s1"].weight), True)


def test_what_was_to_be_told_on_in_the_turn_of_its_cut_is_not_told(kit):
    """The dead-man's turn and the silent meter's came due with one timer: the ON would have left after the OFF."""
    garage = kit.new(kit.config())
    garage.make_normal()
    garage.command(StartSession(session_id="s1", port="B1-p1"))
    garage.reports("B1-p1", True)
    garage.meter("B1-p1", 180.0)
    garage.sent.clear()
    garage.elapse(31)
    garage.give(Timer())
    assert garage.world.ports["B1-p1"].reason == "meter_silent"
    assert [command.on for command, _ in garage.operates("B1-p1")] == [False]
