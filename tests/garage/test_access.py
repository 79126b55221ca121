"""Access doors: cards open what they may, fire opens all, and a leaf that should not stand open is told."""

from __future__ import annotations

import pytest

from edge.domain.devices import DeviceReading
from edge.domain.field_devices import CardReading, SignalKind
from edge.domain.garage.access_rows import AccessEventRow
from edge.domain.garage.settings import Credential, DoorSettings, OutputKind
from edge.domain.kernel import EffectClass
from edge.domain.places import Place
from edge.domain.words import Text

READER = Place("door-bus", "r1")
CARD, HOLDER = "12:345", "m-li"


@pytest.fixture
def doors(kit):
    """A garage with one access door in B1: its lock, its contact, one card."""

    def make(*credentials, **door):
        base = kit.config()
        lock = kit.output("B1-lock", OutputKind.DOOR)
        contact = kit.source("B1-contact", SignalKind.DOOR_OPEN)
        config = kit.config(
            outputs=(*base.outputs, lock),
            sources=(*base.sources, contact),
            doors=(
                DoorSettings(
                    door="d1",
                    zone="B1",
                    name=Text("门", "Door"),
                    reader=READER,
                    release="B1-lock",
                    contact="B1-contact",
                    **door,
                ),
            ),
            credentials=credentials or (Credential(card=CARD, holder=HOLDER),),
        )
        garage = kit.new(config)
        garage.make_normal()
        garage.sent.clear()
        return garage

    return make


def show(garage, card=CARD):
    return garage.give(DeviceReading(READER.device, 1, CardReading(point=READER.point, card=card)))


def events(garage):
    rows = garage.rows.tables.get(AccessEventRow, {}).values()
    return [(row.what, row.why) for row in sorted(rows, key=lambda row: row.seq)]


def lock_orders(garage, since=0):
    return [(order.on, cls) for order, cls in garage.operates("B1-lock", since=since)]


def alarms(garage):
    return {alarm.cause for alarm in garage.world.alarms.alarms.values() if alarm.active}


def test_a_card_unlocks_once_and_the_lock_falls_again(doors):
    garage = doors()
    show(garage)
    assert lock_orders(garage) == [(True, EffectClass.DURABLE)]
    garage.run(6)
    assert lock_orders(garage)[-1] == (False, EffectClass.DURABLE)
    assert events(garage) == [("granted", ""), ("relocked", "")]


def test_a_card_that_is_held_to_the_reader_is_one_visit(doors):
    garage = doors()
    for _ in range(5):
        show(garage)
        garage.elapse(0.3)
    assert events(garage) == [("granted", "")]


@pytest.mark.parametrize(
    ("card", "credential", "why"),
    [
        ("99:1", Credential(card=CARD, holder=HOLDER), "unknown_card"),
        (CARD, Credential(card=CARD, holder=HOLDER, doors=("other",)), "wrong_door"),
        (CARD, Credential(card=CARD, holder=HOLDER, valid_until="2020-01-01"), "expired"),
        (CARD, Credential(card=CARD, holder=HOLDER, valid_from="2099-01-01"), "expired"),
        (CARD, Credential(card=CARD, holder=HOLDER, start_min=0, end_min=1), "wrong_hour"),
    ],
)
def test_a_card_that_may_not_is_refused_with_its_reason(doors, card, credential, why):
    garage = doors(credential)
    show(garage, card)
    assert events(garage) == [("denied", why)]
    assert lock_orders(garage) == []
    (row,) = garage.rows.tables[AccessEventRow].values()
    assert (row.holder, row.card_end) == (("", "99:1") if why == "unknown_card" else (HOLDER, ""))


def test_two_rows_of_one_card_add_up(doors):
    night = Credential(card=CARD, holder=HOLDER, start_min=0, end_min=1)
    garage = doors(night, Credential(card=CARD, holder=HOLDER, start_min=1, end_min=1440))
    show(garage)
    assert events(garage) == [("granted", "")]


def test_a_leaf_that_opens_after_a_card_is_no_alarm(doors):
    garage = doors()
    show(garage)
    garage.says("B1-contact", True)
    garage.run(3)
    garage.says("B1-contact", False)
    assert alarms(garage) == set()


def test_a_leaf_that_opens_by_itself_is_forced(doors):
    garage = doors()
    garage.says("B1-contact", True)
    assert alarms(garage) == {"door_forced"}
    garage.says("B1-contact", False)
    assert alarms(garage) == set()
    assert [what for what, _ in events(garage)] == ["forced", "closed"]


def test_a_leaf_that_stays_open_is_held(doors):
    garage = doors(held_s=10)
    show(garage)
    garage.says("B1-contact", True)
    garage.run(14)
    assert alarms(garage) == set()
    garage.run(2)
    assert alarms(garage) == {"door_held"}
    garage.says("B1-contact", False)
    assert alarms(garage) == set()


def test_fire_releases_the_door_and_no_card_locks_it_again(doors):
    garage = doors()
    garage.says("B1-contact", False)
    show(garage)
    garage.says("B1-call", True)
    mark = len(garage.sent)
    assert garage.world.outputs["B1-lock"].switch.wanted
    garage.run(20)
    assert (False, EffectClass.DURABLE) not in lock_orders(garage, since=mark)
    garage.says("B1-contact", True)
    garage.run(60)
    assert not alarms(garage) & {"door_forced", "door_held"}
    assert events(garage) == [("granted", ""), ("released", "")]


def test_a_restart_in_a_fire_releases_anew_and_writes_it_down_once(doors):
    garage = doors()
    garage.says("B1-call", True)
    mark = len(garage.sent)
    garage.restart()
    garage.run(3)
    assert (True, EffectClass.SAFETY) in lock_orders(garage, since=mark)
    assert events(garage) == [("released", "")]


def test_the_reset_of_a_fire_locks_the_door_again_and_says_so(doors):
    garage = doors()
    garage.says("B1-call", True)
    garage.make_resettable()
    assert garage.reset().code == "ok"
    assert events(garage) == [("released", ""), ("relocked", "")]


def test_a_restart_never_unlocks(doors):
    garage = doors()
    show(garage)
    mark = len(garage.sent)
    garage.restart()
    garage.run(5)
    assert (True, EffectClass.DURABLE) not in lock_orders(garage, since=mark)
    assert (True, EffectClass.SAFETY) not in lock_orders(garage, since=mark)


def test_a_wedge_is_no_break_in_that_waits_for_its_acknowledgement(doors):
    garage = doors(held_s=10)
    garage.says("B1-contact", True)
    garage.says("B1-contact", False)
    assert alarms(garage) == set(), "over, and not yet acknowledged"
    show(garage)
    garage.says("B1-contact", True)
    garage.run(20)
    assert alarms(garage) == {"door_held"}


def test_a_panel_sees_the_door_and_not_who_came(doors):
    garage = doors(held_s=10)
    view = lambda: garage.shown["zone/B1"].doors[0]  # noqa: E731
    garage.says("B1-contact", False)
    assert (view().lock, view().open, view().last) == ("locked", False, "")
    show(garage)
    assert (view().lock, view().last, view().trouble) == ("granted", "granted", "")
    garage.says("B1-contact", True)
    assert view().open is True
    garage.run(20)
    assert (view().lock, view().trouble) == ("locked", "held")
    show(garage, "99:1")
    assert view().last == "unknown_card"
    garage.says("B1-call", True)
    assert view().lock == "released"
    assert HOLDER not in repr(garage.shown["zone/B1"])
