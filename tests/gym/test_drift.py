"""Drift of the motor current: found when it is there, silent when it is not (gym-domain.md 6)."""

from __future__ import annotations

import random

import pytest

from edge.domain.gym.drift import cusum_step, drifts, slope_per_day
from edge.domain.gym.settings import AssetKind, WearSettings
from edge.domain.gym.wear_state import Line

RULE = WearSettings(kind=AssetKind.TREADMILL)


def days(values):
    return [(f"2026-{1 + number // 28:02}-{1 + number % 28:02}", value) for number, value in enumerate(values)]


def test_a_slope_ignores_odd_days():
    values = [1.0 + 0.01 * number for number in range(20)]
    values[7] = 9.0
    assert slope_per_day(days(values), 21) == pytest.approx(0.01, rel=0.2)
    assert slope_per_day(days(values[:5]), 21) is None


def test_a_steady_rise_is_drift_and_scatter_is_none():
    dice = random.Random(3)
    rising = days([1.0 + 0.008 * number + dice.gauss(0, 0.02) for number in range(25)])
    even = days([1.0 + dice.gauss(0, 0.03) for _ in range(25)])
    assert drifts(rising, 0.0, RULE) == ("drift",)
    assert drifts(even, 0.0, RULE) == ()


def test_a_cusum_needs_sisters_and_adds_up_what_is_steady():
    assert cusum_step(0.0, 1.2, [1.0], [], RULE) is None
    dice, cusum, even, past = random.Random(4), 0.0, 0.0, []
    for _ in range(30):
        sisters = [1.0 + dice.gauss(0, 0.02) for _ in range(3)]
        past.append(1.0 + dice.gauss(0, 0.02))
        cusum = cusum_step(cusum, 1.05 + dice.gauss(0, 0.02), sisters, past, RULE)
        even = cusum_step(even, past[-1], sisters, past, RULE)
    assert "drift_sisters" in drifts(days([1.0]), cusum, RULE)
    assert even < RULE.cusum_limit_sd


def test_a_line_through_speeds():
    line = Line()
    for speed in range(1, 11):
        line.add(float(speed), 1000 + 250 * speed)
    assert line.fit() == pytest.approx((1000, 250))
    level = Line()
    level.add(6.0, 2500.0)
    assert level.fit() == (2500.0, 0.0)


def test_a_worn_belt_becomes_an_order_through_the_kernel(gym):
    """A month of days: t1's belt draws more every day, its sisters do not."""
    from edge.domain.gym.messages import DayOpened

    dice = random.Random(5)
    for number in range(32):
        for name in ("t1", "t2", "t3", "t4"):
            gym.metres[name] = 0.0
            gym.stand(name)

        def each(number=number):
            for name in ("t1", "t2", "t3", "t4"):
                gym.walk(name, 6.0)
                wear = 1 + 0.012 * max(0, number - 8) if name == "t1" else 1.0
                gym.health(name, motor_current_a=2.5 * wear * dice.gauss(1, 0.05))

        gym.run(60, each=each)
        gym.elapse(86_400 - 60)
        gym.give(DayOpened(f"2026-12-{1 + number:02}" if number < 31 else "2027-01-01"))
    causes = {(order.asset, order.cause) for order in gym.world.orders.values()}
    assert ("t1", "drift") in causes or ("t1", "drift_sisters") in causes
    assert {asset for asset, cause in causes if cause.startswith("drift")} == {"t1"}
