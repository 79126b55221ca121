"""kill -9 of the canteen daemon at 100 seeded points during payments: 0 lost, 0 doubled.

Each round binds plates, lays them down, waits for the firm price, sends a payment and kills the daemon a seeded
moment later, spread from before the command arrives to after its answer. The daemon is started again and the payment
is repeated under the same id, as a terminal does. At the end the books are read from the disk by plain SQL, not by
our own code.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.canteen.messages import BindPlates, Pay
from edge.domain.canteen.settings import PricedBy
from edge.runtime.ipc_client import AnswerUnknownError, DaemonUnreachableError

ROUNDS = 100
#: The answer of a payment takes about 1 ms on an idle machine, a hundred on a busy one. Kills are spread evenly over so
#: many ms from the start; fewer after a payment that was answered, more after one that was not: about twice an answer.
FIRST_SPREAD_MS = 4.0
LESS, MORE, SPREAD_MAX_MS = 0.85, 1.2, 4000.0


async def sell(victim, rng, number, uids, spread_ms):
    """One round; returns (acknowledged before the kill, answer of the repeat)."""
    own = tuple(uids[(number * 3 + i) % len(uids)] for i in range(3))
    dish = rng.choice(victim.dishes)
    assert (await victim.submit(BindPlates(dish_id=dish, plate_uids=own), f"bind-{number}")).code == "ok"
    victim.reader.tray = own
    view = await victim.lane(lambda v: v["phase"] == "firm" and len(v["plates"]) == 3)
    body = Pay(
        lane="1",
        order_id=f"order-{number}",
        tray_id=view["tray_id"],
        tray_version=view["tray_version"],
        payable_fen=view["payable_fen"],
        method="cash",
        tendered_fen=view["payable_fen"],
    )
    payment = asyncio.create_task(victim.submit(body, f"pay-{number}", Role.DINER_TERMINAL))
    await asyncio.sleep(rng.random() * spread_ms / 1000)
    acknowledged = payment.result() if payment.done() else None
    await victim.kill()
    try:
        late = await payment  # an answer that was on its way when the axe fell counts as given
    except (AnswerUnknownError, DaemonUnreachableError):
        late = None
    victim.reader.tray = ()
    await victim.start()
    repeat = await victim.submit(body, f"pay-{number}", Role.DINER_TERMINAL)
    return acknowledged or late, repeat


def read_books(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as books:
        claims = "SELECT count(*), count(DISTINCT plate_uid || '/' || fill_epoch) FROM claim"
        lines = "SELECT order_id, sum(payable_fen) FROM order_line GROUP BY order_id"
        return {
            "orders": dict(books.execute("SELECT order_id, payable_fen FROM orders")),
            "payments": dict(books.execute("SELECT order_id, fen FROM payment")),
            "claims": books.execute(claims).fetchone(),
            "lines": dict(books.execute(lines)),
            "day": books.execute("SELECT sum(orders), sum(paid_fen) FROM business_day").fetchone(),
        }


@pytest.mark.timeout(1200)
def test_no_acknowledged_payment_is_lost_and_none_is_doubled(victim):
    async def campaign():
        rng = random.Random(20261122)
        await victim.start()
        today = (await victim.lane(lambda v: v["business_day"]))["business_day"]
        by_portion = {dish.dish_id for dish in victim.site.canteen.dishes if dish.priced_by is PricedBy.PORTION}
        on_sale = next(menu.dish_ids for menu in victim.site.canteen.menu if menu.day == today)
        victim.dishes = [dish for dish in on_sale if dish in by_portion]
        uids = [p.uid for p in victim.site.canteen.plates if len(p.uid) == 16][:90]
        paid, acked, spread_ms = {}, 0, FIRST_SPREAD_MS
        for number in range(ROUNDS):
            before, repeat = await sell(victim, rng, number, uids, spread_ms)
            acked += before is not None
            spread_ms = min(SPREAD_MAX_MS, spread_ms * (MORE if before is None else LESS))
            if before is not None:
                assert before.code == "ok"
                assert (repeat.code, repeat.json) == (before.code, before.json), f"round {number}"
            assert repeat.code in {"ok", "tray_changed", "not_firm"}
            if repeat.code == "ok":
                paid[f"order-{number}"] = msgspec.json.decode(repeat.json)["paid_fen"]
        return paid, acked

    paid, acked = asyncio.run(campaign())
    victim.end()
    books = read_books(victim.store / "facts.db")
    assert books["orders"] == books["payments"] == books["lines"] == paid
    assert books["day"] == (len(paid), sum(paid.values()))
    assert books["claims"] == (3 * len(paid), 3 * len(paid))
    print(json.dumps({"rounds": ROUNDS, "acknowledged_before_kill": acked, "paid": len(paid)}))
    # The kills really were spread: some payments were answered before, some died unwritten.
    assert 0 < acked < ROUNDS
    assert len(paid) < ROUNDS
