"""Trays on simulated readers, through real bytes, driver and kernel, in virtual time."""

from __future__ import annotations

import math
import random

import pytest

from edge.domain.canteen.messages import Phase
from edge.domain.devices import DeviceHealth, DeviceIdentity

#: Trays per reader family: a slice in every run, the campaign with ``./kangle test --full``.
SLICE, CAMPAIGN = 400, 20_000


def plates_on(rng: random.Random) -> int:
    while True:
        n, product = 0, rng.random()
        while product > math.exp(-3.5):
            product *= rng.random()
            n += 1
        if 0 < n <= 12:
            return n


@pytest.mark.parametrize("family", ["feig", "magicrf"])
def test_the_reader_is_known_and_ready_before_the_first_tray(wire, family):
    checkout = wire.checkout(family)
    lane = checkout.lanes[0]
    assert checkout.run_until(lambda: checkout.view(lane).phase is Phase.EMPTY, 3000)
    assert any(isinstance(r, DeviceIdentity) for r in lane.readings)
    assert [r.state for r in lane.readings if isinstance(r, DeviceHealth)][-1] == "ready"


def lay_trays(wire, family, count):
    """Lay ``count`` trays one after the other; returns (wrong, asked, first price ms, firm ms)."""
    rng = random.Random(f"trays {family}")
    checkout = wire.checkout(family)
    lane = checkout.lanes[0]

    def view():
        return checkout.view(lane)

    assert checkout.run_until(lambda: view().phase is Phase.EMPTY, 3000)
    pile = wire.pile(checkout, rng, family)
    wrong = asked = 0
    first_ms, firm_ms = [], []
    for _ in range(count):
        chips = pile.tray(plates_on(rng))
        began = checkout.now_ns
        for chip in chips:
            lane.field.place(chip)
        assert checkout.run_until(lambda: view().plates, 1000)
        first_ms.append((checkout.now_ns - began) / 1e6)
        checkout.run_until(lambda: view().phase in {Phase.FIRM, Phase.ASK}, 3000)
        firm_ms.append((checkout.now_ns - began) / 1e6)
        asked += view().phase is not Phase.FIRM
        wrong += view().phase is Phase.FIRM and {p.uid for p in view().plates} != {c.uid for c in chips}
        lane.field.clear()
        assert checkout.run_until(lambda: view().phase is Phase.EMPTY, 2000)
    return wrong, asked, sorted(first_ms), sorted(firm_ms)


@pytest.mark.parametrize("family", ["feig", "magicrf"])
def test_trays_are_right_and_seldom_ask(wire, family):
    """A slice of the campaign: eps 1e-4 lets no wrong tray be expected among 400."""
    wrong, asked, _, _ = lay_trays(wire, family, SLICE)
    assert wrong == 0
    assert asked <= 0.01 * SLICE


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", ["feig", "magicrf"])
def test_campaign_trays_are_right_and_seldom_ask(wire, family):
    """Bars: of 20,000 trays at most 8 wrong among those shown firm, help asked for in at most 1 %."""
    wrong, asked, first_ms, firm_ms = lay_trays(wire, family, CAMPAIGN)
    p50, p95 = CAMPAIGN // 2, CAMPAIGN * 95 // 100
    print(
        f"{family}: {CAMPAIGN} trays, wrong {wrong}, asked {asked}, "
        f"first price p50 {first_ms[p50]:.0f} ms p95 {first_ms[p95]:.0f} ms, "
        f"firm p50 {firm_ms[p50]:.0f} ms p95 {firm_ms[p95]:.0f} ms"
    )
    assert wrong <= 8
    assert asked <= 0.01 * CAMPAIGN


@pytest.mark.parametrize("family", ["feig", "magicrf"])
def test_a_firm_tray_stays_whole_while_a_person_reads(wire, family):
    """5 % of firm trays once lost a plate within 2.5 s: hidden by capture, it was forgotten as if lifted."""
    rng = random.Random(f"stay {family}")
    checkout = wire.checkout(family, seed=8)
    lane = checkout.lanes[0]
    checkout.run(2000)
    pile = wire.pile(checkout, rng, family)
    for _ in range(40):
        chips = pile.tray(plates_on(rng))
        for chip in chips:
            lane.field.place(chip)
        assert checkout.run_until(lambda: checkout.view(lane).phase is Phase.FIRM, 4000)
        firm = checkout.view(lane)
        changed = checkout.run_until(lambda seen=firm: checkout.view(lane).tray_version != seen.tray_version, 3000)
        assert not changed, (firm, checkout.view(lane))
        lane.field.clear()
        assert checkout.run_until(lambda: checkout.view(lane).phase is Phase.EMPTY, 3000)


@pytest.mark.parametrize("fault", ["noise", "split", "drop", "flip"])
@pytest.mark.parametrize("family", ["feig", "magicrf"])
def test_a_bad_line_never_makes_a_wrong_firm_price(wire, family, fault):
    rng = random.Random(f"{family} {fault}")
    checkout = wire.checkout(family, seed=3)
    lane = checkout.lanes[0]
    assert checkout.run_until(lambda: checkout.view(lane).phase is Phase.EMPTY, 3000)
    pile = wire.pile(checkout, rng, family)
    lane.reader.set_faults(fault, checkout.now_ns)
    firm = 0
    for _ in range(25):
        chips = pile.tray(plates_on(rng))
        for chip in chips:
            lane.field.place(chip)
        checkout.run_until(lambda: checkout.view(lane).phase is Phase.FIRM, 4000)
        view = checkout.view(lane)
        if view.phase is Phase.FIRM:
            firm += 1
            assert {p.uid for p in view.plates} == {c.uid for c in chips}
        lane.field.clear()
        checkout.run_until(lambda: checkout.view(lane).phase is Phase.EMPTY, 4000)
    assert firm >= 10, f"only {firm} of 25 trays became firm on a line with {fault}"


@pytest.mark.parametrize("family", ["feig", "magicrf"])
def test_a_pulled_plug_is_said_and_comes_back(wire, family):
    rng = random.Random(9)
    checkout = wire.checkout(family)
    lane = checkout.lanes[0]
    checkout.run(2000)
    pile = wire.pile(checkout, rng, family)
    chips = pile.tray(4)
    for chip in chips:
        lane.field.place(chip)
    assert checkout.run_until(lambda: checkout.view(lane).phase is Phase.FIRM, 4000)
    checkout.replug(lane, 500)
    assert checkout.view(lane).phase is Phase.OFFLINE
    assert checkout.run_until(lambda: checkout.view(lane).phase is Phase.FIRM, 6000)
    assert {p.uid for p in checkout.view(lane).plates} == {c.uid for c in chips}


def test_a_reader_reset_is_survived(wire):
    checkout = wire.checkout("feig")
    lane = checkout.lanes[0]
    checkout.run(2000)
    pile = wire.pile(checkout, random.Random(2), "feig")
    for chip in pile.tray(3):
        lane.field.place(chip)
    lane.reader.restart(checkout.now_ns)
    assert checkout.run_until(lambda: checkout.view(lane).phase is Phase.FIRM, 8000)


def test_a_dead_chip_is_found_by_the_guests_count(wire):
    from edge.domain.canteen.messages import ConfirmPlates

    checkout = wire.checkout("feig")
    lane = checkout.lanes[0]
    checkout.run(2000)
    chips = wire.pile(checkout, random.Random(2), "feig").tray(3)
    chips[0].dead = True
    for chip in chips:
        lane.field.place(chip)
    assert checkout.run_until(lambda: checkout.view(lane).phase is Phase.FIRM, 4000)
    view = checkout.view(lane)
    assert len(view.plates) == 2
    assert view.assurance.dead_bound > view.assurance.miss_bound
    checkout.canteen.command(ConfirmPlates(lane="1", tray_id=view.tray_id, plates=3))
    assert (checkout.view(lane).phase, checkout.view(lane).problem) == (Phase.BLOCKED, "count_differs")


def test_neighbours_that_leak_are_not_charged_twice(wire):
    from firmware_sim.chips import Leak

    checkout = wire.checkout("magicrf", "magicrf", seed=5)
    one, two = checkout.lanes
    one.field.leaks.append(Leak(two.field, 0.1))
    two.field.leaks.append(Leak(one.field, 0.1))
    checkout.run(3000)
    pile = wire.pile(checkout, random.Random(3), "magicrf")
    for _ in range(15):
        first, second = pile.tray(3), []
        while len(second) < 2:
            second = [c for c in pile.tray(5) if c.uid not in {f.uid for f in first}][:2]
        for chip in first:
            one.field.place(chip)
        checkout.run(300)
        for chip in second:
            two.field.place(chip)
        assert checkout.run_until(lambda: all(checkout.view(lane).firm for lane in (one, two)), 8000)
        priced = [{p.uid for p in checkout.view(lane).plates if p.price_fen is not None} for lane in (one, two)]
        assert priced == [{c.uid for c in first}, {c.uid for c in second}]
        one.field.clear()
        two.field.clear()
        checkout.run(1500)
