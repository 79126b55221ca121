"""A canteen under random lives: pay, repeat, void, refund, top up, restart, next day. The books must balance always."""

from __future__ import annotations

import json

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.domain.canteen.messages import (
    BindPlates,
    DayOpened,
    Identify,
    Pay,
    Phase,
    RefundLines,
    TopUp,
    VoidOrder,
)
from edge.domain.canteen.rows import (
    ClaimRow,
    DayRow,
    OrderLineRow,
    OrderRow,
    OrderStepRow,
    PaymentRow,
    PlateRow,
    PurseEntryRow,
    PurseRow,
    RefundRow,
    SubsidyUseRow,
)

DISHES = ("pork", "greens", "rice", "soup")
CARDS = {"1001": "m-elder", "1002": "m-young", "": None}


def durable(world):
    """The part of a world that rows must give back, in comparable form."""
    return {
        "day": world.day,
        "totals": world.totals,
        "plates": world.plates,
        "labels": world.labels,
        "members": world.members,
        "cards": world.cards,
        "purses": world.purses,
        "orders": {k: msgspec.msgpack.decode(v) for k, v in world.orders.items()},
        "days": world.order_days,
        "refunds": world.refund_ids,
        "usage": {m: u for m, u in world.usage.items() if u},
        "spent": world.spent,
        "replies": world.replies,
        "counts": {k: v for k, v in world.counts.items() if v.bound or v.sold},
        "menu": world.on_menu,
        "learned": {k: (v.beta_a, v.beta_b, v.mean_plates) for k, v in world.lanes.items()},
    }


class Books(RuleBasedStateMachine):
    kit = None

    @initialize()
    def open(self):
        self.c = self.kit.new(self.kit.config())
        self.orders = 0
        self.answers = {}
        self.topped = 0
        self.day = 22

    def free_plates(self):
        return [p for p in sorted(self.c.world.plates) if p not in self.c.world.lanes["1"].field.tracks]

    @rule(data=st.data(), count=st.integers(1, 5), card=st.sampled_from(sorted(CARDS)), purse=st.booleans())
    def sell(self, data, count, card, purse):
        plates = data.draw(st.permutations(self.free_plates()))[:count]
        for plate in plates:
            dish = data.draw(st.sampled_from(DISHES)) if self.c.world.on_menu.get("rice") is not None else "pork"
            assert self.c.command(BindPlates(dish_id=dish, plate_uids=(plate,))).code == "ok"
        self.c.settle("1", plates)
        if card:
            self.c.command(Identify(lane="1", card=card))
        view = self.c.lane()
        assert view.phase is Phase.FIRM
        self.orders += 1
        body = Pay(
            lane="1",
            order_id=f"o{self.orders}",
            tray_id=view.tray_id,
            tray_version=view.tray_version,
            payable_fen=view.payable_fen,
            method="purse" if purse else "cash",
            tendered_fen=0 if purse else view.payable_fen + 7,
        )
        key = f"pay-{self.orders}"
        answer = self.c.command(body, command_id=key)
        self.answers[key] = (body, answer.code, answer.body)
        if purse:
            can = card and self.c.world.purses.get(CARDS[card], 0) + (view.payable_fen if answer.code == "ok" else 0)
            assert (answer.code == "ok") == bool(card and can >= view.payable_fen)
        else:
            assert answer.code == "ok"
        self.c.settle("1", [])

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def repeat(self, data):
        key = data.draw(st.sampled_from(sorted(self.answers)))
        body, code, answer = self.answers[key]
        again = self.c.command(body, command_id=key)
        assert (again.code, again.body) == (code, answer)
        changed = msgspec.structs.replace(body, tendered_fen=body.tendered_fen + 1)
        assert self.c.command(changed, command_id=key).code == "id_reused"

    @rule(member=st.sampled_from(["m-elder", "m-young"]), fen=st.integers(1, 3000))
    def top_up(self, member, fen):
        if self.c.command(TopUp(member=member, fen=fen)).code == "ok":
            self.topped += fen

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def void(self, data):
        order = data.draw(st.integers(1, self.orders))
        self.c.command(VoidOrder(order_id=f"o{order}", reason="wrong"))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), lines=st.sets(st.integers(1, 5), min_size=1))
    def refund(self, data, lines):
        order = data.draw(st.integers(1, self.orders))
        self.c.commands += 1
        self.c.command(
            RefundLines(refund_id=f"r{self.c.commands}", order_id=f"o{order}", line_nos=tuple(lines), reason="cold")
        )

    @rule()
    def restart(self):
        self.c.restart()

    @precondition(lambda self: self.day == 22)
    @rule()
    def next_day(self):
        self.day = 23
        self.c.give(DayOpened("2026-11-23"))

    @invariant()
    def books_balance(self):
        table = {kind: list(rows.values()) for kind, rows in self.c.rows.tables.items()}
        orders = table.get(OrderRow, [])
        lines, steps = table.get(OrderLineRow, []), table.get(OrderStepRow, [])
        refunds = table.get(RefundRow, [])
        for order in orders:
            own = [line for line in lines if line.order_id == order.order_id]
            fens = [json.loads(line.fen_json) for line in own]
            assert sum(line.payable_fen for line in own) == order.payable_fen
            assert all(sum(f) == line.payable_fen >= 0 for f, line in zip(fens, own, strict=True))
            for step in (s for s in steps if s.order_id == order.order_id):
                assert sum(f[step.step_no] for f in fens) == step.fen
            assert order.list_fen + order.discount_fen + order.subsidy_fen + order.rounding_fen == order.payable_fen
            back = sum(r.paid_fen for r in refunds if r.order_id == order.order_id)
            assert back == order.refunded_fen <= order.payable_fen
        payments = table.get(PaymentRow, [])
        assert sum(p.fen for p in payments) == sum(o.payable_fen for o in orders)
        assert all(p.tendered_fen - p.change_fen == p.fen for p in payments)
        self.purses_balance(table, payments, refunds)

    def purses_balance(self, table, payments, refunds):
        by_purse = {p.order_id for p in payments if p.method == "purse"}
        expected = (
            self.topped
            - sum(p.fen for p in payments if p.method == "purse")
            + sum(r.paid_fen for r in refunds if r.order_id in by_purse)
        )
        purses = table.get(PurseRow, [])
        assert sum(p.balance_fen for p in purses) == expected
        assert all(p.balance_fen >= 0 for p in purses)
        for purse in purses:
            entries = [e for e in table[PurseEntryRow] if e.member == purse.member]
            assert sum(e.fen for e in entries) == purse.balance_fen
        days = table.get(DayRow, [])
        assert sum(d.paid_fen for d in days) == sum(p.fen for p in payments)
        assert sum(d.refunded_fen for d in days) == sum(r.paid_fen for r in refunds)

    @invariant()
    def a_filling_is_sold_once(self):
        table = self.c.rows.tables
        voided = {o.order_id for o in table.get(OrderRow, {}).values() if o.status == "voided"}
        sold = [
            (line.plate_uid, line.fill_epoch)
            for line in table.get(OrderLineRow, {}).values()
            if line.order_id not in voided
        ]
        assert len(sold) == len(set(sold))
        claims = table.get(ClaimRow, {})
        assert {key for key, claim in claims.items() if claim.order_id} == set(sold)
        for plate in table.get(PlateRow, {}).values():
            assert plate.sold_epoch <= plate.fill_epoch

    @invariant()
    def a_subsidy_right_is_used_once_a_day(self):
        assert all(u.grants in (0, 1) and u.fen >= 0 for u in self.c.rows.tables.get(SubsidyUseRow, {}).values())

    @invariant()
    def rows_give_the_world_back(self):
        assert durable(self.c.kernel.load(self.c.rows)) == durable(self.c.world)


def test_books_balance_through_random_lives(kit):
    machine = type("Machine", (Books,), {"kit": kit})
    machine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True)
    machine.TestCase("runTest").runTest()
