"""``handle_leaving`` is ``handle``: same effects, same world; and the contactor's cut is the first to leave."""

from __future__ import annotations

import msgspec

from edge.domain.field_devices import Operate
from edge.domain.garage.messages import Timer
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
