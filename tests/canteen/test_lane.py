"""A tray at a lane, from the first chip to the receipt."""

from __future__ import annotations

import pytest

from edge.domain.actors import Role
from edge.domain.canteen.messages import (
    BindPlates,
    CallStaff,
    ConfirmPlates,
    DayOpened,
    Identify,
    KeyPlate,
    Pay,
    Phase,
    PlateState,
    RetirePlate,
    TopUp,
)
from edge.domain.canteen.rows import ClaimRow, OrderRow, PurseRow, SubsidyUseRow
from edge.domain.devices import DeviceState, TagSeen
from edge.domain.kernel import EffectClass, Reply, Show


def fill(canteen, kit, **dishes):
    """Bind plates 0.. to dishes in order; returns their uids."""
    uids = []
    n = len(uids)
    for name, count in dishes.items():
        mine = tuple(kit.uid(n + i) for i in range(count))
        n += count
        assert canteen.command(BindPlates(dish_id=name, plate_uids=mine)).code == "ok"
        uids += mine
    return uids


def pay_cash(canteen, lane="1", order_id="o1", **changes):
    view = canteen.lane(lane)
    body = {
        "lane": lane, "order_id": order_id, "tray_id": view.tray_id, "tray_version": view.tray_version,
        "payable_fen": view.payable_fen, "method": "cash", "tendered_fen": view.payable_fen,
    }  # fmt: skip
    command_id = changes.pop("command_id", "")
    return canteen.command(Pay(**{**body, **changes}), role=Role.DINER_TERMINAL, command_id=command_id)


def test_price_shows_with_the_first_pass_and_is_firm_only_when_sure(canteen, kit):
    uids = fill(canteen, kit, pork=1, greens=1, rice=1)
    view = canteen.reads("1", uids)
    assert view.phase is Phase.READING
    assert view.list_fen == view.payable_fen == 1800
    assert not view.firm
    assert set(view.assurance.failing) >= {"passes", "singletons"}
    # Trials begin 150 ms after the last change; then 2 statistical and 4 residual passes do (Beta(45, 5), lambda 3.5).
    phases = [canteen.reads("1", uids).phase for _ in range(5)]
    assert phases == [Phase.READING] * 3 + [Phase.FIRM] * 2
    view = canteen.lane()
    assert view.firm
    assert view.assurance.failing == ()
    assert view.assurance.miss_bound <= 1e-4
    assert 0.003 < view.assurance.dead_bound < 0.004


def test_a_plate_that_appears_late_starts_the_count_anew(canteen, kit):
    uids = fill(canteen, kit, pork=1, rice=1)
    canteen.settle("1", uids[:1])
    firm = canteen.lane()
    assert firm.firm
    view = canteen.reads("1", uids)
    assert view.phase is Phase.READING
    assert view.tray_version > firm.tray_version
    assert view.tray_id == firm.tray_id
    assert canteen.settle("1", uids).firm


def test_incomplete_passes_are_no_trials_and_are_named(canteen, kit):
    uids = fill(canteen, kit, pork=1, rice=1)
    for _ in range(12):
        view = canteen.reads("1", uids, complete=False, status=0x83)
    assert view.phase is Phase.READING
    assert {"incomplete", "passes"} <= set(view.assurance.failing)
    canteen.tick(1300)
    view = canteen.lane()
    assert (view.phase, view.problem) == (Phase.ASK, "cannot_be_sure")


def test_guest_count_makes_an_unsure_tray_firm_and_a_differing_one_blocks(canteen, kit):
    uids = fill(canteen, kit, pork=1, rice=1)
    for _ in range(20):
        canteen.reads("1", uids, complete=False)
    tray_id = canteen.lane().tray_id
    answer = canteen.command(ConfirmPlates(lane="1", tray_id=tray_id, plates=3), role=Role.DINER_TERMINAL)
    assert answer.code == "ok"
    assert (canteen.lane().phase, canteen.lane().problem) == (Phase.BLOCKED, "count_differs")
    canteen.command(ConfirmPlates(lane="1", tray_id=tray_id, plates=2), role=Role.DINER_TERMINAL)
    assert canteen.lane().phase is Phase.FIRM
    assert canteen.lane().assurance.confirmed_plates == 2


def test_unknown_unbound_sold_and_yesterdays_plates_block_with_their_reason(canteen, kit):
    uids = fill(canteen, kit, pork=1)
    cases = {
        "plate_unknown": "e0ffffffffffffff",
        "plate_unbound": kit.uid(30),
    }
    for problem, other in cases.items():
        view = canteen.settle("1", [*uids, other])
        assert (view.phase, view.problem) == (Phase.BLOCKED, problem)
        blocked = [p for p in view.plates if p.blocks]
        assert len(blocked) == 1
        assert blocked[0].price_fen is None
        assert view.list_fen == 1200
        assert pay_cash(canteen).code == "blocked"
        canteen.settle("1", [])
    canteen.settle("1", uids)
    assert pay_cash(canteen).code == "ok"
    canteen.settle("1", [])
    view = canteen.settle("1", uids)
    assert (view.phase, view.problem) == (Phase.BLOCKED, "plate_sold")
    canteen.settle("1", [])
    left = fill(canteen, kit, rice=2)
    canteen.give(DayOpened("2026-11-23"))
    assert canteen.settle("1", left).problem == "plate_not_today"


def test_cash_sale_writes_everything_before_it_says_paid(canteen, kit):
    uids = fill(canteen, kit, pork=1, greens=1, rice=1)
    canteen.settle("1", uids)
    answer = pay_cash(canteen, tendered_fen=2000)
    assert answer.code == "ok"
    assert answer.body["change_fen"] == 200
    effects = canteen.log[-1]
    assert all(e.effect_class is EffectClass.DURABLE for e in effects if isinstance(e, Show))
    assert sum(isinstance(e, Reply) for e in effects) == 1
    order = canteen.rows.tables[OrderRow][("o1",)]
    assert (order.list_fen, order.payable_fen, order.status) == (1800, 1800, "paid")
    assert len(canteen.rows.tables[ClaimRow]) == 3
    view = canteen.lane()
    assert view.phase is Phase.PAID
    assert view.paid.order_id == "o1"
    canteen.tick(50)
    assert canteen.shown["day"].orders == 1
    assert canteen.settle("1", []).phase is Phase.EMPTY


def test_member_pays_from_purse_with_discount_and_subsidy_once_a_day(canteen, kit):
    canteen.command(TopUp(member="m-elder", fen=5000))
    first = fill(canteen, kit, pork=2)
    canteen.settle("1", first)
    assert canteen.command(Identify(lane="1", card="1001"), role=Role.DINER_TERMINAL).code == "ok"
    view = canteen.lane()
    # list 24.00, 66 years old: x0.9 = 21.60, group B subsidy 2.00 -> 19.60
    assert [(s.kind, s.fen) for s in view.steps] == [("list", 2400), ("discount", -240), ("subsidy", -200)]
    assert view.payable_fen == 1960
    answer = pay_cash(canteen, method="purse", tendered_fen=0)
    assert answer.code == "ok"
    assert answer.body["balance_fen"] == 3040
    assert canteen.rows.tables[PurseRow][("m-elder",)].balance_fen == 3040
    assert {r.grants for r in canteen.rows.tables[SubsidyUseRow].values()} == {1}
    canteen.settle("1", [])
    assert canteen.lane().diner.member is None
    second = fill(canteen, kit, pork=2)
    canteen.settle("1", second)
    canteen.command(Identify(lane="1", card="1001"), role=Role.DINER_TERMINAL)
    view = canteen.lane()
    assert view.payable_fen == 2160
    assert view.steps[-1].why["limited_by"] == "used_today"


def test_a_repeat_gets_the_same_answer_and_other_content_is_refused(canteen, kit):
    uids = fill(canteen, kit, pork=1)
    canteen.settle("1", uids)
    view = canteen.lane()
    first = pay_cash(canteen, command_id="key-1")
    same = {"tray_id": view.tray_id, "tray_version": view.tray_version, "payable_fen": 1200, "tendered_fen": 1200}
    again = pay_cash(canteen, command_id="key-1", **same)
    assert (again.code, again.body) == (first.code, first.body)
    other = pay_cash(canteen, command_id="key-1", **{**same, "tendered_fen": 1300})
    assert other.code == "id_reused"
    assert pay_cash(canteen, command_id="key-2", **same).code == "id_taken"
    assert len(canteen.rows.tables[OrderRow]) == 1
    canteen.restart()
    assert pay_cash(canteen, command_id="key-1", **same).body == first.body


def test_payment_is_for_the_tray_as_shown(canteen, kit):
    uids = fill(canteen, kit, pork=1, rice=1)
    canteen.settle("1", uids)
    view = canteen.lane()
    assert pay_cash(canteen, tray_version=view.tray_version - 1).code == "tray_changed"
    assert pay_cash(canteen, payable_fen=1).code == "tray_changed"
    assert pay_cash(canteen, tendered_fen=100).code == "tender_short"
    assert pay_cash(canteen, method="purse").code == "no_member"
    assert pay_cash(canteen, method="barter").code == "bad_method"
    assert pay_cash(canteen, lane="1", tendered_fen=10**9).code == "bad_value"
    canteen.command(Identify(lane="1", card="1002"))
    assert pay_cash(canteen, method="purse").code == "purse_short"
    assert OrderRow not in canteen.rows.tables


def test_the_lane_that_reads_a_plate_clearly_more_often_owns_it(canteen, kit):
    uids = fill(canteen, kit, pork=1, rice=1)
    for i in range(24):
        canteen.reads("1", uids[:1])
        canteen.reads("2", [uids[1], uids[0]] if i % 12 == 3 else [uids[1]])
    assert canteen.lane("1").phase is Phase.FIRM
    assert canteen.lane("1").payable_fen == 1200
    assert canteen.lane("2").phase is Phase.FIRM
    assert canteen.lane("2").payable_fen == 100


def test_a_plate_that_both_lanes_read_alike_is_charged_by_neither(canteen, kit):
    uids = fill(canteen, kit, pork=1, rice=1)
    for _ in range(12):
        canteen.reads("1", uids[:1])
        canteen.reads("2", uids)
    for lane in ("1", "2"):
        view = canteen.lane(lane)
        assert (view.phase, view.problem) == (Phase.BLOCKED, "plate_doubtful")
        assert next(p for p in view.plates if p.blocks).other_lane == ("2" if lane == "1" else "1")
    canteen.settle("2", uids[1:])
    assert canteen.settle("1", uids[:1]).phase is Phase.FIRM


def test_signal_strength_decides_between_lanes(canteen, kit):
    uids = fill(canteen, kit, pork=1)
    for _ in range(10):
        canteen.reads("1", [TagSeen(uids[0], -34)])
        canteen.reads("2", [TagSeen(uids[0], -53)])
    assert canteen.lane("1").phase is Phase.FIRM
    assert [(p.state, p.blocks) for p in canteen.lane("2").plates] == [(PlateState.OTHER_LANE, False)]
    assert canteen.lane("2").phase is Phase.EMPTY


def test_a_plate_taken_away_leaves_the_price(canteen, kit):
    uids = fill(canteen, kit, pork=1, rice=1)
    canteen.settle("1", uids)
    view = canteen.settle("1", uids[1:])
    assert view.payable_fen == 100
    assert view.firm


def test_a_dish_added_after_paying_is_a_new_tray(canteen, kit):
    uids = fill(canteen, kit, pork=1, rice=1)
    canteen.settle("1", uids[:1])
    assert pay_cash(canteen).code == "ok"
    view = canteen.settle("1", uids)
    assert view.phase is Phase.FIRM
    assert [p.dish_id for p in view.plates] == ["rice"]
    assert view.payable_fen == 100


def test_the_next_tray_may_follow_without_a_gap(canteen, kit):
    uids = fill(canteen, kit, pork=2, rice=2)
    canteen.settle("1", uids[:2])
    assert pay_cash(canteen).code == "ok"
    view = canteen.settle("1", uids[2:], passes=14)
    assert view.phase is Phase.FIRM
    assert view.payable_fen == 200
    assert pay_cash(canteen, order_id="o2").code == "ok"
    assert canteen.settle("1", uids[:2], passes=14).problem == "plate_sold"


def test_a_dead_reader_is_said_at_once_and_recovers(canteen, kit):
    uids = fill(canteen, kit, pork=1)
    canteen.settle("1", uids)
    canteen.ready("1", DeviceState.LOST)
    assert (canteen.lane().phase, canteen.lane().problem) == (Phase.OFFLINE, "lost")
    assert pay_cash(canteen).code in {"not_firm", "tray_changed"}
    canteen.ready("1")
    assert canteen.lane().phase is Phase.EMPTY
    assert canteen.settle("1", uids).firm


def test_a_cashier_keys_in_a_plate_whose_chip_is_dead(canteen, kit):
    uids = fill(canteen, kit, pork=1, rice=1)
    canteen.settle("1", uids[:1])
    tray_id = canteen.lane().tray_id
    assert (
        canteen.command(KeyPlate(lane="1", tray_id=tray_id, label="P001"), role=Role.DINER_TERMINAL).code == "forbidden"
    )
    assert canteen.command(KeyPlate(lane="1", tray_id=tray_id, label="P999"), role=Role.CASHIER).code == "unknown_plate"
    assert canteen.command(KeyPlate(lane="1", tray_id=tray_id, label="P001"), role=Role.CASHIER).code == "ok"
    assert canteen.settle("1", uids[:1], passes=12).payable_fen == 1300
    assert canteen.lane().firm
    assert pay_cash(canteen).code == "ok"
    canteen.settle("1", [])
    assert canteen.settle("1", [uids[1]]).problem == "plate_sold"


@pytest.mark.parametrize("state", ["retired", "unbound", "not_today", "sold"])
def test_a_plate_that_cannot_be_sold_is_not_keyed_in_and_the_reason_is_told(canteen, kit, state):
    """It would lie on the tray, unseen and blocking, until all the other plates were lifted."""
    uids = fill(canteen, kit, pork=2)
    if state == "retired":
        canteen.command(RetirePlate(uid=uids[1]))
    elif state == "sold":
        canteen.settle("1", uids[1:])
        assert pay_cash(canteen).code == "ok"
        canteen.settle("1", [])
    elif state == "not_today":
        canteen.command(BindPlates(dish_id="tomorrow", plate_uids=(uids[1],)))
    label = "P009" if state == "unbound" else "P001"
    tray_id = canteen.settle("1", uids[:1]).tray_id
    answer = canteen.command(KeyPlate(lane="1", tray_id=tray_id, label=label))
    assert (answer.code, answer.body) == ("blocked", {"problem": f"plate_{state}"})
    assert canteen.settle("1", uids[:1]).phase is Phase.FIRM


@pytest.mark.parametrize("who", [{"card": "1001"}, {"category": "putuo-65"}])
def test_who_puts_down_no_tray_is_forgotten_before_the_next_guest_comes(canteen, kit, who):
    """The next one would pay from their purse, or at their price."""
    canteen.command(Identify(lane="1", **who))
    canteen.tick(59_000)
    assert canteen.lane().diner.category != "guest"
    due = canteen.kernel.deadline(canteen.world)
    canteen.tick((due - canteen.mono_ns) // 1_000_000)
    assert (canteen.lane().diner.category, canteen.lane().diner.member) == ("guest", None)
    assert canteen.kernel.deadline(canteen.world) is None
    canteen.command(Identify(lane="1", **who))
    canteen.tick(59_000)
    uids = fill(canteen, kit, pork=1)
    canteen.settle("1", uids)
    canteen.tick(120_000)  # whoever has put a tray down may take their time
    assert canteen.lane().diner.category != "guest"
    assert canteen.kernel.deadline(canteen.world) is None


@pytest.mark.parametrize(("dish", "grams"), [("fruit", None), ("fruit", 0), ("fruit", 5001), ("pork", 150)])
def test_a_plate_is_filled_by_weight_where_the_price_is_and_nowhere_else(canteen, kit, dish, grams):
    """Without its weight a plate of fruit would be sold at the price of a usual portion: a guess."""
    bind = BindPlates(dish_id=dish, plate_uids=(kit.uid(0),), grams=grams)
    assert canteen.command(bind).code == "bad_value"
    view = canteen.settle("1", [kit.uid(0)])
    assert (view.problem, view.payable_fen) == ("plate_unbound", 0)
    assert canteen.command(BindPlates(dish_id="fruit", plate_uids=(kit.uid(0),), grams=5000)).code == "ok"
    assert canteen.settle("1", [kit.uid(0)]).payable_fen == 330 * 25


def test_calling_staff_shows_and_clears(canteen):
    assert canteen.command(CallStaff(lane="1"), role=Role.DINER_TERMINAL).code == "ok"
    assert canteen.lane().staff_called
    canteen.command(CallStaff(lane="1", on=False))
    assert not canteen.lane().staff_called


def test_business_day_never_goes_back(canteen):
    canteen.give(DayOpened("2026-11-23"))
    assert canteen.world.day == "2026-11-23"
    assert canteen.give(DayOpened("2026-11-22")) == []
    assert canteen.world.day == "2026-11-23"


def test_a_tray_of_nothing_but_unknown_plates_costs_nothing_and_blocks(canteen):
    canteen.command(Identify(lane="1", card="1001"))
    view = canteen.settle("1", ["e0ffffffffffffff"])
    assert (view.phase, view.problem, view.payable_fen) == (Phase.BLOCKED, "plate_unknown", 0)
    assert [s.fen for s in view.steps] == [0]


def test_a_blocked_lane_wants_no_timer(canteen, kit):
    """A deadline that a timer does not move would spin the daemon."""
    uids = fill(canteen, kit, pork=1)
    canteen.tick(50)  # the boards follow the binding
    canteen.reads("1", uids)
    assert canteen.kernel.deadline(canteen.world) is not None
    assert canteen.settle("1", [*uids, "e0ffffffffffffff"]).phase is Phase.BLOCKED
    assert canteen.kernel.deadline(canteen.world) is None
    canteen.settle("1", [])
    for _ in range(3):
        canteen.reads("1", uids, complete=False)
    canteen.tick(2000)
    assert canteen.lane().phase is Phase.ASK
    assert canteen.kernel.deadline(canteen.world) is None
