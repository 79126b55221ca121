"""A bowl of noodles whose only chip is dead: staff enter its label, it is sold, and nobody else pays for it."""

from __future__ import annotations

import pytest

from edge.domain.actors import Role
from edge.domain.canteen.messages import BindPlates, Identify, KeyPlate, Pay, Phase
from edge.domain.canteen.tray import ALONE_NS

BOWL, RICE, PORK = 0, 1, 2


@pytest.fixture
def noodles(canteen, kit):
    """A canteen whose lane 1 hears nothing, with three filled plates."""
    for number, dish in ((BOWL, "greens"), (RICE, "rice"), (PORK, "pork")):
        bound = BindPlates(dish_id=dish, plate_uids=(kit.uid(number),))
        assert canteen.command(bound, role=Role.KITCHEN).code == "ok"
    canteen.settle("1", [], passes=4)
    return canteen


def key(canteen, number, lane="1"):
    return canteen.command(KeyPlate(lane=lane, tray_id=canteen.lane(lane).tray_id, label=f"P{number:03d}"))


def pay(canteen, view, order="o1"):
    fen = view.payable_fen
    body = Pay(lane="1", order_id=order, tray_id=view.tray_id, tray_version=view.tray_version, payable_fen=fen,
               method="cash", tendered_fen=fen)  # fmt: skip
    return canteen.command(body)


def plates(view):
    return [plate.label for plate in view.plates]


def test_it_is_sold_by_its_label_and_stays_paid_in_sight(noodles):
    assert noodles.lane().phase is Phase.EMPTY
    assert key(noodles, BOWL).code == "ok"
    view = noodles.settle("1", [], passes=30)
    assert (view.phase, plates(view), view.payable_fen) == (Phase.FIRM, ["P000"], 500)
    assert pay(noodles, view).code == "ok"
    assert noodles.settle("1", [], passes=30).phase is Phase.PAID
    noodles.elapse(ALONE_NS)
    assert noodles.settle("1", [], passes=2).phase is Phase.EMPTY
    assert noodles.world.plates["e0" + "0" * 14].sold_epoch == 1


def test_two_dead_chips_are_one_tray(noodles):
    assert [key(noodles, number).code for number in (BOWL, RICE)] == ["ok", "ok"]
    view = noodles.settle("1", [], passes=30)
    assert (view.phase, plates(view), view.payable_fen) == (Phase.FIRM, ["P000", "P001"], 600)


def test_the_next_guest_pays_for_neither_the_plate_nor_by_the_card_of_who_was_there(noodles, kit):
    noodles.command(Identify(lane="1", card="1001"))
    key(noodles, BOWL)
    before = noodles.settle("1", [], passes=30)
    assert before.diner.member == "m-elder"
    after = noodles.settle("1", [kit.uid(RICE)])
    assert (plates(after), after.payable_fen, after.diner.member) == (["P001"], 100, None)
    assert after.tray_id != before.tray_id
    assert pay(noodles, before).code == "tray_changed"
    assert pay(noodles, after).code == "ok"
    assert noodles.world.plates[kit.uid(BOWL)].sold_epoch == 0


def test_a_paid_one_makes_way_for_the_next_tray_and_its_card(noodles, kit):
    key(noodles, BOWL)
    pay(noodles, noodles.settle("1", [], passes=30))
    noodles.command(Identify(lane="1", card="1002"))
    after = noodles.settle("1", [kit.uid(RICE)])
    assert (after.phase, plates(after), after.diner.member) == (Phase.FIRM, ["P001"], "m-young")


def test_whoever_walks_away_is_forgotten_after_a_minute(noodles):
    noodles.command(Identify(lane="1", card="1001"))
    key(noodles, BOWL)
    assert noodles.settle("1", [], passes=30).phase is Phase.FIRM
    noodles.elapse(ALONE_NS)
    view = noodles.settle("1", [], passes=2)
    assert (view.phase, view.tray_id, view.diner.member) == (Phase.EMPTY, "", None)


def test_a_plate_of_the_lane_next_door_does_not_push_it_out(noodles, kit):
    noodles.settle("2", [kit.uid(PORK)], passes=12)
    key(noodles, BOWL)
    noodles.settle("1", [], passes=10)
    noodles.reads("1", [kit.uid(PORK)])
    for _ in range(20):
        noodles.reads("2", [kit.uid(PORK)])
        view = noodles.reads("1", [])
    assert (view.phase, view.payable_fen) == (Phase.FIRM, 500)


def test_beside_plates_that_answer_it_goes_with_them(noodles, kit):
    tray = noodles.settle("1", [kit.uid(RICE)])
    key(noodles, BOWL)
    both = noodles.settle("1", [kit.uid(RICE)])
    assert (both.tray_id, both.payable_fen) == (tray.tray_id, 600)
    assert noodles.settle("1", [], passes=30).phase is Phase.EMPTY


def test_a_dead_chip_does_not_make_the_lane_think_that_it_reads_badly(noodles):
    key(noodles, BOWL)
    pay(noodles, noodles.settle("1", [], passes=30))
    assert noodles.world.plates["e0" + "0" * 14].passes > 0  # of the plate it is told
    assert noodles.world.lanes["1"].ledger.plates == 0
